// Sees when another program changes the schema of a file that is open for writing.

import GRDB

/// Compares the schema again whenever SQLite's number of it has changed. A trigger that somebody adds works from the next
/// transaction on, in whatever process has the file open.
///
/// Used only by who has the file's connection, inside its transactions.
final class SchemaWatch: @unchecked Sendable {
    private let path: String
    private let migrator: SchemaMigrator
    /// `PRAGMA schema_version`, which SQLite raises with each change. It is read from a page that every transaction has in
    /// memory anyway: a fifth of a microsecond.
    private var statement: RawStatement?
    /// The number of the schema that was compared last; nil before the first time.
    private var compared: Int64?

    /// - Parameter migrator: of the steps that the file has.
    init(path: String, migrator: SchemaMigrator) {
        self.path = path
        self.migrator = migrator
    }

    /// Notes a number of the schema that was just compared, or that this process has made itself and committed.
    func note(_ version: Int64) { compared = version }

    /// Sees that the schema is the one that the steps make.
    ///
    /// - Throws: ``StorageError/alteredSchema(path:differences:)``; asked again, it compares again.
    func check(_ database: Database) throws {
        let version = try version(database)
        guard version != compared else { return }
        try migrator.checkSchema(database, lacking: [], path: path)
        compared = version
    }

    /// A prepared statement would keep the connection from closing.
    func end() { statement = nil }

    /// The number of the schema, as this transaction sees it.
    func version(_ database: Database) throws -> Int64 {
        let statement = try statement ?? RawStatement(database, "PRAGMA main.schema_version")
        self.statement = statement
        defer { statement.reset() }
        guard try statement.step() else { preconditionFailure("a database has a schema") }
        return statement.integer(0)
    }
}
