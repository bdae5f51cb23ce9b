// Rows that are gathered against the same rows inserted one by one.

import GRDB
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("Rows inserted many at a time", .computing)
struct BulkInsertTests {
    private func file() throws -> (ScratchFolder, LedgerFile) {
        let folder = try ScratchFolder()
        let step = Migration(
            name: "0001-pair",
            sql: """
                CREATE TABLE pair (number INTEGER PRIMARY KEY, more INTEGER CHECK (more < 1000), text TEXT) STRICT;
                """)
        let file = try LedgerFile.create(at: folder.path("meterd.db"), migrations: [step]) { _ in }
        return (folder, file)
    }

    private func add(_ number: Int64, _ more: Int64, _ text: StaticString, to rows: BulkInsert) throws {
        try rows.add { integers, texts in
            integers[0] = number
            integers[1] = more
            texts[0] = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        }
    }

    @Test("are all there after the flush, however many", arguments: [0, 1, 3, 4, 5, 31, 32, 33, 100, 1_000])
    func counts(count: Int) throws {
        let (folder, file) = try file()
        defer { withExtendedLifetime(folder) {} }
        let rows = try file.connection { try BulkInsert($0, into: "pair (number, more, text)", integers: 2, texts: 1) }
        try file.write { _ in
            for number in 0..<Int64(count) { try add(number, number % 7, number % 2 == 0 ? "even" : "", to: rows) }
            try rows.flush()
        }
        let stored = try file.read { try Row.fetchAll($0, sql: "SELECT number, more, text FROM pair ORDER BY number") }
        #expect(stored.count == count)
        for (number, row) in stored.enumerated() {
            #expect(row == ["number": number, "more": number % 7, "text": number % 2 == 0 ? "even" : ""])
        }
    }

    @Test("add to what is there where the statement says how")
    func upsert() throws {
        let (folder, file) = try file()
        defer { withExtendedLifetime(folder) {} }
        let rows = try file.connection {
            try BulkInsert(
                $0, into: "pair (number, more, text)", integers: 2, texts: 1,
                suffix: "ON CONFLICT DO UPDATE SET more = more + excluded.more")
        }
        for _ in 0..<3 {
            try file.write { _ in
                for number in Int64(0)..<50 { try add(number, number, "", to: rows) }
                try rows.flush()
            }
        }
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT sum(more) FROM pair") } == 3 * 49 * 25)
    }

    @Test("leave nothing when one is refused, and can be used again", arguments: [0, 3, 40])
    func refused(place: Int) throws {
        let (folder, file) = try file()
        defer { withExtendedLifetime(folder) {} }
        let rows = try file.connection { try BulkInsert($0, into: "pair (number, more, text)", integers: 2, texts: 1) }
        #expect(throws: DatabaseError.self) {
            try file.write { _ in
                for number in 0..<45 { try add(Int64(number), number == place ? 1_000 : 0, "", to: rows) }
                try rows.flush()
            }
        }
        rows.forget()
        try file.write { _ in
            try add(7, 7, "", to: rows)
            try rows.flush()
        }
        #expect(try file.read { try Int.fetchAll($0, sql: "SELECT number FROM pair") } == [7])
    }
}
