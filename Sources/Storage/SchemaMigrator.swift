// Brings a file's schema up to this build's: each step once, in order, with its name and checksum on record.

import Crypto
import Foundation
import GRDB
package import Migrations

package struct SchemaMigrator {
    /// The table of the steps that a file has.
    static let table = "schema_migration"

    private let migrations: [Migration]

    package init(migrations: [Migration] = Migrations.all) { self.migrations = migrations }

    private struct Applied {
        let name: String
        let checksum: String
    }

    /// Whether steps of this build are still to be applied.
    ///
    /// - Throws: ``StorageError`` for a file of a newer build, or one whose steps had another text.
    func pending(_ database: Database, path: String) throws -> [Migration] {
        guard try LedgerSchema.recordsSteps(database) else {
            throw StorageError.alteredSchema(path: path, differences: ["table \(Self.table) is not as meterd makes it"])
        }
        let applied = try Row.fetchAll(database, sql: "SELECT name, checksum FROM schema_migration ORDER BY name")
            .map { Applied(name: $0["name"], checksum: $0["checksum"]) }
        for step in applied {
            guard let known = migrations.first(where: { $0.name == step.name }) else {
                throw StorageError.newerSchema(path: path, migration: step.name)
            }
            guard Self.checksum(known) == step.checksum else {
                throw StorageError.changedMigration(path: path, migration: step.name)
            }
        }
        let names = Set(applied.map(\.name))
        return migrations.filter { !names.contains($0.name) }
    }

    /// Sees that a file holds what its steps make, and nothing else.
    ///
    /// - Parameter pending: the steps that it lacks.
    /// - Throws: ``StorageError/alteredSchema(path:differences:)``.
    func checkSchema(_ database: Database, lacking pending: [Migration], path: String) throws {
        let missing = Set(pending.map(\.name))
        let differences = try LedgerSchema.differences(
            database, steps: migrations.filter { !missing.contains($0.name) })
        guard differences.isEmpty else { throw StorageError.alteredSchema(path: path, differences: differences) }
    }

    /// Makes the table of steps in a new file.
    func prepare(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE \(Self.table) (
                    name TEXT PRIMARY KEY,
                    -- SHA-256 of the step's text: a step that was applied is never edited.
                    checksum TEXT NOT NULL
                ) STRICT, WITHOUT ROWID
                """)
    }

    /// Applies steps inside the transaction that is open.
    func apply(_ steps: [Migration], to database: Database) throws {
        for step in steps {
            try database.execute(sql: step.sql)
            try database.execute(
                sql: "INSERT INTO schema_migration (name, checksum) VALUES (?, ?)",
                arguments: [step.name, Self.checksum(step)])
        }
    }

    private static func checksum(_ migration: Migration) -> String {
        SHA256.hash(data: Data(migration.sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
