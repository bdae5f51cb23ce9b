// Making a new ledger: its file, its properties, its first price book.

import LedgerStore
import PriceBookFile
package import Quantities
import Rating
import Storage

/// The choices of `init`, none of which can be changed later (Billing rules, sections 1, 3 and 4).
package struct LedgerCreation: Sendable {
    package var timeZone = "Asia/Shanghai"
    package var hasTestClock = false
    package var finality = FinalityRule(finalAfterDays: 3, maxAgeDays: 35)
    /// The text of a price book file.
    package var priceBook = PriceBookFile.builtIn

    /// When it is made; the system's time unless given. The ledger records it, unless it has a test clock.
    package var now: Instant?

    package init() {}

    /// - Throws: ``StorageError/alreadyThere(_:)``, ``LedgerError/unknownTimeZone(_:)``, `PriceBookProblems`; then no
    ///   file is left behind, unless it is the folder that can't be synced.
    package func create(at path: String) throws -> OpenLedger {
        _ = try LedgerProperties.timeZone(named: timeZone)
        let book = try PriceBookFile.read(priceBook)
        let now = now ?? MachineClock.systemWall()
        let file = try LedgerFile.create(at: path) { database in
            try LedgerProperties.create(
                database, timeZone: timeZone, hasTestClock: hasTestClock, finality: finality, currency: book.currency,
                at: now)
            try PriceBooks.create(book, yaml: priceBook, at: now, database)
        }
        return try OpenLedger(file: file)
    }
}
