// Files whose bytes are lost: a finding of the check `file` and a way out, never an error of SQLite.

import Foundation
import GRDB
import Storage
import TestSupport
import Testing
import Verification

@Suite("A ledger whose file is damaged", .computing)
struct DamagedFileTests {
    private static let pageBytes = 4096

    /// A ledger all of whose pages are in the main file, and the pages at which its tables and indexes begin.
    private static func checkpointed() throws -> (ledger: RichLedger, roots: [Int]) {
        let ledger = try RichLedger.make()
        let queue = try DatabaseQueue(path: ledger.path)
        let roots = try queue.writeWithoutTransaction { database in
            _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            return try Int.fetchAll(database, sql: "SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")
        }
        try queue.close()
        return (ledger, roots)
    }

    /// What a person is told who runs `meterd verify`.
    private static func report(_ ledger: RichLedger) throws -> VerificationReport {
        do {
            return try ledger.verify()
        } catch StorageError.damaged(let path, let reason) {
            return Verification.report(onDamaged: path, reason: reason)
        }
    }

    private static func overwrite(_ ledger: RichLedger, page: Int, with byte: UInt8) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: ledger.path))
        try handle.seek(toOffset: UInt64((page - 1) * pageBytes))
        try handle.write(contentsOf: Data(repeating: byte, count: pageBytes))
        try handle.close()
    }

    @Test("is told by the check of the file when the first page of any table or index is lost", arguments: [0, 0xFF])
    func lostPage(byte: UInt8) throws {
        let roots = try Self.checkpointed().roots
        try #require(roots.count > 40)
        for page in roots {
            let ledger = try Self.checkpointed().ledger
            try Self.overwrite(ledger, page: page, with: byte)
            let report = try Self.report(ledger)
            #expect(report.checks.map(\.name) == ["file"], "page \(page)")
            #expect(!report.isSound, "page \(page)")
            #expect(report.notes.count == 2, "page \(page)")
        }
    }

    @Test("is told by the check of the file when its end is missing", arguments: [1, 2, 10, 40])
    func truncated(pages: Int) throws {
        let ledger = try Self.checkpointed().ledger
        let handle = try FileHandle(forUpdating: URL(filePath: ledger.path))
        try handle.truncate(atOffset: UInt64(pages * Self.pageBytes))
        try handle.close()
        let report = try Self.report(ledger)
        #expect(report.checks.map(\.name) == ["file"])
        #expect(!report.isSound)
    }

    @Test("is told with the page that is lost, where SQLite can name it")
    func namedPage() throws {
        let (ledger, roots) = try Self.checkpointed()
        let page = try #require(roots.last)
        try Self.overwrite(ledger, page: page, with: 0)
        let findings = try Self.report(ledger).findings.map { $0.sentence.lowercased() }
        #expect(findings.contains { $0.hasPrefix("sqlite says: ") && $0.contains("page \(page)") }, "\(findings)")
    }

    @Test("names the checks that were not made, and the way out")
    func notes() throws {
        let (ledger, roots) = try Self.checkpointed()
        try Self.overwrite(ledger, page: try #require(roots.last), with: 0)
        #expect(
            try Self.report(ledger).notes == [
                "these checks were not made, they could not rely on what they read: "
                    + Verification.checkNames.dropFirst().joined(separator: ", ")
                    + "; 'scripts/verify-chain' follows the chain all the same",
                "\(ledger.path): move it, \(ledger.path)-wal and \(ledger.path)-shm aside and restore the newest backup with 'meterd restore'; "
                    + "'sqlite3 FILE .recover' prints what can still be read of it",
            ])
    }

    @Test("is no other kind of file when its header is lost")
    func lostHeader() throws {
        let ledger = try Self.checkpointed().ledger
        try Self.overwrite(ledger, page: 1, with: 0)
        #expect(
            throws: StorageError.damaged(path: ledger.path, reason: "it begins with zeros instead of a header")
        ) {
            try ledger.verify()
        }
    }
}
