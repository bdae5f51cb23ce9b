// meterd quarantine: lists, retries and drops refused events.

import ArgumentParser
import Forwarding
import GRDB
import Ingestion
import Operations
import Quantities
import Storage

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "List, retry and drop refused events.",
        subcommands: [List.self, Retry.self, Drop.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the events in quarantine.")

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions

        @Option(
            help: ArgumentHelp("Print at most this many events (default: 1000).", valueName: "count"),
            transform: Arguments.whole(1...1_000_000_000))
        var limit = 1_000

        func run() throws {
            let (rows, count) = try options.openForReading().read { database in
                (
                    try Row.fetchAll(
                        database,
                        sql: """
                            SELECT
                                quarantine_id AS number,
                                strftime('%Y-%m-%dT%H:%M:%SZ', arrived_at / 1000000, 'unixepoch') AS arrived_at, code,
                                reason, source, id, CAST(event AS TEXT) AS event
                            FROM quarantine
                            ORDER BY quarantine_id
                            LIMIT ?
                            """,
                        arguments: [limit]),
                    try Quarantine.ids(database).count
                )
            }
            let columns = ["number", "arrived_at", "code", "reason", "source", "id"]
            RowPrinter(columns: output.format == .text ? columns : columns + ["event"], rows)
                .print(output, empty: "the quarantine is empty")
            if output.format == .text, count > rows.count {
                Terminal.print("… \(grouped(count - rows.count)) more; raise --limit")
            }
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try events again as if they arrived now; those that are accepted leave the quarantine.")

        @OptionGroup var options: ChangeOptions
        @OptionGroup var output: FormatOptions

        @Argument(
            help: ArgumentHelp(
                "The events' numbers, as 'quarantine list' shows them (default: all).", valueName: "number"),
            transform: Arguments.quarantineNumber)
        var ids: [Int64] = []

        @Flag(help: "All events, as without numbers.")
        var all = false

        func validate() throws {
            guard ids.isEmpty || !all else { throw ValidationError("give either numbers or --all, not both") }
        }

        func run() throws {
            let ledger = try options.openForWriting()
            let report = try ledger.perform(RetryQuarantine(ids: ids), clock: options.clock)
            var summary = IngestSummary(progress: Progress(totalBytes: nil))
            summary.add(report) { "source '\($0.source ?? "")', id '\($0.id ?? "")'" }
            summary.print(output)
        }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Drop events for good.")

        @OptionGroup var options: ChangeOptions

        @Argument(
            help: ArgumentHelp("The events' numbers, as 'quarantine list' shows them.", valueName: "number"),
            transform: Arguments.quarantineNumber)
        var ids: [Int64] = []

        @Flag(help: "All events.")
        var all = false

        func validate() throws {
            // Never all by forgetting to say which.
            guard ids.isEmpty == all else {
                throw ValidationError(
                    all
                        ? "give either numbers or --all, not both"
                        : "name the events by their numbers, as 'quarantine list' shows them, or give --all")
            }
        }

        func run() throws {
            let dropped = try options.openForWriting().perform(DropQuarantine(ids: ids), clock: options.clock)
            Terminal.print("\(counted(dropped, "event")) dropped from the quarantine")
        }
    }
}
