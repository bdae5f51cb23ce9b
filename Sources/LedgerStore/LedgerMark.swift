// Where a ledger stands: what tells two copies of it apart.

import Accounting
package import GRDB

/// The last entry, and how many changes there have been, in one moment.
package struct LedgerMark: Codable, Sendable, Equatable {
    /// 0 when there are no entries.
    package let entryID: Int64
    /// The chain's head: 64 lower-case hexadecimal digits.
    package let hash: String
    package let changeCount: Int64

    package static func read(_ database: Database) throws -> LedgerMark {
        let head = try ChainHead.last(database)
        return LedgerMark(
            entryID: head.entryID, hash: head.hexadecimal, changeCount: try LedgerState.read(database).changeCount)
    }
}
