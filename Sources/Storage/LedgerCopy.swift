// Copying a ledger's file while it is written: page by page, in parts, between the writer's transactions.

import Foundation
import GRDB
import GRDBSQLite

extension LedgerFile {
    /// Copies the ledger into a draft, which then is one plain file that needs none beside it, as of the last commit before
    /// this returns. It is not on the disk yet: publishing the draft sees to that.
    ///
    /// What this connection writes meanwhile goes into the copy too, so it never begins anew.
    ///
    /// - Parameter between: called after each part but the last, outside of transactions: what waits to be written may be
    ///   written there. What it throws ends the copying.
    /// - Throws: ``StorageError``; what `between` throws. The ledger itself is as well as before.
    package func copy(into draft: DraftAddress, between: () throws -> Void) throws {
        let size = try read { database in
            let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            return pages * (try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0)
        }
        let target = try CopyTarget(draft, size: size)
        let copying = try connection { try PageCopying(of: $0, at: path, into: draft) }
        // Not while the connection is at work.
        defer { try? connection { _ in copying.end() } }
        while try !connection({ _ in try copying.copyPart() }) { try between() }
        try connection { _ in copying.end() }
        try target.markPlain()
    }
}

/// The file that a copy goes into.
private final class CopyTarget {
    private let name: String
    private let descriptor: Int32

    /// - Parameter size: of the copy, in bytes.
    init(_ draft: DraftAddress, size: Int64) throws(StorageError) {
        name = draft.target
        let descriptor = open(draft.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .outOfReach(path: name, reason: String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
        guard draft.isFile(descriptor) else {
            throw .outOfReach(path: name, reason: "it sees another folder of that name")
        }
        var disk = statvfs()
        if fstatvfs(descriptor, &disk) == 0, disk.f_blocks > 0 {
            let free = Int64(disk.f_bavail) * Int64(disk.f_frsize)
            guard free >= size else { throw .noRoom(path: name, bytes: size, free: free) }
        }
        // Whoever made the draft may have died, and another made it again, while an earlier copy was still under way.
        ftruncate(descriptor, 0)
    }

    deinit { close(descriptor) }

    /// Takes the mark of a file with a write-ahead log out of the header (bytes 18 and 19, the versions for writing and
    /// reading: 2 is one with such a log, 1 is one without): it has none, and who opens it should need none.
    func markPlain() throws(StorageError) {
        guard pwrite(descriptor, [1, 1] as [UInt8], 2, 18) == 2 else {
            throw .cannotWrite(path: name, reason: String(cString: strerror(errno)))
        }
    }
}

/// A copy that is under way. Used by the thread that has the source's connection, while that is not in a transaction.
private final class PageCopying {
    private let name: String
    private let sourcePath: String
    private let source: OpaquePointer?
    private let target: OpaquePointer
    private var backup: OpaquePointer?
    /// Pages of the source when the last part was copied.
    private var pageCount: Int32?
    private var partPages = leastPages
    private var isClosed = false

    /// A MiB: about a millisecond.
    private static let leastPages: Int32 = 256

    /// - Parameter path: the source's, for messages.
    init(of source: Database, at path: String, into draft: DraftAddress) throws(StorageError) {
        name = draft.target
        sourcePath = path
        self.source = source.sqliteConnection
        var connection: OpaquePointer?
        // The path was resolved when the draft was made: whatever link is in it now leads elsewhere.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
        let code = sqlite3_open_v2(draft.path, &connection, flags, nil)
        guard code == SQLITE_OK, let connection else {
            sqlite3_close(connection)
            throw .cannotWrite(path: name, reason: String(cString: sqlite3_errstr(code)))
        }
        target = connection
        // A copy that is not finished is thrown away, so nothing of it need be undone; it is synced as a whole, by who
        // publishes it, and the writer does not wait for that. Pages leave memory as they come.
        let settings = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = 256"
        guard sqlite3_exec(target, settings, nil, nil, nil) == SQLITE_OK,
            let backup = sqlite3_backup_init(target, "main", source.sqliteConnection, "main")
        else {
            throw failure(sqlite3_errcode(target))
        }
        self.backup = backup
    }

    deinit { end() }

    /// - Returns: whether it was the last.
    func copyPart() throws(StorageError) -> Bool {
        let code = sqlite3_backup_step(backup, partPages)
        switch code {
        case SQLITE_DONE: return true
        case SQLITE_OK: break
        default:
            // Tells the other connection what it was.
            sqlite3_backup_finish(backup)
            backup = nil
            throw failure(code)
        }
        // The next part is twice what the file has grown by since the last, if that is more: so there comes an end,
        // however fast it is written, and what is written takes at most a few times as long meanwhile.
        let count = sqlite3_backup_pagecount(backup)
        partPages = max(Self.leastPages, 2 * (count - (pageCount ?? count)))
        pageCount = count
        return false
    }

    func end() {
        guard !isClosed else { return }
        isClosed = true
        sqlite3_backup_finish(backup)
        sqlite3_close(target)
    }

    private func failure(_ code: Int32) -> StorageError {
        if code & 0xFF == SQLITE_FULL { return .noRoom(path: name, bytes: nil, free: nil) }
        // Of the copy nothing is read that was not just written.
        let isReading = StorageError.isOfReading(ResultCode(rawValue: code))
        let cause = isReading ? WrittenFile.lastError(of: [.database, .log], source) : sqlite3_system_errno(target)
        let detail = cause == 0 ? "" : " (\(String(cString: strerror(cause))))"
        let reason = String(cString: sqlite3_errstr(code)) + detail
        return isReading ? .cannotRead(path: sourcePath, reason: reason) : .cannotWrite(path: name, reason: reason)
    }
}
