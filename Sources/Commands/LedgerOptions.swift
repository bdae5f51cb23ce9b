// The options that commands share: which ledger, what time it is, how to print.

import ArgumentParser
import Forwarding
import Foundation
import GRDB
import LedgerStore
import Operations
import Quantities
import Settings
import Storage

/// Which ledger.
struct FileOptions: ParsableArguments {
    @Option(
        name: .customLong("db"),
        help: ArgumentHelp(
            "The ledger's file (default: METERD_DB, otherwise the one in the configuration, otherwise ./meterd.db).",
            valueName: "file"))
    var database: String?

    /// - Throws: `SettingsProblems` where the configuration is asked and is wrong.
    func path() throws -> String {
        if let database {
            // Another ledger than the one that was meant must not be taken instead.
            guard !database.isEmpty else {
                throw ValidationError("--db '' names no file; is a variable of the command empty? Write --db meterd.db")
            }
            return database
        }
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["METERD_DB"], !path.isEmpty { return path }
        return try Settings.load(file: nil, environment: environment).database
    }
}

/// Which ledger, at what time.
struct LedgerOptions: ParsableArguments {
    @OptionGroup var file: FileOptions

    @Option(
        name: .customLong("now"),
        help: ArgumentHelp(
            "What time it is (RFC 3339), with a test clock: see 'meterd help init'.", valueName: "time"),
        transform: Arguments.instant)
    var now: Instant?

    var clock: LedgerClock { LedgerClock(given: now) }

    /// The daemon that has the ledger open, otherwise the ledger itself.
    ///
    /// - Parameter waitSeconds: how long another command may have it.
    func openForWriting(waitSeconds: Int = 60) throws -> LedgerAccess {
        let path = try file.path()
        let ledger = try LedgerAccess.open(
            at: path, waitSeconds: waitSeconds,
            onWait: { Terminal.error("meterd: waiting for \($0), which is writing \(path)") },
            onUpgrade: {
                Terminal.error(
                    "meterd: \(path) is brought up to this version of meterd; it is kept as it was in \($0)")
            })
        switch ledger {
        case .here(let ledger): try check(ledger.file)
        case .daemon: if now != nil { _ = try openForReading() }
        }
        return ledger
    }

    /// Tells people, on the standard error, that what they read is older than the usage.
    static func noteUnratedChanges(of ledger: LedgerFile, _ format: OutputFormat) throws {
        guard format == .text, try ledger.read({ try LedgerState.read($0).hasUnratedChanges }) else { return }
        Terminal.error(
            "note: usage, grants or prices have changed since the last rating; run 'meterd rate --date today' and read again"
        )
    }

    /// Opens for reading; `--now` means the same on every command.
    func openForReading() throws -> LedgerFile {
        let ledger = try LedgerFile.openForReading(at: file.path())
        try check(ledger)
        return ledger
    }

    /// - Throws: `LedgerError` when the ledger does not take the given time, whatever the command does with it.
    private func check(_ file: LedgerFile) throws {
        guard now != nil else { return }
        _ = try file.read { try today($0) }
    }

    /// The ledger's local date, by the time that was given or its own clock. What is stored by it is for the ledger's
    /// writer to judge, which may have seen more of the time pass than this process.
    ///
    /// - Throws: `LedgerError` when the ledger does not take the given time.
    func today(_ database: Database) throws -> Day {
        let properties = try LedgerProperties.read(database)
        let now = try clock.reading(properties, LedgerState.read(database))
        return LedgerDays.date(of: now, in: properties.timeZone)
    }
}

/// Which ledger, at what time, for a command that changes it.
struct ChangeOptions: ParsableArguments {
    @OptionGroup var ledger: LedgerOptions

    @Flag(
        name: .customLong("confirm-clock"),
        help: "The clock is right, however far it is after the latest instant recorded: see 'meterd help clock'.")
    var confirmsClock = false

    var clock: LedgerClock { LedgerClock(given: ledger.now, isConfirmed: confirmsClock) }

    func openForWriting(waitSeconds: Int = 60) throws -> LedgerAccess {
        try ledger.openForWriting(waitSeconds: waitSeconds)
    }
}

enum OutputFormat {
    case text, json, csv
}

struct FormatOptions: ParsableArguments {
    @Option(
        name: .customLong("format"),
        help: ArgumentHelp(
            "How to print: text, json, csv (amounts as decimals), or json-text (json, its numbers as strings).",
            valueName: "format"))
    private var given = GivenFormat.text

    private enum GivenFormat: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv
        case jsonText = "json-text"
    }

    var format: OutputFormat {
        switch given {
        case .text: .text
        case .json, .jsonText: .json
        case .csv: .csv
        }
    }

    /// How the numbers of JSON are written.
    var numbers: NumberForm { given == .jsonText ? .text : .json }
}

/// How JSON has whole numbers. As JSON's own they are exact, but a reader that holds them as floating point (IEEE 754, 53
/// bits) changes those beyond 2^53.
enum NumberForm {
    case json, text

    func json(_ number: some BinaryInteger) -> String {
        switch self {
        case .json: String(number)
        case .text: "\"\(number)\""
        }
    }
}
