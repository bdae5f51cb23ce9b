// Copies of a ledger's file that are made while it is written.

import Foundation
import GRDB
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("A copy of a ledger's file", .computing)
struct LedgerCopyTests {
    private struct Stop: Error {}

    private static let steps = [
        Migration(
            name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT, number INTEGER) STRICT;")
    ]

    private let folder: ScratchFolder
    private let file: LedgerFile
    private let draft: FileDraft

    /// Some 8 MiB: as many parts.
    init() throws {
        folder = try ScratchFolder()
        let path = folder.path("a.db")
        file = try LedgerFile.create(at: path, migrations: Self.steps) { database in
            try Self.insert(2_000, database)
        }
        draft = try FileDraft(of: folder.path("copy.db"), like: path, ownerOf: path)
    }

    /// Rows of a page each.
    private static func insert(_ rows: Int, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO fact (text, number)
                SELECT hex(zeroblob(1900)), value
                FROM (WITH RECURSIVE row (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM row WHERE value < ?)
                    SELECT value FROM row)
                """, arguments: [rows])
    }

    private func expectSame() throws {
        try draft.publish()
        let query = "SELECT id, number, length(text) FROM fact ORDER BY id"
        let copy = try LedgerFile.openForReading(at: draft.path, migrations: Self.steps)
        #expect(
            try copy.read { try LedgerFixture.rows($0, query) } == file.read { try LedgerFixture.rows($0, query) })
        #expect(try copy.read { try LedgerFixture.rows($0, "PRAGMA integrity_check") } == ["ok"])
    }

    @Test("has what was written before it and between its parts, in front of it and behind it")
    func written() throws {
        var parts = 0
        try file.copy(into: draft.address) {
            parts += 1
            try file.write { database in
                try database.execute(sql: "UPDATE fact SET number = -id WHERE id % 200 = ?", arguments: [parts])
                try database.execute(sql: "DELETE FROM fact WHERE id IN (?, ?)", arguments: [parts, 2_000 - parts])
                try Self.insert(3, database)
            }
        }
        #expect(parts >= 7)
        try expectSame()
    }

    @Test("begins anew when SQLite can't take back what went into it, and is right all the same")
    func takenBack() throws {
        // Pages of a transaction go into the log, and into the copy, before its end.
        try file.connection { try $0.execute(sql: "PRAGMA cache_size = 20") }
        var parts = 0
        try file.copy(into: draft.address) {
            parts += 1
            guard parts == 4 else { return }
            #expect(throws: Stop.self) {
                try file.write { database in
                    try database.execute(sql: "UPDATE fact SET number = -1")
                    throw Stop()
                }
            }
        }
        #expect(parts > 10)
        try expectSame()
    }

    @Test("is complete at some time though more is written between two parts than a part has")
    func fast() throws {
        var parts = 0
        try file.copy(into: draft.address) {
            parts += 1
            guard parts < 100 else { throw Stop() }
            try file.write { try Self.insert(600, $0) }
        }
        #expect(parts < 30)
        try expectSame()
    }

    @Test("is one plain file: nothing lies beside it, and it can be read where nothing can be written")
    func plain() throws {
        try file.write { try Self.insert(3, $0) }
        try file.copy(into: draft.address) {}
        try draft.publish()
        let copy = try LedgerFile.openForReading(at: draft.path, migrations: Self.steps)
        let mode = try copy.read { database in
            try LedgerFixture.rows(database, "PRAGMA journal_mode")
                + LedgerFixture.rows(database, "SELECT count(*) FROM fact")
        }
        #expect(mode == ["delete", "2003"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.filter { $0.hasPrefix("copy") } == ["copy.db"])
        try copy.close()
        // A ledger like any other, once it is written.
        let next = try LedgerFile.openForWriting(at: draft.path, migrations: Self.steps)
        try next.write { try Self.insert(1, $0) }
        #expect(try next.read { try LedgerFixture.rows($0, "PRAGMA journal_mode") } == ["wal"])
    }

    @Test("ends where the writer has to, and both can be used again")
    func ended() throws {
        #expect(throws: Stop.self) { try file.copy(into: draft.address) { throw Stop() } }
        try file.write { try Self.insert(3, $0) }
        try file.copy(into: draft.address) {}
        try expectSame()
        try file.close()
    }

    @Test("goes into the very file that was meant, or nowhere")
    func meantFile() throws {
        let address = draft.address
        try FileManager.default.moveItem(atPath: draft.making, toPath: folder.path("elsewhere"))
        #expect(performing: { try file.copy(into: address) {} }, throws: { Self.isOutOfReach($0) })
        try "of somebody else".write(toFile: draft.making, atomically: false, encoding: .utf8)
        #expect(performing: { try file.copy(into: address) {} }, throws: { Self.isOutOfReach($0) })
        #expect(try String(contentsOfFile: draft.making, encoding: .utf8) == "of somebody else")
        try file.write { try Self.insert(1, $0) }
    }

    @Test("that the disk has no room for is not begun, and it is said how much room it takes")
    func noRoom() throws {
        let large = folder.path("large.db")
        _ = try LedgerFile.create(at: large, migrations: Self.steps) { _ in }
        // A file of 4 TiB, most of it a hole: as its header says too, in pages of 4 KiB.
        let handle = try #require(FileHandle(forWritingAtPath: large))
        try handle.seek(toOffset: 28)
        try handle.write(contentsOf: Data([0x40, 0, 0, 0]))
        try handle.truncate(atOffset: 4 << 40)
        try handle.close()
        let ledger = try LedgerFile.openForWriting(at: large, migrations: Self.steps)
        #expect(
            performing: { try ledger.copy(into: draft.address) { throw Stop() } },
            throws: {
                guard case StorageError.noRoom(_, let bytes, let free) = $0 else { return false }
                return bytes == 4 << 40 && free.map { $0 > 0 } == true
            })
        try ledger.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('goes on')") }
        try ledger.close()
    }

    private static func isOutOfReach(_ error: any Error) -> Bool {
        if case StorageError.outOfReach = error { true } else { false }
    }
}
