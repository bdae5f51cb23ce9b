// What two ledgers must have in common to be the same.

import GRDB
import Storage

package enum LedgerContents {
    /// All that a ledger says, without the numbers and times of its runs: rows, sorted, so as a multiset, by view.
    package static func read(at path: String) throws -> [String: [String]] {
        let queries = [
            "ledger": """
            SELECT posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity, amount_micros,
                currency, price_version, reason
            FROM ledger
            """,
            "usage_daily": "SELECT * FROM usage_daily",
            "mau": "SELECT * FROM mau",
            // One column: they are many.
            "counted_device": """
            SELECT app || ' ' || item || ' ' || month || ' ' || usage_day || ' ' || posted_day || ' ' || device
            FROM counted_device
            """,
            "usage_event": "SELECT * FROM usage_event",
            "grant_balance": "SELECT * FROM grant_balance",
            "bill": "SELECT * FROM bill",
            "statement": "SELECT * FROM statement",
            "tenant": "SELECT code, name, legacy FROM tenant",
            "app": "SELECT app.code, app.name, tenant.code FROM app JOIN tenant USING (tenant_id)",
            "price_book_version": "SELECT version, effective_day, hex(yaml) FROM price_book_version",
            "quarantine": "SELECT code, reason, source, id, hex(event) FROM quarantine",
            "integrity": "PRAGMA integrity_check",
        ]
        return try LedgerFile.openForReading(at: path).read { database in
            try queries.mapValues { try LedgerFixture.rows(database, $0).sorted() }
        }
    }
}
