// How long the write-ahead log may become, and when it is moved into the file.

import GRDB
import GRDBSQLite
import Synchronization

/// Counts the frames of a connection's log after each commit, and checkpoints when there are many. It is the one writer's
/// connection that does all checkpoints.
final class WriteAheadLog: Sendable {
    /// Frames of the log, a page each, after the last commit.
    private let frames = Atomic(0)

    /// From here on it is done when nothing else is to be done: 4 MiB, a few milliseconds.
    private static let idleFrames = 1_024
    /// From here on it is done also when others wait; rarer and larger ones take less time together.
    private static let busyFrames = 3_072
    /// From here on each commit does it itself, before it is answered: also where nobody asks for it, as in a command.
    private static let mostFrames = 4_096

    /// The hook stands in the place of SQLite's own, which knows only the last of these bounds.
    ///
    /// - Parameter queue: used no longer than this lives.
    init(of queue: DatabaseQueue) {
        let log = Unmanaged.passUnretained(self)
        queue.inDatabase { database in
            _ = sqlite3_wal_hook(
                database.sqliteConnection,
                { context, connection, _, frames in
                    guard let context else { return SQLITE_OK }
                    Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue().note(Int(frames), connection)
                    return SQLITE_OK
                }, log.toOpaque())
        }
    }

    func isDue(whileIdle isIdle: Bool) -> Bool {
        frames.load(ordering: .relaxed) >= (isIdle ? Self.idleFrames : Self.busyFrames)
    }

    func checkpoint(_ database: Database) { checkpoint(database.sqliteConnection) }

    private func note(_ count: Int, _ connection: OpaquePointer?) {
        frames.store(count, ordering: .relaxed)
        if count >= Self.mostFrames { checkpoint(connection) }
    }

    /// As far as readers let it, without waiting for any. What can't be moved now, also because the disk is full, stays in
    /// the log, and a later checkpoint moves it; a disk that has failed fails the next commit.
    private func checkpoint(_ connection: OpaquePointer?) {
        sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        // Counted anew from the next commit, which begins the log again unless a reader holds it.
        frames.store(0, ordering: .relaxed)
    }
}
