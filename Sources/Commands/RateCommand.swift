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
            that are final. Run it at any time, any number of times: the result is the same. Text and json add up what was \
            appended by tenant, item, source and grant; csv also by posting day, with the status and due day of its bill.
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

    private static let columns = ["item", "source", "grant_code", "entries", "quantity", "amount_micros"]

    func run() throws {
        let ledger = try options.openForWriting()
        let date = try date.day { try options.ledger.openForReading().read { try options.ledger.today($0) } }
        let report = try ledger.perform(RateDay(date, isDryRun: dryRun), clock: options.clock)
        if output.format == .csv {
            try csv(report).printCSV()
            return try Self.fail(unrated: report.unrated)
        }
        let rows = try Self.lines(report.appended).map { [$0.tenant.databaseValue] + $0.values }
        let printer = RowPrinter(columns: ["tenant"] + Self.columns, rows: rows)
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

    /// Each line with the head of its bill, since a spreadsheet has no other place for it. With a dry run the bill is as
    /// the run would leave it.
    private func csv(_ report: RatingReport) throws -> RowPrinter {
        let lines = try Self.lines(report.appended, isByDay: true)
        let heads = try options.ledger.openForReading().read { database in
            let today = try options.ledger.today(database)
            let settled = max(
                report.settled.last ?? Day(.min), try LedgerState.read(database).settledThrough ?? Day(.min))
            return try Dictionary(
                uniqueKeysWithValues: Set(lines.compactMap(\.day)).map { day in
                    (day, try BillHead(of: day, settledThrough: settled, today: today, database))
                })
        }
        return RowPrinter(
            columns: ["tenant", "day", "status"] + Self.columns + ["currency", "due_day"],
            rows: lines.compactMap { line in
                guard let day = line.day, let head = heads[day] else { return nil }
                return [line.tenant.databaseValue, day.description.databaseValue, head.status] + line.values
                    + [head.currency, head.dueDay]
            })
    }

    /// What all bills of a posting day share.
    private struct BillHead {
        let status: DatabaseValue
        let currency: DatabaseValue
        let dueDay: DatabaseValue

        // A day that only a dry run settles is settled today.
        private static let sql = """
            SELECT
                CASE
                    WHEN ?1 <= ?2 THEN 'final'
                    WHEN ?1 + final_after_days <= ?3 THEN 'unrated'
                    ELSE 'draft'
                END AS status,
                currency,
                CASE WHEN ?1 <= ?2 THEN date(
                    (
                        max(?1 + final_after_days, ifnull((SELECT settled_on FROM settled_day WHERE day = ?1), ?3))
                        + payment_term_days
                    ) * 86400, 'unixepoch')
                END AS due_day
            FROM ledger_property
            """

        init(of day: Day, settledThrough: Day, today: Day, _ database: Database) throws {
            guard
                let row = try Row.fetchOne(
                    database, sql: Self.sql, arguments: [day.number, settledThrough.number, today.number])
            else { preconditionFailure("a ledger without properties") }
            (status, currency, dueDay) = (row["status"], row["currency"], row["due_day"])
        }
    }

    /// What was appended, added up by tenant, item, source and grant, and by posting day where that is asked for.
    private struct Line {
        let tenant: String
        let day: Day?
        let item: String?
        let source: String
        let grant: String?
        var entries = 0
        var quantity = Quantity.zero
        var amount = Money.zero

        var values: [DatabaseValue] {
            [
                item.databaseValue, source.databaseValue, grant.databaseValue, entries.databaseValue,
                quantity.units.databaseValue, amount.micros.databaseValue,
            ]
        }
    }

    private static func lines(_ entries: [EntryDraft], isByDay: Bool = false) throws(Overflow) -> [Line] {
        var lines: [[String?]: Line] = [:]
        for entry in entries {
            let day = isByDay ? entry.postedDay : nil
            let key = [
                entry.tenant.text, day?.description, entry.item?.text, entry.source.rawValue, entry.grant?.text,
            ]
            var line =
                lines[key]
                ?? Line(
                    tenant: entry.tenant.text, day: day, item: entry.item?.text, source: entry.source.rawValue,
                    grant: entry.grant?.text)
            line.entries += 1
            try line.quantity += entry.quantity
            try line.amount += entry.amount
            lines[key] = line
        }
        return lines.values.sorted {
            ($0.tenant, $0.day?.number ?? 0, $0.item ?? "", $0.source, $0.grant ?? "")
                < ($1.tenant, $1.day?.number ?? 0, $1.item ?? "", $1.source, $1.grant ?? "")
        }
    }
}

extension ClosedRange<Day> {
    fileprivate var count: Int { upperBound - lowerBound + 1 }
}
