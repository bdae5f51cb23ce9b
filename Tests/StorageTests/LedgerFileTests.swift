// The file: how it is made, opened, locked, brought up, and read beside its writer.

import Foundation
import GRDB
import LedgerFixture
import Storage
import Testing

@testable import Migrations

@Suite("A ledger's file")
struct LedgerFileTests {
    private static let steps = [
        Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT) STRICT;"),
        Migration(
            name: "0002-second", sql: "ALTER TABLE fact ADD COLUMN more TEXT; INSERT INTO fact (text) VALUES ('new');"),
    ]

    private func create(_ path: String, _ steps: [Migration] = steps) throws {
        _ = try LedgerFile.create(at: path, migrations: steps) { database in
            try database.execute(sql: "INSERT INTO fact (text) VALUES ('old')")
        }
    }

    private func facts(_ path: String, _ steps: [Migration] = steps) throws -> [String] {
        try LedgerFile.openForReading(at: path, migrations: steps).read {
            try String.fetchAll($0, sql: "SELECT text FROM fact ORDER BY id")
        }
    }

    // MARK: Making

    @Test("A file is made once, with every step on record, and never overwritten")
    func making() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        #expect(try facts(path) == ["new", "old"])
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        let recorded = try file.read {
            try LedgerFixture.rows($0, "SELECT name, length(checksum) FROM schema_migration")
        }
        #expect(recorded == ["0001-first 64", "0002-second 64"])
        #expect(throws: StorageError.alreadyThere(path)) { try create(path) }
        #expect(try facts(path) == ["new", "old"])
        let other = folder.path("notes.txt")
        try "mine".write(toFile: other, atomically: false, encoding: .utf8)
        #expect(throws: StorageError.alreadyThere(other)) { try create(other) }
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "mine")
    }

    @Test("What an attempt that was killed has left behind is in nobody's way")
    func killedMaking() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        for suffix in [".making", ".making-wal", ".making-shm", ".lock"] {
            try "half a file".write(toFile: path + suffix, atomically: false, encoding: .utf8)
        }
        #expect(throws: StorageError.noSuchFile(path)) { try facts(path) }
        try create(path)
        #expect(try facts(path) == ["new", "old"])
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { $0.contains("making") }
        #expect(left == [])
    }

    @Test("When filling it fails there is no file, and the next attempt succeeds")
    func failedMaking() throws {
        struct Stop: Error {}
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        #expect(throws: Stop.self) {
            _ = try LedgerFile.create(at: path, migrations: Self.steps) { _ in throw Stop() }
        }
        for suffix in ["", "-wal", "-shm"] { #expect(!FileManager.default.fileExists(atPath: path + suffix)) }
        try create(path)
        #expect(try facts(path) == ["new", "old"])
    }

    // MARK: Opening

    @Test("Without a file, or with one that is no ledger, opening says so and changes nothing")
    func noLedger() throws {
        let folder = try ScratchFolder()
        let missing = folder.path("missing.db")
        #expect(throws: StorageError.noSuchFile(missing)) { try LedgerFile.openForWriting(at: missing) }
        #expect(throws: StorageError.noSuchFile(missing)) { try LedgerFile.openForReading(at: missing) }
        #expect(!FileManager.default.fileExists(atPath: missing))

        let text = folder.path("notes.txt")
        try String(repeating: "no database at all\n", count: 400).write(
            toFile: text, atomically: false, encoding: .utf8)
        let foreign = folder.path("foreign.db")
        let other = try DatabaseQueue(path: foreign)
        try other.write { try $0.execute(sql: "CREATE TABLE thing (id INTEGER)") }
        try other.close()
        for path in [text, foreign] {
            let before = try Data(contentsOf: URL(filePath: path))
            #expect(throws: StorageError.notALedger(path)) { try LedgerFile.openForWriting(at: path) }
            #expect(throws: StorageError.notALedger(path)) { try LedgerFile.openForReading(at: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == before, "\(path) was changed")
        }
    }

    @Test("Commits are durable: the WAL is synced at each, and stays after the last connection has closed")
    func durability() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        do {
            let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
            let settings = try file.read { database in
                [
                    try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                    try String.fetchOne(database, sql: "PRAGMA synchronous"),
                    try String.fetchOne(database, sql: "PRAGMA foreign_keys"),
                ]
            }
            #expect(settings == ["wal", "2", "1"])
            try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('later')") }
        }
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(try facts(path) == ["new", "old", "later"])
    }

    @Test("The log is moved into the file between commits, sooner when nothing else is to be done; a commit bounds it")
    func log() throws {
        let folder = try ScratchFolder()
        for (isIdle, mostPages) in [(true, 1_100), (false, 3_200), (nil, 4_300)] as [(Bool?, Int)] {
            let path = folder.path("\(mostPages).db")
            try create(path)
            let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
            for number in 0..<1_500 {
                // Some eight pages each.
                try file.write {
                    try $0.execute(
                        sql: "INSERT INTO fact (text) VALUES (hex(zeroblob(15000)) || ?)", arguments: [number])
                }
                if let isIdle { try file.checkpointIfDue(whileIdle: isIdle) }
            }
            let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int ?? 0
            #expect(size > mostPages / 2 * 4_120)
            #expect(size < mostPages * 4_120, "\(size / 4_120) pages")
            try file.close()
        }
    }

    @Test("A second writer waits, then is told who holds the lock; a freed lock is taken")
    func lock() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        var first: LedgerFile? = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        var told: [String] = []
        let start = ContinuousClock.now
        #expect(throws: StorageError.locked(path: path, holder: "process \(getpid())")) {
            _ = try LedgerFile.openForWriting(at: path, waitSeconds: 1, migrations: Self.steps) { told.append($0) }
        }
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(told == ["process \(getpid())"])
        #expect(first != nil)
        first = nil
        _ = try LedgerFile.openForWriting(at: path, waitSeconds: 0, migrations: Self.steps) { told.append($0) }
        #expect(told.count == 1)
    }

    @Test("A reader works beside a writer: it sees what is committed, not what is under way, and can't write")
    func reader() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        let writer = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        let reader = try LedgerFile.openForReading(at: path, migrations: Self.steps)
        func count() throws -> Int? { try reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } }
        try writer.write { database in
            try database.execute(sql: "INSERT INTO fact (text) VALUES ('under way')")
            #expect(try count() == 2)
        }
        #expect(try count() == 3)
        #expect(throws: DatabaseError.self) { try reader.write { try $0.execute(sql: "DELETE FROM fact") } }
        #expect(try count() == 3)
    }

    @Test("A transaction that throws, or is rolled back on purpose, leaves nothing")
    func rollback() throws {
        struct Stop: Error {}
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        #expect(throws: Stop.self) {
            try file.write { database in
                try database.execute(sql: "DELETE FROM fact")
                throw Stop()
            }
        }
        let seen = try file.rolledBack { database in
            try database.execute(sql: "DELETE FROM fact")
            return try Int.fetchOne(database, sql: "SELECT count(*) FROM fact")
        }
        #expect(seen == 0)
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == 2)
    }

    // MARK: The schema's steps

    @Test("A file with fewer steps is backed up, then brought up, each step once")
    func migration() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let older = [Self.steps[0]]
        try create(path, older)
        #expect(throws: StorageError.olderSchema(path: path, migration: "0002-second")) {
            try LedgerFile.openForReading(at: path, migrations: Self.steps)
        }
        for _ in 0..<2 {
            _ = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
            #expect(try facts(path) == ["old", "new"])
        }
        let backup = path + ".before-0002-second"
        #expect(try facts(backup, older) == ["old"])
    }

    @Test("A step that fails leaves the file as it was")
    func failingStep() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path, [Self.steps[0]])
        let broken = Migration(name: "0002-second", sql: "DELETE FROM fact; CREATE TABLE fact (id INTEGER);")
        #expect(throws: DatabaseError.self) {
            try LedgerFile.openForWriting(at: path, migrations: [Self.steps[0], broken])
        }
        #expect(try facts(path, [Self.steps[0]]) == ["old"])
        _ = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        #expect(try facts(path) == ["old", "new"])
    }

    @Test("A step whose text has changed, and a step that this build does not know, are refused")
    func otherSteps() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        try create(path)
        let changed = [Migration(name: "0001-first", sql: Self.steps[0].sql + " "), Self.steps[1]]
        let error = StorageError.changedMigration(path: path, migration: "0001-first")
        #expect(throws: error) { try LedgerFile.openForWriting(at: path, migrations: changed) }
        #expect(throws: error) { try LedgerFile.openForReading(at: path, migrations: changed) }
        let newer = StorageError.newerSchema(path: path, migration: "0002-second")
        #expect(throws: newer) { try LedgerFile.openForWriting(at: path, migrations: [Self.steps[0]]) }
        #expect(throws: newer) { try LedgerFile.openForReading(at: path, migrations: [Self.steps[0]]) }
        #expect(newer.isNewerSchema && !error.isNewerSchema)
        #expect(try facts(path) == ["new", "old"])
    }
}
