// Another program that changes the schema of a file while this one has it open for writing.

import Foundation
import GRDB
import LedgerFixture
import Storage
import Testing

@testable import Migrations

@Suite("A schema that another program changes while the file is open")
struct SchemaWatchTests {
    private static let steps = [
        Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT) STRICT;"),
        Migration(name: "0002-second", sql: "CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT;"),
    ]
    private static let trigger = "CREATE TRIGGER spy AFTER INSERT ON fact BEGIN DELETE FROM fact; END"
    private static let differences = ["trigger spy on fact is no part of the schema"]

    private let folder: ScratchFolder
    private let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("a.db")
    }

    /// Ways to come by a file that is open for writing.
    enum Opening: CaseIterable { case made, opened, broughtUp }

    private func open(_ opening: Opening) throws -> LedgerFile {
        let known = opening == .broughtUp ? [Self.steps[0]] : Self.steps
        let made = try LedgerFile.create(at: path, migrations: known) { _ in }
        guard opening != .made else { return made }
        try made.close()
        return try LedgerFile.openForWriting(at: path, migrations: Self.steps)
    }

    private func elsewhere(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func insert(_ text: String, into file: LedgerFile) throws {
        try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES (?)", arguments: [text]) }
    }

    private func facts(_ file: LedgerFile) throws -> [String] {
        try file.read { try String.fetchAll($0, sql: "SELECT text FROM fact ORDER BY id") }
    }

    @Test(
        "stops writing with the next transaction, which is not begun, until the change is undone",
        arguments: Opening.allCases)
    func stopped(opening: Opening) throws {
        let file = try open(opening)
        try insert("before", into: file)
        try elsewhere(Self.trigger)
        let refusal = StorageError.alteredSchema(path: path, differences: Self.differences)
        for _ in 0..<2 {
            #expect(throws: refusal) { try insert("spied", into: file) }
            #expect(throws: refusal) { try file.rolledBack { _ in Issue.record("the block is run") } }
        }
        #expect(try facts(file) == ["before"])
        try elsewhere("DROP TRIGGER spy")
        try insert("after", into: file)
        #expect(try facts(file) == ["before", "after"])
        try file.close()
    }

    @Test("stops the first transaction of a file that was just made or opened", arguments: Opening.allCases)
    func first(opening: Opening) throws {
        let file = try open(opening)
        try elsewhere(Self.trigger)
        #expect(throws: StorageError.alteredSchema(path: path, differences: Self.differences)) {
            try insert("spied", into: file)
        }
        try file.close()
    }

    @Test("is seen also where it hides behind a change of this process's own, and after one that was rolled back")
    func ownChanges() throws {
        struct Stop: Error {}
        let file = try open(.opened)
        try file.write { try $0.execute(sql: "CREATE TABLE mine (id INTEGER)") }
        try insert("before", into: file)
        #expect(throws: Stop.self) {
            try file.write { database in
                try database.execute(sql: "DROP TABLE mine")
                throw Stop()
            }
        }
        try file.rolledBack { try $0.execute(sql: "DROP TABLE mine") }
        try insert("between", into: file)
        try elsewhere(Self.trigger)
        #expect {
            try insert("spied", into: file)
        } throws: {
            guard case StorageError.alteredSchema(path, let differences) = $0 else { return false }
            return differences.contains(Self.differences[0])
        }
        #expect(try facts(file) == ["before", "between"])
        try file.close()
    }

    @Test("changes nothing where it is only SQLite's statistics for its planner, or the file was packed")
    func harmless() throws {
        let file = try open(.opened)
        for sql in ["ANALYZE", "VACUUM", "DROP TABLE sqlite_stat1"] {
            try elsewhere(sql)
            try insert(sql, into: file)
        }
        #expect(try facts(file) == ["ANALYZE", "VACUUM", "DROP TABLE sqlite_stat1"])
        try file.close()
    }
}
