// meterd verify: whether everything in the ledger agrees.

import ArgumentParser
import EventCodec
import GRDB
import Quantities
import Storage
import Verification

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that everything in the ledger agrees; changes nothing.",
        discussion: """
            Recounts counters from the evidence, adds up entries and grants, rates everything anew, follows the chain of \
            hashes. When the file itself is broken, the other checks are not made. Exit status 1 when something is \
            wrong. Keep the chain's head elsewhere: it tells even a ledger that was rewritten whole.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    func run() throws {
        let report = try report()
        switch output.format {
        case .text: printText(report)
        case .json: printJSON(report)
        case .csv:
            RowPrinter(
                columns: ["check", "finding"],
                rows: report.findings.map { [$0.check.databaseValue, $0.sentence.databaseValue] }
            ).print(.csv, empty: "")
        }
        guard report.isSound else { throw ExitCode(1) }
    }

    private func report() throws -> VerificationReport {
        let ledger: LedgerFile
        do {
            ledger = try options.openForReading()
        } catch StorageError.damaged(let path, let reason) {
            return Verification.report(onDamaged: path, reason: reason)
        }
        var progress = Progress(totalBytes: nil)
        defer { progress.end() }
        return try Verification(file: ledger).run { progress.show("checking \($0)") }
    }

    private func printText(_ report: VerificationReport) {
        for check in report.checks {
            let verdict = check.findingCount == 0 ? "ok   " : "WRONG"
            Terminal.print("\(verdict)  \(check.name): \(check.compared)")
            for finding in check.findings { Terminal.print("       \(finding.sentence)") }
            if check.untold > 0 { Terminal.print("       … and \(grouped(check.untold)) more") }
        }
        for note in report.notes { Terminal.print("note: \(note)") }
        if let head = report.chainHead { Terminal.print("head: entry \(head.entryID), \(head.hash)") }
        let count = report.checks.reduce(0) { $0 + $1.findingCount }
        Terminal.print(
            report.isSound
                ? "the ledger agrees in all \(report.checks.count) checks"
                : "\(counted(count, "contradiction")) found; restore a backup, or ask for help with this output")
    }

    private func printJSON(_ report: VerificationReport) {
        let checks = report.checks.map { check in
            let findings = check.findings.map { JSONText.quoted($0.sentence) }.joined(separator: ",")
            return "{\"check\":\(JSONText.quoted(check.name)),\"compared\":\(JSONText.quoted(check.compared)),"
                + "\"finding_count\":\(check.findingCount),\"findings\":[\(findings)]}"
        }
        let notes = report.notes.map(JSONText.quoted).joined(separator: ",")
        let head =
            report.chainHead.map { "{\"entry_id\":\($0.entryID),\"hash\":\(JSONText.quoted($0.hash))}" } ?? "null"
        Terminal.print(
            "{\"sound\":\(report.isSound),\"checks\":[\(checks.joined(separator: ","))],\"notes\":[\(notes)],"
                + "\"chain_head\":\(head)}")
    }
}
