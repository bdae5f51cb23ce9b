// Where a ledger stands: what tells two copies of it apart.

import Accounting
import Foundation
package import GRDB

/// The last entry, and how many changes there have been, in one moment.
package struct LedgerMark: Codable, Sendable, Equatable {
    /// 0 when there are no entries.
    package let entryID: Int64
    /// The chain's head: 64 lower-case hexadecimal digits.
    package let hash: String
    package let changeCount: Int64

    package static func read(_ database: Database) throws -> LedgerMark {
        let last = try Row.fetchOne(
            database, sql: "SELECT entry_id, hash FROM ledger_entry ORDER BY entry_id DESC LIMIT 1")
        return LedgerMark(
            entryID: last?["entry_id"] ?? 0,
            hash: Chain.hexadecimal(last.map { [UInt8]($0["hash"] as Data) } ?? Chain.origin),
            changeCount: try LedgerState.read(database).changeCount)
    }
}
