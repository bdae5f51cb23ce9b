// A ledger whose schema somebody has changed: found by verifying, and neither written nor restored.

import Foundation
import GRDB
import LedgerFixture
import Migrations
import Operations
import Storage
import TestSupport
import Testing
import Verification

@Suite("A ledger whose schema somebody has changed", .computing)
struct AlteredSchemaTests {
    struct Change: Sendable, CustomTestStringConvertible {
        let what: String
        let sql: String
        /// The sentence that names the object.
        let sentence: String

        init(_ what: String, _ sql: String, _ sentence: String) {
            (self.what, self.sql, self.sentence) = (what, sql, sentence)
        }

        var testDescription: String { what }
    }

    private static func trigger(_ type: String, _ name: String, _ shown: String) -> Change {
        Change(
            "a trigger of type \(type) with the name \(name)",
            """
            INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
            VALUES ('\(type)', '\(name)', 'usage_counter', 0,
                'CREATE TRIGGER "\(name)" AFTER INSERT ON usage_counter BEGIN DELETE FROM quarantine; END')
            """, "\(shown) on usage_counter is no part of the schema")
    }

    private static let changes = [
        Change(
            "a trigger", "CREATE TRIGGER spy AFTER INSERT ON touch BEGIN DELETE FROM quarantine; END",
            "trigger spy on touch is no part of the schema"),
        trigger("trigger", "sqlite_spy", "trigger sqlite_spy"),
        trigger("trigger", "schema_migration", "trigger schema_migration"),
        trigger("TRIGGER", "spy", "TRIGGER spy"),
        trigger("Trigger", "sqlite_stat1", "Trigger sqlite_stat1"),
        trigger("trigger", "a b \u{1B}[2J", "trigger 'a b \\u{1B}[2J'"),
        Change(
            "a unique index", "CREATE UNIQUE INDEX one_a_day ON usage_counter (posting_day, item_id)",
            "index one_a_day on usage_counter is no part of the schema"),
        Change(
            "an index", "CREATE INDEX quick ON tenant (name)", "index quick on tenant is no part of the schema"),
        Change("a view", "CREATE VIEW mine AS SELECT 1", "view mine is no part of the schema"),
        Change("a table", "CREATE TABLE mine (a)", "table mine is no part of the schema"),
        Change(
            "a table that ends like one of SQLite's", "CREATE TABLE stat1 (a)", "table stat1 is no part of the schema"),
        Change(
            "a table with the name of SQLite's statistics and other columns",
            "CREATE TABLE sqlite_stat1 (tbl, idx, stat, more)", "table sqlite_stat1 is no part of the schema"),
        Change(
            "a guard that is gone", "DROP TRIGGER ledger_entry_is_final",
            "trigger ledger_entry_is_final is missing from the schema"),
        Change(
            "an index that is gone", "DROP INDEX ledger_entry_by_bill",
            "index ledger_entry_by_bill is missing from the schema"),
        Change(
            "a guard that guards nothing",
            """
            DROP TRIGGER ledger_entry_stays;
            CREATE TRIGGER ledger_entry_stays BEFORE DELETE ON ledger_entry BEGIN SELECT 1; END
            """, "trigger ledger_entry_stays is not as the schema makes it"),
        Change(
            "a view that tells something else", "DROP VIEW bill; CREATE VIEW bill AS SELECT * FROM statement",
            "view bill is not as the schema makes it"),
        Change(
            "a table without one of its bounds",
            "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (legacy IN (0, 1))', '') WHERE name = 'tenant'",
            "table tenant is not as the schema makes it"),
        Change(
            "a table whose text ends at a NUL",
            "UPDATE sqlite_schema SET sql = CAST(CAST(sql AS BLOB) || x'00' AS TEXT) WHERE name = 'day_start'",
            "table day_start is not as the schema makes it"),
    ]

