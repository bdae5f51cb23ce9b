// meterd bill: the bills of tenants, and the breakdown of one.

import ArgumentParser
import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

struct BillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bill", abstract: "Print bills by day; with --date the lines of that day's bills.",
        discussion: """
            There is one bill for each tenant and posting day. It is draft while its day is open, unrated when the day is final but \
            not settled, then final. The payable amount of a day is the month's amount so far, cut down to whole minor \
            units of the currency, less the payable amounts of the days before. --from, --to and --month are of posting \
            days. Under a test clock statuses go by the latest arrival or run that the ledger has recorded, not by --now.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @OptionGroup var owner: TenantFilter

    @OptionGroup var span: DaySpan

    @Option(
        help: ArgumentHelp(
            "The bills of this day, with their lines: YYYY-MM-DD, today or yesterday.", valueName: "day"),
        transform: Arguments.day)
    var date: DayReference?

    func validate() throws {
        guard date == nil || span.isEmpty else {
            throw ValidationError("--date shows the bills of one day; leave out --from, --to and --month, or --date")
        }
    }

    private static let bills = """
        SELECT *
        FROM bill
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR day >= ?2) AND (?3 IS NULL OR day <= ?3)
        ORDER BY tenant, day
        """

    // Entries of one line are a rating and its later differences: people want their sum.
    private static let lines = """
        SELECT
            tenant, item, app, usage_day, source, grant_code, tier, price_version, sum(quantity) AS quantity,
            sum(amount_micros) AS amount_micros
        FROM ledger
        WHERE (?1 IS NULL OR tenant = ?1) AND posted_day = ?2
        GROUP BY tenant, item, app, usage_day, source, grant_code, tier, price_version
        HAVING sum(quantity) <> 0 OR sum(amount_micros) <> 0
        ORDER BY tenant, item, usage_day, app, min(entry_id)
        """

    /// A line as it is printed.
    private struct Line {
        let values: [DatabaseValue]
        let isPrepaid: Bool
    }

    private static func lines(_ database: Database, _ arguments: StatementArguments) throws -> [Line] {
        let history = try PriceBooks.history(database)
        return try Row.fetchAll(database, sql: lines, arguments: arguments).map { row in
            let leading = ["tenant", "item", "app", "usage_day", "source", "grant_code", "tier"]
            return Line(
                values: leading.map { row[$0] } + [price(of: row, history)?.description.databaseValue ?? .null]
                    + ["quantity", "amount_micros"].map { row[$0] },
                isPrepaid: ["purchase", "refund"].contains(row["source"] as String))
        }
    }

    /// What one unit of the line costs: the tier's price in the version that rated it; nil where nothing is priced.
    private static func price(of row: Row, _ history: PriceBookHistory) -> UnitPrice? {
        guard let item = (row["item"] as String?).flatMap({ Code($0) }), let tier = row["tier"] as Int?,
            let version = row["price_version"] as Int?,
            let book = history.versions.first(where: { $0.number == version })?.book,
            case .tiers(let tiers)? = book.items[item]?.pricing
        else { return nil }
        // A ledger that somebody tampered with is shown all the same.
        return tiers.indices.contains(tier - 1) ? tiers[tier - 1].price : nil
    }

    func run() throws {
        let ledger = try options.openForReading()
        try printBills(of: ledger)
        try LedgerOptions.noteUnratedChanges(of: ledger, output.format)
    }

    private func printBills(of ledger: LedgerFile) throws {
        let (bills, lines) = try ledger.read { database in
            let tenant = try owner.known(database)
            let day = try date?.day { try options.today(database) }
            let days = try day.map { ($0, $0) } ?? span.days { try options.today(database) }
            let bills = try Row.fetchAll(
                database, sql: Self.bills, arguments: [tenant, days.0?.description, days.1?.description])
            return (bills, day == nil ? [] : try Self.lines(database, [tenant, day?.description]))
        }
        let billPrinter = RowPrinter(
            columns: [
                "tenant", "day", "status", "amount_micros", "payable_micros", "currency", "due_day", "reference_app",
            ], bills)
        let linePrinter = RowPrinter(columns: Self.lineColumns, rows: lines.map(\.values))
        guard date != nil else {
            billPrinter.print(
                output, empty: span.isEmpty && owner.tenant == nil ? "no bills" : "no bills for these options")
            return
        }
        switch output.format {
        case .text:
            billPrinter.print(output, empty: "no bill of that day")
            if !lines.isEmpty {
                Terminal.print("")
                linePrinter.printTable()
            }
            if lines.contains(where: \.isPrepaid) {
                Terminal.print("purchases and refunds are prepaid: shown, not part of the amount")
            }
        case .json:
            Terminal.print(
                "{\"bills\":\(billPrinter.json(output.numbers)),\"lines\":\(linePrinter.json(output.numbers))}")
        case .csv: Self.csv(lines, of: bills).printCSV()
        }
    }

    private static let lineColumns = [
        "tenant", "item", "app", "usage_day", "source", "grant_code", "tier", "price", "quantity", "amount_micros",
    ]

    /// Each line with the head of its bill, since a spreadsheet has no other place for it.
    private static func csv(_ lines: [Line], of bills: [Row]) -> RowPrinter {
        let leading = ["tenant", "day", "status"]
        let trailing = ["currency", "due_day"]
        var heads: [String: Row] = [:]
        for bill in bills { heads[bill["tenant"]] = bill }
        return RowPrinter(
            columns: leading + lineColumns.dropFirst() + trailing,
            rows: lines.map { line in
                let head = String.fromDatabaseValue(line.values[0]).flatMap { heads[$0] }
                func cells(_ names: [String]) -> [DatabaseValue] {
                    names.map { name in head.map { $0[name] } ?? .null }
                }
                return [line.values[0]] + cells(Array(leading.dropFirst())) + line.values.dropFirst() + cells(trailing)
            })
    }
}
