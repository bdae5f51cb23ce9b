// Ledgers as earlier versions of meterd have made them.

package import GRDB
import LedgerStore
package import Migrations
import PriceBookFile
import Quantities
import Rating
package import Storage

package enum EarlierLedger {
    /// Makes a ledger with a test clock by a part of the schema's steps, as a meterd that knew no other.
    ///
    /// - Parameters:
    ///   - steps: the first ones.
    ///   - fill: puts in what those steps have a place for.
    package static func create(
        at path: String, steps: [Migration], fill: (Database) throws -> Void = { _ in }
    ) throws -> LedgerFile {
        let yaml = PriceBookFile.builtIn
        let book = try PriceBookFile.read(yaml)
        let now = try LedgerFixture.instant("2027-01-10T12:00:00Z")
        return try LedgerFile.create(at: path, migrations: steps) { database in
            try LedgerProperties.create(
                database, timeZone: "UTC", hasTestClock: true,
                finality: FinalityRule(finalAfterDays: 3, maxAgeDays: 35), currency: book.currency, at: now)
            try PriceBooks.create(book, yaml: yaml, at: now, database)
            try fill(database)
        }
    }

    /// Makes a ledger what a meterd before a step of the schema would have left, where the step makes nothing but views.
    package static func forget(step: String, at path: String) throws {
        let file = try LedgerFile.openForWriting(at: path)
        try file.write { database in
            for view in try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'view'") {
                try database.execute(sql: "DROP VIEW \(view)")
            }
            try database.execute(sql: "DELETE FROM schema_migration WHERE name = ?", arguments: [step])
        }
        try file.close()
    }
}
