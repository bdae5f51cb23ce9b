// The schema's history: the .sql files of this folder, in the order of their names, embedded by the build.

/// One step of the schema.
package struct Migration: Sendable {
    /// The file's name without `.sql`: `0001-ledger`. Names sort in the order of application.
    package let name: String
    /// The statements, exactly as the file has them.
    package let sql: String
}

package enum Migrations {
    /// Every migration that this build knows, oldest first.
    package static let all: [Migration] = embeddedMigrations
}
