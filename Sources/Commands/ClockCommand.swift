// meterd clock: shows whether the ledger's clock is believed, and confirms it.

import ArgumentParser
import EventCodec
import Forwarding
import Foundation
import GRDB
import LedgerStore
import Operations
import Storage

struct ClockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock", abstract: "Show whether the clock is believed, or confirm it.",
        discussion: """
            Days are settled and grants end by the clock, for good. So an instant that is more than 10 days after the latest \
            one that the ledger has recorded is believed only if the process has seen the time pass, if the kernel says that \
            its clock is synchronised, or if you confirm it: with 'meterd clock confirm', or with --confirm-clock on the \
            command that changes something. Until then events are refused for now (503), nothing is rated, and commands \
            that change something fail; reading goes on. All goes on by itself once the clock is right.
            """,
        subcommands: [Show.self, Confirm.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the clock, the latest instant recorded, and whether the clock is believed.",
            discussion:
                "A daemon that has the ledger open is asked: it may have seen the time pass. Status 1: not believed.")

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions

        func run() throws {
            let report = try report()
            ClockCommand.print(report, output.format)
            guard report.isBelieved else { throw ExitCode(1) }
        }

        private func report() throws -> ClockReport {
            let ledger = try options.openForReading()
            if let daemon = try DaemonConnection(ledger: options.file.path()) {
                return try daemon.perform(ReadClock(), clock: options.clock)
            }
            return try ledger.read { try options.clock.report(LedgerProperties.read($0), LedgerState.read($0)) }
        }
    }

    struct Confirm: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm that the clock is right, and record what it shows.",
            discussion: """
                Look at the clock before you do: what is settled by a wrong one stays settled. A clock that is behind the \
                latest instant recorded can be confirmed too, after one that ran ahead was believed. A test clock goes to \
                --now, however much later that is.
                """)

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions

        func run() throws {
            let ledger = try options.openForWriting()
            let report = try ledger.perform(ConfirmClock(), clock: options.clock)
            guard output.format == .text else { return ClockCommand.print(report, output.format) }
            let recorded = report.recorded.map { "\($0)" } ?? "-"
            Terminal.print("clock confirmed: \(recorded) is the latest instant that the ledger has recorded")
        }
    }

    private static func print(_ report: ClockReport, _ format: OutputFormat) {
        let reason = report.belief?.rawValue ?? "test_clock"
        switch format {
        case .text:
            Terminal.print("recorded  \(report.recorded.map { "\($0)" } ?? "none yet")")
            Terminal.print("clock     \(report.shown.map { "\($0)" } ?? "none yet: give --now")")
            Terminal.print("believed  \(words(report))")
            if let kernel = report.kernel { Terminal.print("kernel    \(words(kernel))") }
        case .json:
            func text(_ value: String?) -> String { value.map(JSONText.quoted) ?? "null" }
            Terminal.print(
                "{\"recorded\":\(text(report.recorded.map { "\($0)" })),\"clock\":\(text(report.shown.map { "\($0)" })),"
                    + "\"believed\":\(report.isBelieved),\"reason\":\(text(reason)),"
                    + "\"kernel\":\(text(report.kernel.map(code)))}")
        case .csv:
            RowPrinter(
                columns: ["recorded", "clock", "believed", "reason", "kernel"],
                rows: [
                    [
                        (report.recorded.map { "\($0)" }).databaseValue, (report.shown.map { "\($0)" }).databaseValue,
                        report.isBelieved.databaseValue, reason.databaseValue, report.kernel.map(code).databaseValue,
                    ]
                ]
            ).printCSV()
        }
    }

    private static func words(_ report: ClockReport) -> String {
        switch report.belief {
        case nil: "yes: a test clock shows what it is told"
        case .noInstantRecorded: "yes: the ledger has recorded no instant yet"
        case .near: "yes: it is at most 10 days after the recorded instant"
        case .timePassed: "yes: the process has seen the time pass since it was believed"
        case .kernelSynchronized: "yes: the kernel says that the clock is synchronised"
        case .confirmed: "yes: it was confirmed"
        case .notBelieved:
            report.recorded == nil || report.shown.map { $0 < report.recorded ?? $0 } ?? false
                ? "no: nobody has set the clock; set it right"
                : "no: it is more than 10 days after the recorded instant, and nothing speaks for it; set the clock right, "
                    + "or confirm it with 'meterd clock confirm'"
        }
    }

    private static func words(_ kernel: MachineClock.Kernel) -> String {
        switch kernel {
        case .synchronized: "says that its clock is synchronised"
        case .unsynchronized: "says that its clock is not synchronised"
        case .silent(let error): "does not say whether its clock is synchronised: \(String(cString: strerror(error)))"
        }
    }

    private static func code(_ kernel: MachineClock.Kernel) -> String {
        switch kernel {
        case .synchronized: "synchronized"
        case .unsynchronized: "unsynchronized"
        case .silent: "silent"
        }
    }
}