    /// A ledger with usage and entries, closed.
    private func ledger() throws -> (folder: ScratchFolder, path: String) {
        let fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(70_000, id: "1").text)
        try fixture.ledger.close()
        return (fixture.folder, fixture.path)
    }

    private func change(_ path: String, _ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA writable_schema = ON")
            try database.execute(sql: sql)
        }
        try queue.close()
    }

    @Test(
        "is found by verifying, and neither opened for writing nor restored; each names the object", arguments: changes)
    func changed(change: Change) throws {
        let (folder, path) = try ledger()
        try self.change(path, change.sql)
        let report = try Verification(file: LedgerFile.openForReading(at: path)).run { _ in }
        #expect(report.findings.map(\.check) == ["file"])
        #expect(report.findings.map(\.sentence) == [change.sentence])

        let before = try Data(contentsOf: URL(filePath: path))
        let refusal = StorageError.alteredSchema(path: path, differences: [change.sentence])
        #expect(throws: refusal) { try LedgerFile.openForWriting(at: path) }
        #expect("\(refusal)".contains(change.sentence) && "\(refusal)".contains("meterd restore"))
        #expect(throws: StorageError.alteredBackup(path: path, differences: [change.sentence])) {
            try LedgerFile.restore(path, as: folder.path("restored.db")) { _ in }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("restored.db")))
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }

    @Test("is refused when its table of steps is a view, which is not even read")
    func stepsAreAView() throws {
        let (folder, path) = try ledger()
        // It never ends.
        try change(
            path,
            """
            DROP TABLE schema_migration;
            CREATE VIEW schema_migration AS
            WITH RECURSIVE number (name) AS (SELECT 1 UNION ALL SELECT name + 1 FROM number)
            SELECT name, 'x' AS checksum FROM number
            """)
        let differences = ["table schema_migration is not as meterd makes it"]
        let refusal = StorageError.alteredSchema(path: path, differences: differences)
        #expect(throws: refusal) { try LedgerFile.openForReading(at: path) }
        #expect(throws: refusal) { try LedgerFile.openForWriting(at: path) }
        #expect(throws: StorageError.alteredBackup(path: path, differences: differences)) {
            try LedgerFile.restore(path, as: folder.path("restored.db")) { _ in }
        }
    }

    @Test("is refused by a ledger of an earlier version, too, which is compared with what its own steps make")
    func earlier() throws {
        let folder = try ScratchFolder()
        let path = folder.path("meterd.db")
        try EarlierLedger.create(at: path, steps: Array(Migrations.all.prefix(2))).close()
        try change(path, "CREATE TRIGGER spy AFTER INSERT ON touch BEGIN DELETE FROM quarantine; END")
        let differences = ["trigger spy on touch is no part of the schema"]
        #expect(throws: StorageError.alteredSchema(path: path, differences: differences)) {
            try LedgerFile.openForWriting(at: path)
        }
        #expect(throws: StorageError.alteredBackup(path: path, differences: differences)) {
            try LedgerFile.restore(path, as: folder.path("restored.db")) { _ in }
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { $0.contains("before") } == [])
        try change(path, "DROP TRIGGER spy")
        try LedgerFile.openForWriting(at: path).close()
    }

    @Test("names three differences in a message, and how many more there are")
    func many() {
        let error = StorageError.alteredSchema(path: "a.db", differences: ["a", "b", "c", "d", "e"])
        #expect("\(error)".contains("a, b, c, and 2 more differences."))
    }

    @Test("is none where SQLite has noted statistics for its planner")
    func statistics() throws {
        let (folder, path) = try ledger()
        try change(path, "ANALYZE")
        #expect(try Verification(file: LedgerFile.openForReading(at: path)).run { _ in }.findings == [])
        try LedgerFile.openForWriting(at: path).close()
        try LedgerFile.restore(path, as: folder.path("restored.db")) { _ in }
    }

    @Test("adds nothing to another tenant's counter through a unique index that came while the ledger was open")
    func uniqueIndexMeanwhile() throws {
        let fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.addTenant("bolt", apps: ["rides"])
        _ = try fixture.ingest(EventLine.calls(7, id: "1", app: "shop").text)
        try change(fixture.path, "CREATE UNIQUE INDEX one_a_day ON usage_counter (posting_day, item_id)")
        let differences = ["index one_a_day on usage_counter is no part of the schema"]
        #expect(throws: StorageError.alteredSchema(path: fixture.path, differences: differences)) {
            try fixture.ingest(EventLine.calls(1_000, id: "2", app: "rides").text)
        }
        #expect(try fixture.rows("SELECT tenant, quantity FROM usage_daily") == ["acme 7"])
        // Even where it could not be seen.
        try change(fixture.path, "DROP INDEX one_a_day")
        try fixture.execute("CREATE UNIQUE INDEX one_a_day ON usage_counter (posting_day, item_id)")
        #expect(throws: DatabaseError.self) { try fixture.ingest(EventLine.calls(1_000, id: "2", app: "rides").text) }
        #expect(try fixture.rows("SELECT tenant, quantity FROM usage_daily") == ["acme 7"])
    }

    @Test("matters the less as every conflict that SQL settles names its columns")
    func conflictTargets() throws {
        let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var clauses = 0
        for folder in ["Sources", "Migrations"] {
            let files = FileManager.default.enumerator(
                at: project.appending(path: folder), includingPropertiesForKeys: nil)
            while let file = files?.nextObject() as? URL {
                // The benchmark's are of PostgreSQL.
                guard ["swift", "sql"].contains(file.pathExtension), !file.path.contains("/Bench/") else { continue }
                let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { line in
                    !["--", "//"].contains { line.trimmingCharacters(in: .whitespaces).hasPrefix($0) }
                }
                let text = lines.joined(separator: "\n")
                clauses += text.matches(of: /ON CONFLICT \(/).count
                let bare = text.matches(of: /ON CONFLICT\s+DO|(INSERT|UPDATE) OR (IGNORE|REPLACE)\s|REPLACE INTO/)
                #expect(bare.isEmpty, "\(file.lastPathComponent): \(bare.map { $0.0 })")
            }
        }
        #expect(clauses >= 6)
    }
}
