// Where the ledger's chain ends, or ended once.

package import Accounting
import Foundation
package import GRDB

extension ChainHead {
    /// The last entry, or the last one through a number; the beginning of the chain when there is none.
    package static func last(through entryID: Int64 = .max, _ database: Database) throws -> ChainHead {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT entry_id, hash FROM ledger_entry WHERE entry_id <= ? ORDER BY entry_id DESC LIMIT 1",
            arguments: [entryID])
        return row.map { ChainHead(entryID: $0["entry_id"], hash: [UInt8]($0["hash"] as Data)) } ?? .origin
    }
}
