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
            Under a test clock statuses go by the latest arrival or run that the ledger has recorded, not by --now.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @OptionGroup var owner: TenantFilter

    @OptionGroup var span: MonthSpan

    func run() throws {
        let ledger = try options.openForReading()
        let rows = try ledger.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT *
                    FROM statement
                    WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR month >= ?2) AND (?3 IS NULL OR month <= ?3)
                    ORDER BY tenant, month
                    """,
                arguments: [try owner.known(database), span.first?.description, span.last?.description])
        }
        RowPrinter(
            columns: [
                "tenant", "month", "status", "amount_micros", "payable_micros", "remainder_micros", "currency",
            ], rows
        ).print(output, empty: "no statements")
        try LedgerOptions.noteUnratedChanges(of: ledger, output.format)
    }
}
