// A long read beside the writer of the same process.

import GRDB
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("Reading beside the writer", .computing)
struct SideReadingTests {
    private struct Stop: Error {}

    private func file(_ folder: ScratchFolder) throws -> LedgerFile {
        let steps = [Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY) STRICT;")]
        return try LedgerFile.create(at: folder.path("a.db"), migrations: steps) { database in
            try database.execute(sql: "INSERT INTO fact VALUES (1)")
        }
    }

    /// Takes a while.
    private static let long = """
        WITH RECURSIVE step (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM step WHERE number < 3000000)
        SELECT max(number) FROM step
        """

    @Test("sees nothing of what the writer commits meanwhile, and all of it the next time")
    func snapshot() throws {
        let folder = try ScratchFolder()
        let file = try file(folder)
        var written = 0
        let seen = try file.readAside(
            between: {
                try file.write { try $0.execute(sql: "INSERT INTO fact (id) VALUES (NULL)") }
                written += 1
            },
            { database in
                _ = try Int.fetchOne(database, sql: Self.long)
                return try Int.fetchOne(database, sql: "SELECT count(*) FROM fact")
            })
        #expect(seen == 1)
        #expect(written > 0)
        let next = try file.readAside(between: {}) { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") }
        #expect(next == written + 1)
        try file.close()
    }

    @Test("ends when the writer has to, and can be done again")
    func ended() throws {
        let folder = try ScratchFolder()
        let file = try file(folder)
        let endless = Self.long.replacing("3000000", with: "30000000000")
        #expect(throws: Stop.self) {
            try file.readAside(between: { throw Stop() }) { try Int.fetchOne($0, sql: endless) }
        }
        let rows = try file.readAside(between: {}) { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") }
        #expect(rows == 1)
    }

    @Test("throws what its block throws, and can't write")
    func failures() throws {
        let folder = try ScratchFolder()
        let file = try file(folder)
        #expect(throws: Stop.self) { try file.readAside(between: {}) { _ in throw Stop() } }
        #expect(throws: DatabaseError.self) {
            try file.readAside(between: {}) { try $0.execute(sql: "INSERT INTO fact VALUES (2)") }
        }
    }
}
