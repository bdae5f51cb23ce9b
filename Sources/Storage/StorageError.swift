// What can be wrong with a ledger's file, each with the way out.

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
    case outOfReach(path: String, reason: String)
    /// - `bytes`, `free`: where they are known.
    case noRoom(path: String, bytes: Int64?, free: Int64?)
    case inTheWay(String)
    case noBackup(String)
    case notABackup(String)
    case damagedBackup(path: String, reason: String)

    package var description: String {
        switch self {
        case .noSuchFile(let path):
            "no ledger at \(path); make one with 'meterd init --db \(path)', or name another with --db or METERD_DB"
        case .alreadyThere(let path):
            "\(path) is there already; a ledger is never overwritten, choose another file"
        case .notALedger(let path):
            "\(path) is no ledger of meterd; name the right file with --db or METERD_DB"
        case .newerSchema(let path, let migration):
            "\(path) was written by a newer meterd (schema step \(migration)); use that version or a later one"
        case .changedMigration(let path, let migration):
            "\(path) was made with another text of schema step \(migration) than this meterd has; "
                + "use the build that made it"
        case .olderSchema(let path, let migration):
            "\(path) lacks schema step \(migration); run any command that writes, as 'meterd rate', to bring it up"
        case .locked(let path, let holder):
            "\(path) is being written by \(holder); try again when it is done"
        case .cannotOpen(let path, let reason):
            "cannot open \(path): \(reason)"
        case .damaged(let path, let reason):
            "\(path) is damaged: \(reason); \(Self.wayOutOfDamage(path))"
        case .notDurable(let setting, let value):
            "SQLite runs with \(setting) \(value), which may lose what was acknowledged; is the file system writable?"
        case .traceRemains(let path):
            "it is done, but another program reads \(path) and keeps its old pages; "
                + "end that program and run the same command again"
        case .isFolder(let path):
            "\(path) is a folder; name a file in it"
        case .noFolder(let path):
            "cannot make \(path): its folder is not there; make it first"
        case .leftBehind(let log, let path):
            "\(log) is of a ledger that was at \(path) and may hold what it committed last; move it to that ledger, "
                + "to its new name with the same ending"
        case .ledgersOwnName(let path):
            "\(path) is a name that the ledger's own files have; choose another file"
        case .beingMade(let path):
            "\(path) is being made by another command; wait for that, or choose another file"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason)"
        case .outOfReach(let path, let reason):
            "the daemon has the ledger open and makes the copy, but can't write \(path): \(reason); choose a folder "
                + "that it may write, as the ledger's is"
        case .noRoom(let path, let bytes, let free):
            "no room for \(path)" + Self.figures(bytes, free) + "; make room, or choose another disk"
        case .inTheWay(let path):
            "\(path) is there already, and nothing is restored over a ledger; move it away, \(path)-wal and "
                + "\(path)-shm with it, or choose another file with --db"
        case .noBackup(let path):
            "there is no \(path) to restore; name a file that 'meterd backup' made"
        case .notABackup(let path):
            "\(path) is no ledger of meterd; name a file that 'meterd backup' made"
        case .damagedBackup(let path, let reason):
            "\(path) is damaged: \(reason); restore another backup"
        }
    }

    private static func figures(_ bytes: Int64?, _ free: Int64?) -> String {
        guard let bytes, let free else { return "" }
        return ": it takes \(counted(bytes, "byte")), and \(grouped(free)) are free"
    }

    /// What to do with a file that is damaged.
    package static func wayOutOfDamage(_ path: String) -> String {
        "move it and \(path)-wal aside and put the newest backup in their place; "
            + "'sqlite3 FILE .recover' prints what can still be read of it"
    }

    /// Whether the file needs a newer program: a status of its own tells scripts so.
    package var isNewerSchema: Bool {
        if case .newerSchema = self { return true }
        return false
    }
}
