// meterd rate: rates a day.

import Accounting
import ArgumentParser
import Forwarding
import GRDB
import LedgerStore
import Operations
import Quantities
import Rating
import RatingRun
import Storage

struct RateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate", abstract: "Rate a day: append to the ledger what its usage costs.",
        discussion: """
            Computes anew every unsettled day through the date (or through the last day ever rated) and settles the days \
            that are final. Run it at any time, any number of times: the result is the same.
            """)

    @OptionGroup var options: ChangeOptions
    @OptionGroup var output: FormatOptions

    @Option(
        help: ArgumentHelp(
            "The day in the ledger's time zone: YYYY-MM-DD, today or yesterday.", valueName: "day"),
        transform: Arguments.day)
    var date: DayReference

    @Flag(help: "Show what would be appended and settled; change nothing.")
    var dryRun = false

    private static let columns = ["tenant", "item", "source", "grant_code", "entries", "quantity", "amount_micros"]

    func run() throws {
        let ledger = try options.openForWriting()
        let date = try date.day { try options.ledger.openForReading().read { try options.ledger.today($0) } }
        let report = try ledger.perform(RateDay(date, isDryRun: dryRun), clock: options.clock)
        let lines = try Self.lines(report.appended)
        let rows = lines.map { line in
            [
                line.tenant.databaseValue, line.item.databaseValue, line.source.databaseValue,
                line.grant.databaseValue, line.entries.databaseValue, line.quantity.units.databaseValue,
                line.amount.micros.databaseValue,
            ]
        }
        let printer = RowPrinter(columns: Self.columns, rows: rows)
        if output.format == .csv {
            let currency = try options.ledger.openForReading().read {
                try LedgerProperties.read($0).currency.code.databaseValue
            }
            RowPrinter(columns: Self.columns + ["currency"], rows: rows.map { $0 + [currency] }).printCSV()
            return try Self.fail(unrated: report.unrated)
        }
        guard output.format == .text else {
            printer.print(output, empty: "")
            try Self.fail(unrated: report.unrated)
            return
        }
        if !rows.isEmpty { printer.printTable() }
        Terminal.print(summary(report, date))
        try Self.fail(unrated: report.unrated)
    }

    /// What was done stands on the standard output by then.
    static func fail(unrated: [UnratedTenant]) throws {
        guard !unrated.isEmpty else { return }
        throw Failure(unrated.map(\.description).joined(separator: "\n"))
    }

    private func summary(_ report: RatingReport, _ date: Day) -> String {
        guard let days = report.days else {
            if let settled = report.settledBefore {
                return "nothing to rate: all days through \(settled) are settled, and no later one was asked for"
            }
            return "nothing to rate through \(date): the first usage or grant is later"
        }
        var range =
            days.count == 1 ? "\(days.lowerBound)" : "\(days.lowerBound) to \(days.upperBound)"
        if days.upperBound > date { range += ", the last day ever rated" }
        let entries = counted(report.appended.count, "entry", plural: "entries")
        let settled = report.settled.last.map { "settled through \($0)" } ?? "no day became settled"
        return dryRun
            ? "would rate \(range): \(entries) to append, \(settled) (dry run, nothing changed)"
            : "rated \(range): \(entries) appended, \(settled)"
    }

    /// What was appended, added up by tenant, item, source and grant.
    private struct Line {
        let tenant: String
        let item: String?
        let source: String
        let grant: String?
        var entries = 0
        var quantity = Quantity.zero
        var amount = Money.zero
    }

    private static func lines(_ entries: [EntryDraft]) throws(Overflow) -> [Line] {
        var lines: [[String?]: Line] = [:]
        for entry in entries {
            let key = [entry.tenant.text, entry.item?.text, entry.source.rawValue, entry.grant?.text]
            var line =
                lines[key]
                ?? Line(
                    tenant: entry.tenant.text, item: entry.item?.text, source: entry.source.rawValue,
                    grant: entry.grant?.text)
            line.entries += 1
            try line.quantity += entry.quantity
            try line.amount += entry.amount
            lines[key] = line
        }
        return lines.values.sorted {
            ($0.tenant, $0.item ?? "", $0.source, $0.grant ?? "")
                < ($1.tenant, $1.item ?? "", $1.source, $1.grant ?? "")
        }
    }
}

extension ClosedRange<Day> {
    fileprivate var count: Int { upperBound - lowerBound + 1 }
}
