// meterd usage: quantities by day or month.

import ArgumentParser
import GRDB
import Quantities
import Storage

struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Print quantities, exact as of the last stored event.",
        discussion: """
            By day: quantity counts (and bills) each device once a month, on its first day; active_devices counts each \
            device every day. By month: the unique devices or the sum of the month. --from, --to and --month are of \
            usage days.
            """)

    enum Period: String, ExpressibleByArgument, CaseIterable { case day, month }

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var filter: RowFilter

    @Option(help: "Print a row for each day or for each month.")
    var by = Period.day

    private static let byDay = """
        SELECT tenant, app, item, usage_day, posted_day, quantity, active_devices
        FROM usage_daily
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR app = ?2) AND (?3 IS NULL OR item = ?3)
            AND (?4 IS NULL OR usage_day >= ?4) AND (?5 IS NULL OR usage_day <= ?5)
        ORDER BY tenant, app, item, usage_day, posted_day
        """

    private static let byMonth = """
        SELECT tenant, app, item, substr(usage_day, 1, 7) AS month, sum(quantity) AS quantity
        FROM usage_daily
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR app = ?2) AND (?3 IS NULL OR item = ?3)
            AND (?4 IS NULL OR usage_day >= ?4) AND (?5 IS NULL OR usage_day <= ?5)
        GROUP BY tenant, app, item, month
        ORDER BY tenant, app, item, month
        """

    func run() throws {
        let rows = try options.openForReading().read { database in
            try Row.fetchAll(
                database, sql: by == .day ? Self.byDay : Self.byMonth, arguments: filter.arguments(options, database))
        }
        let columns =
            by == .day
            ? ["tenant", "app", "item", "usage_day", "posted_day", "quantity", "active_devices"]
            : ["tenant", "app", "item", "month", "quantity"]
        RowPrinter(columns: columns, rows).print(output, empty: "no usage")
    }
}
