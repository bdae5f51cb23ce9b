// The versions of the price book in the file, and the items that they brought.

package import GRDB
import PriceBookFile
package import Quantities
package import Rating
package import Storage

/// What applying a price book did, or would do.
package struct PriceBookApplication: Sendable {
    package let recording: Recording
    /// The new version; the one in force when the book was that one already.
    package let version: PriceBookVersion
    /// The number of the version that was the latest before.
    package let earlier: Int
    /// What is not as in that version.
    package let differences: [PriceBookDifference]
}

package enum PriceBooks {
    /// Stores the first version, at `init`.
    package static func create(_ book: PriceBook, yaml: String, at now: Instant, _ database: Database) throws {
        try insert(PriceBookVersion(number: 1, book: book), yaml: yaml, at: now, database)
    }

    /// Applies a later version; the version in force again changes nothing.
    ///
    /// - Throws: ``Rating/VersionObjection``.
    package static func apply(
        _ book: PriceBook, yaml: String, earliestOpenDay: Day, at now: Instant, _ database: Database
    ) throws -> PriceBookApplication {
        let history = try history(database)
        let latest = history.latest
        if latest.book == book {
            return PriceBookApplication(
                recording: .alreadyRecorded, version: latest, earlier: latest.number, differences: [])
        }
        try history.check(next: book, earliestOpenDay: earliestOpenDay)
        let version = PriceBookVersion(number: latest.number + 1, book: book)
        try insert(version, yaml: yaml, at: now, database)
        try LedgerState.noteChange(database)
        return PriceBookApplication(
            recording: .recorded, version: version, earlier: latest.number,
            differences: book.differences(from: latest.book))
    }

    private static func insert(
        _ version: PriceBookVersion, yaml: String, at now: Instant, _ database: Database
    ) throws {
        let yaml = try bindable(yaml, as: "the price book")
        try database.execute(
            sql: "INSERT INTO price_book_version (version, effective_day, applied_at, yaml) VALUES (?, ?, ?, ?)",
            arguments: [version.number, version.book.effective.number, now.micros, yaml])
        for item in version.book.items.values.sorted(by: { $0.code < $1.code }) {
            // A code that was a licence only may become an item.
            try database.execute(
                sql: """
                    INSERT INTO item (code, aggregation)
                    VALUES (?, ?)
                    ON CONFLICT (code) DO UPDATE SET aggregation = excluded.aggregation WHERE aggregation = 'licence'
                    """,
                arguments: [item.code.text, item.aggregation.rawValue])
        }
    }

    /// - Parameter known: what was read before; a version never changes, so only later ones are read.
    package static func history(_ database: Database, known: PriceBookHistory? = nil) throws -> PriceBookHistory {
        let currency = try String.fetchOne(database, sql: "SELECT currency FROM ledger_property")
        let later = try Row.fetchAll(
            database, sql: "SELECT version, yaml FROM price_book_version WHERE version > ? ORDER BY version",
            arguments: [known?.latest.number ?? 0]
        ).map { row in
            PriceBookVersion(
                number: row["version"], book: try PriceBookFile.read(row["yaml"], recordedCurrency: currency))
        }
        return PriceBookHistory(versions: (known?.versions ?? []) + later)
    }

    /// The text of a version as it was applied, the latest unless numbered.
    package static func yaml(version: Int?, _ database: Database) throws -> String? {
        try String.fetchOne(
            database,
            sql: "SELECT yaml FROM price_book_version WHERE ?1 IS NULL OR version = ?1 ORDER BY version DESC LIMIT 1",
            arguments: [version])
    }

    package static func itemIDs(_ database: Database) throws -> [Code: ItemID] {
        var ids: [Code: ItemID] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT item_id, code FROM item") {
            ids[stored(row["code"])] = ItemID(row["item_id"])
        }
        return ids
    }

    /// The id under which ledger entries name an item or a licence, made if it is new.
    static func licenceID(_ code: Code, _ database: Database) throws -> ItemID {
        try database.execute(
            sql: "INSERT INTO item (code, aggregation) VALUES (?, 'licence') ON CONFLICT (code) DO NOTHING",
            arguments: [code.text])
        guard let id = try itemIDs(database)[code] else { preconditionFailure("an item was just stored") }
        return id
    }
}
