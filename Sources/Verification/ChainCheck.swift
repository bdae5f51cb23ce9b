// Whether the ledger's entries are all there and as they were written, from its public view alone.

import Accounting
import GRDB
import Quantities
import Storage

extension Check {
    static let chain = Check(name: "chain") { database, findings in
        // The columns in the order in which they are hashed, then the hash.
        let statement = try RawStatement(
            database,
            """
            SELECT
                prev_hash, entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity,
                amount_micros, currency, price_version, run_id, reason, created_at, hash
            FROM ledger
            ORDER BY entry_id
            """)
        let hashedColumns: Int32 = 17
        var entries = 0
        var last: Int64 = 0
        while try statement.step() {
            entries += 1
            let entryID = statement.integer(1)
            if entryID != last + 1 {
                findings.add("entry \(entryID) follows entry \(last): entries are missing between them")
            }
            last = entryID
            var text: [UInt8] = []
            for column in 0..<hashedColumns {
                if column > 0 { text.append(UInt8(ascii: "\n")) }
                // NULL reads as no bytes, a number as its decimal digits.
                text.append(contentsOf: statement.bytes(column))
            }
            let hash = Chain.hexadecimal(Chain.hash(of: text))
            let stored = String(decoding: statement.bytes(17), as: UTF8.self)
            if hash != stored {
                findings.add("entry \(entryID) has hash \(stored), its columns and the entry before give \(hash)")
            }
        }
        let rows = try Int.fetchOne(database, sql: "SELECT count(*) FROM ledger_entry") ?? 0
        if rows != entries {
            findings.add("the view of the ledger shows \(entries) entries, its table holds \(rows)")
        }
        return counted(entries, "entry", plural: "entries")
    }
}
