// The file: how it is made, opened, locked, brought up, and read beside its writer.

import Foundation
import GRDB
import GRDBSQLite
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("A ledger's file", .computing)
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

    /// A new file, open for writing.
    private func opened(_ path: String) throws -> LedgerFile {
        try create(path)
        return try LedgerFile.openForWriting(at: path, migrations: Self.steps)
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

    @Test("It is not made beside the log of a ledger that was moved away, which SQLite would take for its own")
    func staleLog() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let old = try opened(path)
        try old.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('in the log')") }
        // As they lie there when the process that has them open is killed.
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: folder.path("killed.db") + suffix)
        }
        try old.close()
        for suffix in ["", "-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + suffix) }
        let moved = folder.path("moved.db")
        try FileManager.default.moveItem(atPath: folder.path("killed.db"), toPath: moved)
        try FileManager.default.moveItem(atPath: folder.path("killed.db-wal"), toPath: path + "-wal")
        #expect(throws: StorageError.leftBehind(log: path + "-wal", of: path)) { try create(path) }
        // As the message says.
        try FileManager.default.moveItem(atPath: path + "-wal", toPath: moved + "-wal")
        try create(path)
        #expect(try facts(path) == ["new", "old"])
        #expect(try facts(moved) == ["new", "old", "in the log"])
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
            let file = try opened(path)
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

    @Test("When its path leads to another file, or to none, nothing more is written until it is back")
    func moved() throws {
        let folder = try ScratchFolder()
        let (path, away) = (folder.path("a.db"), folder.path("b.db"))
        let file = try opened(path)
        func write() throws { try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('more')") } }
        try FileManager.default.moveItem(atPath: path, toPath: away)
        #expect(throws: StorageError.replaced(path)) { try write() }
        try "another".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: StorageError.replaced(path)) { try write() }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: away, toPath: path)
        try write()
        try file.close()
        #expect(try facts(path) == ["new", "old", "more"])
    }

    @Test("A second writer waits, then is told who holds the lock; a freed lock is taken")
    func lock() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        var first: LedgerFile? = try opened(path)
        var told: [String] = []
        let start = ContinuousClock.now
        #expect(throws: StorageError.locked(path: path, holder: "process \(getpid())")) {
            _ = try LedgerFile.openForWriting(at: path, waitSeconds: 1, migrations: Self.steps) { told.append($0) }
        }
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(told == ["process \(getpid())"])
        #expect(first != nil)
        first = nil
        _ = try LedgerFile.openForWriting(at: path, migrations: Self.steps) { told.append($0) }
        #expect(told.count == 1)
    }

    @Test("A lock that is released is free, also while a child is being started that has this process's files still")
    func lockBesideChild() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let first = try opened(path)
        // As such a child has them: the same open files under other numbers.
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { number in
            let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            return file == path || file == path + ".lock" ? Int32(number) : nil
        }
        #expect(open.count >= 2)
        let inherited = open.map { dup($0) }
        defer { for descriptor in inherited { close(descriptor) } }
        try first.close()
        try LedgerFile.openForWriting(at: path, waitSeconds: 0, migrations: Self.steps).close()
    }

    @Test("What root makes beside a ledger, or in a folder, belongs to its owner", .enabled(if: geteuid() == 0))
    func owner() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        chown(folder.url.path, 65_534, 65_533)
        try create(path)
        func owner(_ suffix: String) throws -> [UInt32] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
            return [.ownerAccountID, .groupOwnerAccountID].map { attributes[$0] as? UInt32 ?? 0 }
        }
        #expect(try owner(".lock") == [65_534, 65_533])
        chown(path, 65_534, 65_534)
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('later')") }
        let draft = try FileDraft(of: path + ".copy", like: path, ownerOf: path)
        try draft.publish()
        for suffix in ["-wal", "-shm", ".copy"] {
            #expect(try owner(suffix) == [65_534, 65_534], "\(suffix)")
        }
        // It was there already.
        #expect(try owner(".lock") == [65_534, 65_533])
    }

    @Test("A reader works beside a writer: it sees what is committed, not what is under way, and can't write")
    func reader() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let writer = try opened(path)
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

    @Test("The writer's own reads can't write")
    func readsDoNotWrite() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let file = try opened(path)
        #expect(throws: (any Error).self) { try file.read { try $0.execute(sql: "DELETE FROM fact") } }
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == 2)
    }

    @Test("Reading between two transactions leaves the writer's statements compiled as they are")
    func statementsStayCompiled() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let file = try opened(path)
        func compilations() throws -> CInt {
            try file.write { database in
                let statement = try database.cachedStatement(sql: "INSERT INTO fact (text) VALUES ('again')")
                try statement.execute()
                return sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_REPREPARE, 0)
            }
        }
        let before = try compilations()
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == 3)
        #expect(try compilations() == before)
    }

    @Test("A transaction that throws, or is rolled back on purpose, leaves nothing")
    func rollback() throws {
        struct Stop: Error {}
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let file = try opened(path)
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

    @Test("A file with fewer steps is kept as it was, then brought up, each step once; where it is kept is told once")
    func migration() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let older = [Self.steps[0]]
        try create(path, older)
        #expect(throws: StorageError.olderSchema(path: path, migration: "0002-second")) {
            try LedgerFile.openForReading(at: path, migrations: Self.steps)
        }
        let backup = path + ".before-0002-second"
        var told: [String] = []
        for _ in 0..<2 {
            _ = try LedgerFile.openForWriting(
                at: path, migrations: Self.steps,
                onUpgrade: { kept in
                    told.append(kept)
                    // Before anything is changed.
                    let then = try? facts(path, older)
                    #expect(then == ["old"])
                })
            #expect(try facts(path) == ["old", "new"])
        }
        #expect(told == [backup])
        #expect(try facts(backup, older) == ["old"])
        // One plain file.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.filter { $0.contains("before") } == ["a.db.before-0002-second"])
    }

    @Test("A step that fails leaves the file as it was; what is kept is not replaced, and not kept a second time")
    func failingStep() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let older = [Self.steps[0]]
        try create(path, older)
        let broken = Migration(name: "0002-second", sql: "DELETE FROM fact; CREATE TABLE fact (id INTEGER);")
        func kept() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { $0.contains("before") }
                .sorted()
        }
        for _ in 0..<3 {
            #expect(throws: DatabaseError.self) {
                try LedgerFile.openForWriting(at: path, migrations: [Self.steps[0], broken])
            }
            #expect(try facts(path, older) == ["old"])
            #expect(try kept() == ["a.db.before-0002-second"])
        }
        // The older program goes on for a while: then there is something new to keep.
        try LedgerFile.openForWriting(at: path, migrations: older).write {
            try $0.execute(sql: "INSERT INTO fact (text) VALUES ('later')")
        }
        _ = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        #expect(try facts(path) == ["old", "later", "new"])
        #expect(try kept() == ["a.db.before-0002-second", "a.db.before-0002-second.2"])
        #expect(try facts(path + ".before-0002-second", older) == ["old"])
        #expect(try facts(path + ".before-0002-second.2", older) == ["old", "later"])
    }

    @Test("A file that is damaged is not brought up, and what is kept of a killed attempt is in nobody's way")
    func damagedBefore() throws {
        let folder = try ScratchFolder()
        let path = folder.path("a.db")
        let older = [Self.steps[0]]
        _ = try LedgerFile.create(at: path, migrations: older) { database in
            for _ in 0..<200 { try database.execute(sql: "INSERT INTO fact (text) VALUES (hex(zeroblob(1900)))") }
        }
        let whole = try Data(contentsOf: URL(filePath: path))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seek(toOffset: 50 * 4_096)
        try handle.write(contentsOf: Data(repeating: 0xEE, count: 4_096))
        try handle.close()
        #expect(
            performing: { try LedgerFile.openForWriting(at: path, migrations: Self.steps) },
            throws: { if case StorageError.damaged(path, _) = $0 { true } else { false } })
        #expect(!FileManager.default.fileExists(atPath: path + ".before-0002-second"))
        try whole.write(to: URL(filePath: path))
        try "half a copy".write(toFile: path + ".before-0002-second.making", atomically: false, encoding: .utf8)
        _ = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.filter { $0.contains("before") } == ["a.db.before-0002-second"])
        #expect(try facts(path + ".before-0002-second", older).count == 200)
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
