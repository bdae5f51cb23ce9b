// meterd statement: a tenant's month.

import ArgumentParser
import GRDB
import Quantities
import Storage

struct StatementCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement", abstract: "Print statements: the bills of a tenant's month, added up.",
        discussion: """
            The remainder is the part of the month's amount that is below the currency's minor unit. It is never payable. \
            csv also has the day on which the last bill of the month is due, once the statement is final. \
            Under a test clock statuses go by the latest arrival or run that the ledger has recorded, not by --now.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @OptionGroup var owner: TenantFilter

    @OptionGroup var span: MonthSpan

    private static let columns = [
        "tenant", "month", "status", "amount_micros", "payable_micros", "remainder_micros", "currency",
    ]

    private static let sql = """
        SELECT *
        FROM statement
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR month >= ?2) AND (?3 IS NULL OR month <= ?3)
        ORDER BY tenant, month
        """

    private static let sqlWithDueDay = """
        WITH last_due (tenant, month, due_day) AS (
            SELECT tenant, substr(day, 1, 7), max(due_day) FROM bill GROUP BY tenant, substr(day, 1, 7)
        )
        SELECT statement.*, CASE WHEN statement.status = 'final' THEN last_due.due_day END AS due_day
        FROM statement
        LEFT JOIN last_due USING (tenant, month)
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR month >= ?2) AND (?3 IS NULL OR month <= ?3)
        ORDER BY tenant, month
        """

    func run() throws {
        let isForSpreadsheet = output.format == .csv
        let ledger = try options.openForReading()
        let rows = try ledger.read { database in
            try Row.fetchAll(
                database, sql: isForSpreadsheet ? Self.sqlWithDueDay : Self.sql,
                arguments: [try owner.known(database), span.first?.description, span.last?.description])
        }
        RowPrinter(columns: Self.columns + (isForSpreadsheet ? ["due_day"] : []), rows)
            .print(output, empty: "no statements")
        try LedgerOptions.noteUnratedChanges(of: ledger, output.format)
    }
}
