// What can be wrong with a ledger's file. Each message says what to do.

import Quantities

package enum StorageError: Error, Equatable, CustomStringConvertible {
    case noSuchFile(String)
    case alreadyThere(String)
    case notALedger(String)
    case newerSchema(path: String, migration: String)
    case changedMigration(path: String, migration: String)
    case olderSchema(path: String, migration: String)
    case locked(path: String, holder: String)
    case cannotOpen(path: String, reason: String)
    case damaged(path: String, reason: String)
    case notDurable(setting: String, value: String)
    case traceRemains(String)
    case isFolder(String)
    case noFolder(String)
    case leftBehind(log: String, of: String)
    case ledgersOwnName(String)
    case beingMade(String)
    case cannotWrite(path: String, reason: String)
    /// A file that has its name, which a power failure may take.
    case nameNotSynced(path: String, reason: String)
    /// What is to be copied: whoever writes it may go on.
    case cannotRead(path: String, reason: String)
    case outOfReach(path: String, reason: String)
    /// - `bytes`, `free`: where they are known.
    case noRoom(path: String, bytes: Int64?, free: Int64?)
    case inTheWay(String)
    case noBackup(String)
    case notABackup(String)
    case damagedBackup(path: String, reason: String)
    /// No room on the disk, or none for this user: goes on by itself when there is.
    case diskFull(String)
    /// Reading, writing or syncing failed: what has reached the disk only the next process can tell.
    case diskFailed(path: String, reason: String)
    /// Another program, as a shell, holds SQLite's own lock for longer than meterd waits.
    case busy(String)
    /// The path leads to another file than the one that is open, or to none: what is committed may be lost with that.
    case replaced(String)
    /// A reader keeps the log from being emptied, and it has reached its bound.
    case logHeld(path: String, mostBytes: Int)

    package var description: String {
        switch self {
        case .noSuchFile(let path):
            "no ledger at \(path); make one with 'meterd init --db \(path)', or name another with --db or METERD_DB"
        case .alreadyThere(let path):
            "\(path) is there already, and a ledger is never overwritten; choose another file"
        case .notALedger(let path):
            "\(path) is no ledger of meterd; name the right file with --db or METERD_DB"
        case .newerSchema(let path, let migration):
            "\(path) was written by a newer meterd (schema step \(migration)); use that version or a later one"
        case .changedMigration(let path, let migration):
            "\(path) was made by another build of meterd, whose schema step \(migration) differs; use that build"
        case .olderSchema(let path, let migration):
            "\(path) lacks schema step \(migration); run a command that writes, like 'meterd rate --date today', to bring it up"
        case .locked(let path, let holder):
            "\(path) is being written by \(holder); try again when it is done, or stop it if it is a daemon"
        case .cannotOpen(let path, let reason):
            "cannot open \(path): \(reason)" + Self.wayOutOfRefusal(path)
        case .damaged(let path, let reason):
            "\(path) is damaged: \(reason); \(Self.wayOutOfDamage(path))"
        case .notDurable(let setting, let value):
            "SQLite runs with \(setting) \(value), which may lose acknowledged events; put the ledger on a local file system "
                + "that this user may write"
        case .traceRemains(let path):
            "the change is made, but another program that reads \(path) keeps its old pages; end that program and run the same "
                + "command again"
        case .isFolder(let path):
            "\(path) is a folder; name a file in it"
        case .noFolder(let path):
            "cannot make \(path): its folder does not exist; make it with mkdir, or choose another file"
        case .leftBehind(let log, let path):
            "\(log) belongs to a ledger that was at \(path) and may hold its last commits; move it beside that ledger and "
                + "give it that ledger's new name with the same ending"
        case .ledgersOwnName(let path):
            "\(path) is the name of one of the ledger's own files; choose another file"
        case .beingMade(let path):
            "\(path) is being made by another command; wait for that, or choose another file"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason)" + Self.advice(onRefusedWrite: reason)
        case .nameNotSynced(let path, let reason):
            "\(path) is whole, but its folder can't be synced (\(reason)), so a power failure may still take the file away; "
                + "when the disk is well, remove the file and run the command again"
        case .cannotRead(let path, let reason):
            "cannot copy \(path), a part of it can't be read: \(reason); see what the kernel's log says of its disk"
        case .outOfReach(let path, let reason):
            "the daemon that has the ledger open makes the copy, but it can't write \(path): \(reason); choose a folder that the "
                + "daemon may write, like the ledger's own"
        case .noRoom(let path, let bytes, let free):
            "no room for \(path)" + Self.figures(bytes, free) + "; make room, or choose another disk"
        case .inTheWay(let path):
            "\(path) is there already, and a backup is never restored over a ledger; move it away together with \(path)-wal "
                + "and \(path)-shm, or choose another file with --db"
        case .noBackup(let path):
            "there is no \(path) to restore; name a file that 'meterd backup' made"
        case .notABackup(let path):
            "\(path) is no ledger of meterd; name a file that 'meterd backup' made"
        case .damagedBackup(let path, let reason):
            "\(path) is damaged: \(reason); restore another backup"
        case .diskFull(let path):
            "there is no room on the disk of \(path); make room and try again, nothing is done twice"
        case .diskFailed(let path, let reason):
            "\(path) can't be used: \(reason); see what the kernel's log says of the disk. What was acknowledged is "
                + "stored; try again when the disk is well"
        case .busy(let path):
            "another program keeps \(path) locked, perhaps an sqlite3 shell with an open transaction; end it and try again, "
                + "nothing is done twice"
        case .replaced(let path):
            "\(path) was moved, removed or replaced while meterd had it open; move it back, or start again with the right "
                + "file. Nothing is done twice"
        case .logHeld(let path, let mostBytes):
            "another program has been reading \(path) for so long that the log beside it has reached its bound of "
                + "\(mostBytes >> 20) MiB; end that program, perhaps an sqlite3 shell with an open transaction or a long "
                + "meterd command, and try again; nothing is done twice"
        }
    }

    /// Whether nothing more may be written by this process.
    package var isFatal: Bool {
        switch self {
        case .damaged, .diskFailed: true
        default: false
        }
    }

    /// Whether it tells what the file holds, rather than how the machine or other programs are just now.
    package var isOfTheFile: Bool {
        switch self {
        case .notALedger, .newerSchema, .changedMigration, .olderSchema, .damaged: true
        default: false
        }
    }

    /// Where the system refuses what a writer needs.
    private static func wayOutOfRefusal(_ path: String) -> String {
        path.hasSuffix(".lock") ? "; run the command as the user who owns the ledger and may write its folder" : ""
    }

    /// What to do where the name or the rights are wrong; of a failing disk the reason says enough.
    private static func advice(onRefusedWrite reason: String) -> String {
        switch reason {
        case let reason where reason.contains("No such file"): "; make its folder first, or choose another file"
        case let reason where reason.contains("ermission") || reason.contains("Read-only"):
            "; choose a folder that this user may write, or run the command as its owner"
        default: ""
        }
    }

    private static func figures(_ bytes: Int64?, _ free: Int64?) -> String {
        guard let bytes, let free else { return "" }
        return ": it takes \(counted(bytes, "byte")), and \(grouped(free)) are free"
    }

    /// What to do with a file that is damaged.
    package static func wayOutOfDamage(_ path: String) -> String {
        "move it, \(path)-wal and \(path)-shm aside and restore the newest backup with 'meterd restore'; "
            + "'sqlite3 FILE .recover' prints what can still be read of it"
    }

    /// Whether the file needs a newer program: a status of its own tells scripts so.
    package var isNewerSchema: Bool {
        if case .newerSchema = self { return true }
        return false
    }
}
