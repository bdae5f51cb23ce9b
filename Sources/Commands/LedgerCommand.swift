// meterd ledger: prints entries.

import ArgumentParser
import GRDB
import Quantities
import Storage

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Print ledger entries, as of the last rating.",
        discussion: """
            Text leaves out the columns that few people need (currency, run, times, hashes); json and csv have every \
            column, csv also the status and the due day of the bill that an entry is on. --from, --to and --month are of \
            posting days.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var filter: RowFilter

    private static let sql = """
        SELECT
            *,
            CASE
                WHEN unixepoch(posted_day) / 86400 <= (SELECT settled_through FROM ledger_state) THEN 'final'
                WHEN unixepoch(posted_day) / 86400 + (SELECT final_after_days FROM ledger_property)
                    <= (SELECT today FROM clock_day)
                THEN 'unrated'
                ELSE 'draft'
            END AS status,
            (
                SELECT
                    date((max(settled_day.day + final_after_days, settled_on) + payment_term_days) * 86400, 'unixepoch')
                FROM settled_day, ledger_property
                WHERE settled_day.day = unixepoch(posted_day) / 86400
            ) AS due_day
        FROM ledger
        WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR app = ?2) AND (?3 IS NULL OR item = ?3)
            AND (?4 IS NULL OR posted_day >= ?4) AND (?5 IS NULL OR posted_day <= ?5)
        ORDER BY entry_id
        """

    private static let short = [
        "entry_id", "posted_day", "usage_day", "tenant", "app", "item", "source", "grant_code", "tier", "quantity",
        "amount_micros", "reason",
    ]
    private static let full = [
        "entry_id", "posted_day", "usage_day", "tenant", "app", "item", "source", "grant_code", "tier", "quantity",
        "amount_micros", "currency", "price_version", "run_id", "reason", "created_at", "prev_hash", "hash",
    ]

    /// A spreadsheet has no other place to learn whether an entry's bill is final, and when it is due.
    private var columns: [String] {
        switch output.format {
        case .text: Self.short
        case .json: Self.full
        case .csv: Self.full + ["status", "due_day"]
        }
    }

    func run() throws {
        let ledger = try options.openForReading()
        let rows = try ledger.read { database in
            try Row.fetchAll(database, sql: Self.sql, arguments: filter.arguments(options, database))
        }
        RowPrinter(columns: columns, rows)
            .print(
                output,
                empty: filter.isEmpty
                    ? "no entries; rate a day with 'meterd rate --date today'" : "no entries for these options")
        try LedgerOptions.noteUnratedChanges(of: ledger, output.format)
    }
}
