// Compares the schema of a file with what the steps of this build make. A trigger or a unique index of somebody else's
// changes what is counted without touching a row, so nothing is written to a file that has one.

import Foundation
package import GRDB
package import Migrations
import Quantities
import Synchronization

package enum LedgerSchema {
    /// One row of `sqlite_schema`, as bytes: names that differ in case or in their normal form are different names.
    private struct Object: Hashable {
        let type: [UInt8]?
        let name: [UInt8]?
        let table: [UInt8]?
        let sql: [UInt8]?

        /// What it is called.
        var key: Key { Key(type: type, name: name) }
    }

    private struct Key: Hashable {
        let type: [UInt8]?
        let name: [UInt8]?
    }

    /// What SQLite itself adds when somebody runs ANALYZE or `PRAGMA optimize`: figures for its planner, which change how
    /// fast an answer comes, never the answer.
    private static let statistics = [
        ("sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
        ("sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
    ].map { name, sql in
        Object(type: Array("table".utf8), name: Array(name.utf8), table: Array(name.utf8), sql: Array(sql.utf8))
    }

    /// What the steps make, by their texts. A test may have other steps of the same names.
    private static let made = Mutex<[[String]: [Object]]>([:])

    /// How the schema of an open database differs from what steps make.
    ///
    /// - Parameter steps: those that the file has on record.
    /// - Returns: a sentence for each difference, each naming its object; empty where there is none.
    package static func differences(_ database: Database, steps: [Migration] = Migrations.all) throws -> [String] {
        let expected = try objects(of: steps)
        let found = try objects(database)
        // Their order in the file tells nothing: a trigger that was dropped and made again comes last.
        guard Set(found) != Set(expected) || found.count != expected.count else { return [] }
        let foundByKey = Dictionary(grouping: found, by: \.key)
        let expectedKeys = Set(expected.map(\.key))
        let wrong = expected.compactMap { object -> String? in
            guard let same = foundByKey[object.key] else { return "\(shown(object)) is missing from the schema" }
            return same == [object] ? nil : "\(shown(object)) is not as the schema makes it"
        }
        let added = found.filter { !expectedKeys.contains($0.key) && !statistics.contains($0) }
        return wrong.sorted() + added.map { "\(shown($0, withTable: true)) is no part of the schema" }.sorted()
    }

    /// Whether the table of steps is the one that this program makes; only then is it read. SQLite lets no second table or
    /// view have its name.
    static func recordsSteps(_ database: Database) throws -> Bool {
        Set(try objects(database)).isSuperset(of: try objects(of: []))
    }

    private static func objects(of steps: [Migration]) throws -> [Object] {
        let texts = steps.map(\.sql)
        if let known = made.withLock({ $0[texts] }) { return known }
        let result = try DatabaseQueue().write { database in
            let migrator = SchemaMigrator(migrations: steps)
            try migrator.prepare(database)
            try migrator.apply(steps, to: database)
            return try objects(database)
        }
        made.withLock { $0[texts] = result }
        return result
    }

    private static func objects(_ database: Database) throws -> [Object] {
        // As blobs: a text that holds NUL would be cut there.
        try Row.fetchAll(
            database,
            sql: """
                SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB)
                FROM main.sqlite_schema
                """
        ).map { row in
            Object(type: bytes(row, 0), name: bytes(row, 1), table: bytes(row, 2), sql: bytes(row, 3))
        }
    }

    private static func bytes(_ row: Row, _ index: Int) -> [UInt8]? { (row[index] as Data?).map { Array($0) } }

    /// `trigger spy on touch`.
    private static func shown(_ object: Object, withTable: Bool = false) -> String {
        let name = "\(shown(object.type)) \(shown(object.name))"
        return withTable && object.table != object.name ? "\(name) on \(shown(object.table))" : name
    }

    /// Somebody else has chosen the name: what is more than a plain one is shown in quotes, without control characters.
    private static func shown(_ name: [UInt8]?) -> String {
        guard let name else { return "NULL" }
        let isPlain = name.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (48...57).contains(byte) || (97...122).contains(byte | 0x20)
        }
        guard !isPlain || name.isEmpty else { return String(decoding: name, as: UTF8.self) }
        return "'\(String(decoding: name.prefix(100), as: UTF8.self).fitToShow)'"
    }
}
