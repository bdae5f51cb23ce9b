// Bringing a ledger back from a backup.

import Accounting
import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Verification

@Suite("Restoring a ledger", .computing)
struct RestoreTests {
    private struct Stop: Error {}

    private let fixture: LedgerFixture
    private let backup: String

    /// A ledger with usage and entries, and a backup of it.
    init() throws {
        fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(70_000, id: "1").text, EventLine.device("phone").text)
        _ = try fixture.ledger.rate(try #require(Day("2027-01-10")), clock: fixture.clock)
        backup = fixture.folder.path("backup.db")
        let draft = try FileDraft(of: backup, like: fixture.path, ownerOf: fixture.path)
        _ = try fixture.ledger.copy(into: draft.address)
        try draft.publish()
    }

    private func head(_ path: String) throws -> ChainHead {
        let report = try Verification(file: LedgerFile.openForReading(at: path)).run { _ in }
        #expect(report.findings == [])
        return try #require(report.chainHead)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: fixture.folder.url.path).sorted() }
    }

    @Test("gives the ledger with the same head, and what is sent again since then counts once")
    func sameHead() throws {
        let path = fixture.folder.path("restored.db")
        _ = try fixture.ingest(EventLine.calls(5, id: "2").text)
        try LedgerFile.restore(backup, as: path) { _ in }
        #expect(try head(path) == head(backup))
        #expect(try head(path) == head(fixture.path))
        let restored = try OpenLedger(file: LedgerFile.openForWriting(at: path))
        let again = [EventLine.calls(70_000, id: "1").text, EventLine.calls(5, id: "2").text]
        let report = try restored.retry(again, clock: fixture.clock)
        #expect(report == ["duplicate", "accepted"])
        #expect(
            try restored.file.read { try LedgerFixture.rows($0, "SELECT sum(quantity) FROM usage_event") } == ["70005"])
    }

    @Test("takes what a backup has in a log of its own, as the copy of a ledger's files has")
    func withLog() throws {
        _ = try fixture.ingest(EventLine.calls(5, id: "in the log").text)
        let copied = fixture.folder.path("copied.db")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copied + suffix)
        }
        let path = fixture.folder.path("restored.db")
        try LedgerFile.restore(copied, as: path) { _ in }
        let ids = try LedgerFile.openForReading(at: path).read {
            try LedgerFixture.rows($0, "SELECT id FROM usage_event ORDER BY id")
        }
        #expect(ids == ["1", "in the log"])
    }

    @Test("makes nothing when the proof fails, and nothing is in the way of the next attempt")
    func unproven() throws {
        let path = fixture.folder.path("restored.db")
        #expect(throws: Stop.self) { try LedgerFile.restore(backup, as: path) { _ in throw Stop() } }
        #expect(try names.filter { $0.hasPrefix("restored") } == ["restored.db.lock"])
        try LedgerFile.restore(backup, as: path) { _ in }
        _ = try head(path)
    }

    @Test("never takes the place of a ledger, nor of one that is only moved away and still served")
    func inTheWay() throws {
        #expect(throws: StorageError.inTheWay(fixture.path)) {
            try LedgerFile.restore(backup, as: fixture.path) { _ in }
        }
        let moved = fixture.folder.path("moved.db")
        try FileManager.default.moveItem(atPath: fixture.path, toPath: moved)
        // The log still holds what was committed last, or is in use.
        let log = fixture.path + "-wal"
        #expect(throws: StorageError.leftBehind(log: log, of: fixture.path)) {
            try LedgerFile.restore(backup, as: fixture.path) { _ in }
        }
        try FileManager.default.moveItem(atPath: log, toPath: moved + "-wal")
        #expect(throws: StorageError.locked(path: fixture.path, holder: "process \(getpid())")) {
            try LedgerFile.restore(backup, as: fixture.path) { _ in }
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.path))
    }

    @Test("says of what is no backup, is damaged, or is a newer program's, that it is")
    func noBackup() throws {
        let path = fixture.folder.path("restored.db")
        func restoring(_ name: String) throws { try LedgerFile.restore(name, as: path) { _ in } }
        let missing = fixture.folder.path("missing.db")
        #expect(throws: StorageError.noBackup(missing)) { try restoring(missing) }
        let text = fixture.folder.path("notes.txt")
        try String(repeating: "no database at all\n", count: 400).write(
            toFile: text, atomically: false, encoding: .utf8)
        #expect(throws: StorageError.notABackup(text)) { try restoring(text) }
        let newer = fixture.folder.path("newer.db")
        try FileManager.default.copyItem(atPath: backup, toPath: newer)
        try DatabaseQueue(path: newer).write {
            try $0.execute(sql: "INSERT INTO schema_migration VALUES ('9999-future', 'x')")
        }
        #expect(throws: StorageError.newerSchema(path: newer, migration: "9999-future")) { try restoring(newer) }
        let zeros = fixture.folder.path("zeros.db")
        try Data(count: 8_192).write(to: URL(filePath: zeros))
        #expect(
            performing: { try restoring(zeros) },
            throws: { if case StorageError.damagedBackup(zeros, _) = $0 { true } else { false } })
        #expect(try names.filter { $0.hasPrefix("restored") } == [])
    }
}

extension OpenLedger {
    /// What becomes of events that are sent again.
    fileprivate func retry(_ texts: [String], clock: LedgerClock) throws -> [String] {
        let batch = EventBatch(key: eventKey)
        let bytes = texts.map { Array($0.utf8) }
        return try bytes.flatMap { $0 }.withUnsafeBufferPointer { buffer in
            var start = 0
            for text in bytes {
                batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + text.count]))
                start += text.count
            }
            return try ingest(batch, clock: clock).words(of: texts.count)
        }
    }
}
