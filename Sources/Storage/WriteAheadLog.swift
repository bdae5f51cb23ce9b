// How long the write-ahead log may become, and when it is moved into the file.

import CSQLiteSettings
import GRDB
import GRDBSQLite
import Synchronization

/// Counts the frames of a connection's log after each commit, and checkpoints when there are many. It is the one writer's
/// connection that does all checkpoints.
final class WriteAheadLog: Sendable {
    private let path: String
    /// Beyond it nothing more is to be written until the log is empty again.
    let mostBytes: Int
    /// Frames of the log, a page each, after the last commit.
    private let frames = Atomic(0)
    /// How many there were when they were last moved, as far as readers let them.
    private let attempted = Atomic(0)
    /// Why this process must write nothing more: what a failed sync has left on the disk nobody knows, and a second one
    /// would not tell.
    private let failure = Mutex<StorageError?>(nil)
    // Used by the queue's own thread, and after its errors by the one that waited for it.
    nonisolated(unsafe) private let connection: OpaquePointer?

    /// From here on it is done when nothing else is to be done: 4 MiB, a few milliseconds.
    private static let idleFrames = 1_024
    /// From here on it is done also when others wait; rarer and larger ones take less time together.
    private static let busyFrames = 3_072
    /// From here on each commit does it itself, before it is answered: also where nobody asks for it, as in a command.
    private static let mostFrames = 4_096
    /// A page of SQLite's default size, which all ledgers have, and its head.
    private static let frameBytes = 4_096 + 24

    /// The hook stands in the place of SQLite's own, which knows only the last of these bounds.
    ///
    /// - Parameter queue: used no longer than this lives.
    init(of queue: DatabaseQueue, path: String, mostBytes: Int) {
        self.path = path
        self.mostBytes = mostBytes
        connection = queue.inDatabase { $0.sqliteConnection }
        let log = Unmanaged.passUnretained(self)
        queue.inDatabase { database in
            _ = sqlite3_wal_hook(
                database.sqliteConnection,
                { context, _, _, frames in
                    guard let context else { return SQLITE_OK }
                    Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue().note(Int(frames))
                    return SQLITE_OK
                }, log.toOpaque())
        }
    }

    /// What it takes: less than its file, which keeps some of its length when the log begins again.
    var bytes: Int { frames.load(ordering: .relaxed) * Self.frameBytes }

    var isFull: Bool { bytes >= mostBytes }

    func isDue(whileIdle isIdle: Bool) -> Bool { waiting >= (isIdle ? Self.idleFrames : Self.busyFrames) }

    private var waiting: Int { frames.load(ordering: .relaxed) - attempted.load(ordering: .relaxed) }

    /// As far as readers let it, without waiting for any. What can't be moved now, also because the disk is full, stays in
    /// the log, and a later checkpoint moves it.
    func checkpoint() {
        var length: Int32 = 0
        let code = move(SQLITE_CHECKPOINT_PASSIVE, length: &length)
        attempted.store(frames.load(ordering: .relaxed), ordering: .relaxed)
        if let error = error(code) { note(error) }
    }

    /// Moves all of it and cuts its file off; waits for readers as the connection waits for locks.
    ///
    /// - Returns: false when a reader, or a writer, was in the way.
    /// - Throws: ``StorageError``.
    func empty() throws -> Bool {
        var length: Int32 = 0
        let code = move(SQLITE_CHECKPOINT_TRUNCATE, length: &length)
        guard code != SQLITE_BUSY else {
            // Another process may have left them.
            if length > 0 { frames.store(Int(length), ordering: .relaxed) }
            return false
        }
        if let error = error(code) {
            note(error)
            throw error
        }
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        frames.store(0, ordering: .relaxed)
        attempted.store(0, ordering: .relaxed)
        return true
    }

    /// - Parameter length: becomes the frames of the log; -1 where that can't be told.
    private func move(_ mode: Int32, length: inout Int32) -> Int32 {
        sqlite3_wal_checkpoint_v2(connection, "main", mode, &length, nil)
    }

    private func error(_ code: Int32) -> StorageError? {
        // What is written is the file.
        StorageError(
            ResultCode(rawValue: code), message: nil, path: path,
            systemError: WrittenFile.lastError(of: [.database, .log], connection))
    }

    /// - Throws: ``StorageError`` when a commit or checkpoint has failed: this process must write nothing more.
    func check() throws {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    var hasFailed: Bool { failure.withLock { $0 != nil } }

    /// Closing the connection leaves the log as it is: where a disk has failed, only the next process knows what is on it.
    func leaveToNext() {
        if let connection { _ = meterd_sqlite_keep_log(connection) }
    }

    /// What an error of the connection says of the disk or of other programs; else the error itself.
    func told(_ error: DatabaseError) -> any Error {
        // What is written by statements is the log; they read both.
        let files: [WrittenFile] = StorageError.isOfReading(error.extendedResultCode) ? [.database, .log] : [.log]
        let systemError = WrittenFile.lastError(of: files, connection)
        guard let told = StorageError(error, path: path, systemError: systemError) else { return error }
        note(told)
        return told
    }

    private func note(_ error: StorageError) {
        guard error.isFatal else { return }
        failure.withLock { $0 = $0 ?? error }
        leaveToNext()
    }

    private func note(_ count: Int) {
        // Begun again.
        if count < frames.load(ordering: .relaxed) { attempted.store(0, ordering: .relaxed) }
        frames.store(count, ordering: .relaxed)
        if waiting >= Self.mostFrames { checkpoint() }
    }
}
