// What can be wrong with a ledger's file, and what to do about each.

import Foundation
import Quantities

package enum StorageError: Error, Equatable, CustomStringConvertible {
    case noSuchFile(String)
    case alreadyThere(String)
    case notALedger(String)
    case newerSchema(path: String, migration: String)
    case changedMigration(path: String, migration: String)
    case olderSchema(path: String, migration: String)
    /// The file holds other tables, views, indexes or triggers than its steps make. A sentence for each difference.
    case alteredSchema(path: String, differences: [String])
    case alteredBackup(path: String, differences: [String])
    /// Something that has a path and holds no bytes: a FIFO, a socket, a device.
    case notAFile(path: String, kind: String)
    /// A file with hard links: each name would have a log of its own.
    case severalNames(path: String, count: Int)
    /// Where a ledger's own file belongs, there is something that meterd has not made.
    case foreignFile(path: String, what: String)
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
            "no ledger at \(Self.withWholePath(path)); name the ledger with --db FILE or METERD_DB, or, to begin a new "
                + "one, run 'meterd init'"
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
        case .alteredSchema(let path, let differences):
            "\(path) is not as meterd made it: \(Self.first(of: differences)). Nothing is written to such a file, "
                + "because a foreign trigger or index changes what is counted. Restore a backup with 'meterd restore'; or "
                + "take away what was added, with sqlite3, and see what 'meterd verify' says then"
        case .alteredBackup(let path, let differences):
            "\(path) is not as meterd made it: \(Self.first(of: differences)); restore another backup"
        case .notAFile(let path, let kind):
            "\(path) is \(kind), not a file; name a file"
        case .severalNames(let path, let count):
            "\(path) has \(count) names (hard links), and SQLite keeps a log for each name, so that by one of them the last "
                + "commits would be missing. Make copies with 'meterd backup'; remove the other name ('find -samefile "
                + "\(path)' finds it), and keep the one that has a -wal file beside it"
        case .foreignFile(let path, let what):
            "\(path) should be a file of the ledger's own, but it \(what); meterd did not make it and leaves it alone. Remove "
                + "it, after a look at who put it there, and try again"
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
        case .notALedger, .newerSchema, .changedMigration, .olderSchema, .alteredSchema, .damaged: true
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

    /// A relative path with what it stands for: somebody in the wrong folder sees where meterd looked.
    private static func withWholePath(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(path) (\(LedgerFile.absolute(path)))"
    }

    /// As many differences as a message can hold.
    package static func first(of differences: [String]) -> String {
        let shown = differences.prefix(3).joined(separator: ", ")
        return differences.count <= 3
            ? shown : "\(shown), and \(counted(Int64(differences.count - 3), "more difference"))"
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
