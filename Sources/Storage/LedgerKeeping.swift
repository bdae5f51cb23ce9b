// A ledger's whole files: kept as they are before the schema changes, and brought back from a backup.

import Foundation
import GRDB
package import Migrations

extension LedgerFile {
    /// Keeps a whole, proven copy of the file as it is, for good.
    ///
    /// An earlier attempt may have left one: if it is the same, it is that one; if it differs, because the file was
    /// written since, it stays, and this copy gets a number.
    ///
    /// - Returns: where it is.
    func keep(as name: String) throws -> String {
        var path = name
        var earlier: String?
        var number = 1
        while FileStatus(of: path, followingLinks: false) != nil {
            number += 1
            (path, earlier) = ("\(name).\(number)", path)
        }
        let draft = try FileDraft(of: path, like: self.path, ownerOf: self.path)
        try copy(into: draft.address) {}
        try Self.checkPages(draft.making, of: self.path)
        if let earlier, FileStatus(of: earlier, followingLinks: false)?.isFile == true,
            FileManager.default.contentsEqual(atPath: earlier, andPath: draft.making)
        {
            // Whoever made it may have died before its name was on the disk.
            try FileDraft.syncName(earlier)
            return earlier
        }
        try draft.publish()
        return path
    }

    /// - Throws: ``StorageError/damaged(path:reason:)``: a copy is as well as its original.
    private static func checkPages(_ copy: String, of path: String) throws {
        let queue = try connect(copy, readonly: true)
        defer { try? queue.close() }
        let objection = try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
        guard objection == "ok" else {
            throw StorageError.damaged(path: path, reason: objection ?? "a page can't be read")
        }
    }

    /// Makes a ledger of a backup, brought up to the newest schema, once it is proven.
    ///
    /// - Parameters:
    ///   - backup: a ledger's file, and what lies beside it if it was not closed; it is only read.
    ///   - path: where there is no ledger.
    ///   - prove: looks whether all is well with what the ledger is to be, and throws if not.
    /// - Throws: ``StorageError``; what `prove` throws. Then there is no ledger.
    package static func restore(
        _ backup: String, as path: String, migrations: [Migration] = Migrations.all,
        prove: (LedgerFile) throws -> Void
    ) throws {
        let (source, pending) = try openBackup(backup, migrations)
        do {
            try FileDraft.checkIsFree(path)
        } catch .alreadyThere(let path) {
            throw StorageError.inTheWay(path)
        }
        let lock = try WriterLock(ledger: path, waitSeconds: 0)
        defer { lock.release() }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        let draft = try FileDraft(of: path, like: backup, ownerOf: folder)
        try source.copy(into: draft.address) {}
        if !pending.isEmpty { try bringUp(draft.making, pending, named: path) }
        try prove(try openForReading(at: draft.making, migrations: migrations))
        try draft.publish()
    }

    /// Applies steps to a copy, which stays one plain file: a connection for writing would give it a log.
    private static func bringUp(_ copy: String, _ pending: [Migration], named name: String) throws {
        do {
            let queue = try DatabaseQueue(path: copy)
            try queue.write { try SchemaMigrator().apply(pending, to: $0) }
            try queue.close()
        } catch let error as DatabaseError {
            throw StorageError(error, path: name, systemError: 0) ?? error
        }
    }

    /// - Returns: the file, and the steps of the schema that it lacks.
    private static func openBackup(
        _ path: String, _ migrations: [Migration]
    ) throws -> (LedgerFile, pending: [Migration]) {
        do {
            try checkPresence(path)
            let file = LedgerFile(path: path, queue: try connect(path, readonly: true), lock: nil)
            let pending = try file.read { database in
                try checkApplication(database, path)
                let migrator = SchemaMigrator(migrations: migrations)
                let pending = try migrator.pending(database, path: path)
                try migrator.checkSchema(database, lacking: pending, path: path)
                return pending
            }
            return (file, pending)
        } catch StorageError.noSuchFile(let path) {
            throw StorageError.noBackup(path)
        } catch StorageError.notALedger(let path) {
            throw StorageError.notABackup(path)
        } catch StorageError.alteredSchema(let path, let differences) {
            throw StorageError.alteredBackup(path: path, differences: differences)
        } catch StorageError.damaged(let path, let reason) {
            throw StorageError.damagedBackup(path: path, reason: reason)
        }
    }
}
