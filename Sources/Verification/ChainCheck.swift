// Whether the ledger's entries are all there and as they were written, from its public view alone.

import Accounting
import GRDB
import LedgerStore
import Quantities
import Storage

extension Check {
    static var chain: Check {
        Check(name: "chain") { slices, findings in
            var last: Int64 = 0
            var (entries, rows) = (0, 0)
            // The columns in the order in which they are hashed, then the hash.
            let view = EntryRows(
                """
                prev_hash, entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity,
                amount_micros, currency, price_version, run_id, reason, created_at, hash
                """, from: "ledger")
            let hashedColumns: Int32 = 17
            var text: [UInt8] = []
            try slices.readUntil { database in
                try view.takeIn(database, atMost: slices.bounds.rowsPerSlice) { range in
                    rows += try count(range, database)
                } _: { row in
                    entries += 1
                    let entryID = row.integer(1)
                    if entryID != last + 1 {
                        findings.add(
                            "entry \(entryID) follows entry \(last): entries are missing between them")
                    }
                    text.removeAll(keepingCapacity: true)
                    for column in 0..<hashedColumns {
                        if column > 0 { text.append(UInt8(ascii: "\n")) }
                        // NULL reads as no bytes, a number as its decimal digits.
                        text.append(contentsOf: row.bytes(column))
                    }
                    let hash = Chain.hash(of: text)
                    let stored = row.bytes(hashedColumns)
                    if !Chain.digits(of: hash).elementsEqual(stored) {
                        findings.add(
                            "entry \(entryID) has hash \(String(decoding: stored, as: UTF8.self)), its columns and the "
                                + "entry before give \(Chain.hexadecimal(hash))")
                    }
                    last = entryID
                }
            }
            if rows != entries {
                // An entry whose tenant is gone is none in the view.
                findings.add("the view of the ledger shows \(entries) entries, its table holds \(rows)")
            }
            if entries > 0 { findings.chainHead = try slices.read { try ChainHead.last(through: last, $0) } }
            return counted(entries, "entry", plural: "entries")
        }
    }

    private static func count(_ range: ClosedRange<Int64>, _ database: Database) throws -> Int {
        try Int.fetchOne(
            database, sql: "SELECT count(*) FROM ledger_entry WHERE entry_id BETWEEN ? AND ?",
            arguments: [range.lowerBound, range.upperBound]) ?? 0
    }

    /// Whether the ledger still has an entry that was noted elsewhere.
    static func head(expected: ChainHead) -> Check {
        Check(name: Verification.headCheckName) { slices, findings in
            let found = try slices.read { try ChainHead.last(through: expected.entryID, $0) }
            if found.entryID != expected.entryID {
                findings.add("entry \(expected.entryID) is not there: the ledger ends with entry \(found.entryID)")
            } else if found != expected {
                findings.add(
                    "entry \(expected.entryID) has hash \(found.hexadecimal); when it was noted it had "
                        + expected.hexadecimal)
            }
            return "entry \(expected.entryID)"
        }
    }
}
