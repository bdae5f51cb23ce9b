// A ledger with hard links: by the wrong name its last commits would be missing, so it is opened by none.

import Foundation
import GRDB
import LedgerFixture
import Storage
import Testing

@testable import Migrations

@Suite("A ledger's file that has several names (hard links)")
struct SeveralNamesTests {
    private static let steps = [
        Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT) STRICT;")
    ]

    private let folder: ScratchFolder
    private let path: String
    private let other: String

    /// The ledger of a process that ended without closing it: what was committed last is only in its log.
    init() throws {
        folder = try ScratchFolder()
        (path, other) = (folder.path("a.db"), folder.path("other.db"))
        try LedgerFile.create(at: path, migrations: Self.steps) { _ in }.close()
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('acknowledged')") }
        try file.close(checkpointing: false)
        try FileManager.default.linkItem(atPath: path, toPath: other)
    }

    private func facts(_ path: String) throws -> [String] {
        try LedgerFile.openForReading(at: path, migrations: Self.steps).read {
            try String.fetchAll($0, sql: "SELECT text FROM fact")
        }
    }

    @Test("is neither read, written nor restored by any of them, nor through a link that leads to one")
    func refused() throws {
        let link = folder.path("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: other)
        for name in [path, other, link] {
            let refusal = StorageError.severalNames(path: name, count: 2)
            #expect(throws: refusal) { try LedgerFile.openForReading(at: name, migrations: Self.steps) }
            #expect(throws: refusal) { try LedgerFile.openForWriting(at: name, migrations: Self.steps) }
            #expect(throws: refusal) {
                try LedgerFile.restore(name, as: folder.path("restored.db"), migrations: Self.steps) { _ in }
            }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        #expect(names == ["a.db", "a.db-shm", "a.db-wal", "a.db.lock", "link.db", "other.db"])
    }

    @Test("has all that was committed once the other name is removed")
    func removed() throws {
        unlink(other)
        #expect(try facts(path) == ["acknowledged"])
        try LedgerFile.openForWriting(at: path, migrations: Self.steps).close()
        #expect(try facts(path) == ["acknowledged"])
    }

    @Test("is told with its path, the number of names, and the way out")
    func words() {
        #expect(
            "\(StorageError.severalNames(path: "a.db", count: 3))"
                == "a.db has 3 names (hard links), and SQLite keeps a log for each name, so that by one of them the last "
                + "commits would be missing. Make copies with 'meterd backup'; remove the other name ('find -samefile a.db' "
                + "finds it), and keep the one that has a -wal file beside it")
    }
}
