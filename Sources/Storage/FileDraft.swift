// A file that is made beside its name, as `NAME.making`, and gets the name once it is whole and on the disk.

import Foundation

/// A draft, to be named to another process: where it is, and which file that is.
package struct DraftAddress: Codable, Sendable {
    let path: String
    /// The name that it is to get, for messages.
    let target: String
    let device: UInt64
    let inode: UInt64

    /// Whether an open file is the one that is meant: the same path may lead another process elsewhere.
    func isFile(_ descriptor: Int32) -> Bool {
        let file = FileIdentity(of: descriptor)
        return file?.device == device && file?.inode == inode
    }
}

/// Until it is published it is this value's alone, whatever other processes make, and goes with this value. Who is killed
/// leaves `NAME.making` behind, which the next draft of the same name removes.
package final class FileDraft {
    /// The name that it gets.
    package let path: String
    /// Where it is made.
    package let making: String
    /// Open from before the first byte is written, so that no error of writing back is missed, and locked.
    private let descriptor: Int32
    private var isPublished = false
    /// Why flushing failed: the system tells it once.
    private var flushError: Int32?

    /// What SQLite may put beside a file of its own, and takes for a part of it.
    private static let companions = ["-wal", "-shm", "-journal"]

    /// - Parameter path: nothing is there yet.
    /// - Throws: ``StorageError``.
    package convenience init(of path: String) throws(StorageError) {
        try self.init(of: path, permissions: FileAccess.most)
    }

    /// - Parameters:
    ///   - path: nothing is there yet.
    ///   - original: a file that may be read by the same users; beyond ``FileAccess/most`` by none.
    ///   - ownerOf: when root makes it: whose file or folder tells the user and group that get it.
    /// - Throws: ``StorageError``.
    package convenience init(
        of path: String, like original: String, ownerOf: String
    ) throws(StorageError) {
        // A draft that was left behind may itself be what is to be copied.
        guard LedgerFile.resolved(path + ".making") != LedgerFile.resolved(original) else {
            throw .cannotWrite(
                path: path,
                reason: "it would be made as \(path).making, which is what is to be copied; rename that first")
        }
        guard let status = FileStatus(of: original) else { throw Self.failure(original) }
        try self.init(of: path, permissions: FileAccess.permissions(like: status))
        guard geteuid() == 0, let owner = FileStatus(of: ownerOf) else { return }
        guard fchown(descriptor, owner.owner, owner.group) == 0 else { throw Self.failure(making) }
    }

    /// - Parameter permissions: the process's mask takes bits away, as it does from every file of SQLite's.
    private init(of path: String, permissions: mode_t) throws(StorageError) {
        try Self.checkIsFree(path)
        let making = path + ".making"
        self.path = path
        self.making = making
        descriptor = try Self.take(making, of: path, permissions)
        removeCompanions(of: making)
    }

    deinit {
        guard !isPublished else { return }
        unlink(making)
        removeCompanions(of: making)
        unlock()
    }

    package var address: DraftAddress {
        guard let file = FileIdentity(of: descriptor) else { preconditionFailure("an open file has a status") }
        return DraftAddress(
            path: LedgerFile.resolved(making), target: path, device: file.device, inode: file.inode)
    }

    /// Runs a block, and brings to the disk meanwhile what it or another process writes into the file. Left to the end, it
    /// would come all at once, and whoever else syncs a file then would wait for all of it.
    package func flushing<Value>(_ block: () throws -> Value) rethrows -> Value {
        let flusher = Flusher(descriptor)
        defer { flushError = flusher.end() }
        return try block()
    }

    /// Gives the file its name, for good also if the power fails now. Nobody writes it any more, and nothing of this value
    /// is used afterwards.
    ///
    /// - Throws: ``StorageError``; then there is no file of that name, unless it is the folder that can't be synced.
    package func publish() throws(StorageError) {
        if let flushError { throw .cannotWrite(path: path, reason: String(cString: strerror(flushError))) }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        try Self.checkIsFree(path)
        removeCompanions(of: path)
        guard rename(making, path) == 0 else { throw Self.failure(path) }
        isPublished = true
        removeCompanions(of: making)
        // Not later: when it is closed, all locks go that SQLite may by then hold on the same file in this process.
        unlock()
        try Self.syncName(path)
    }

    /// Closing alone would leave the lock to a child that this process is just starting.
    private func unlock() {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Sees that a file's name is on the disk.
    ///
    /// - Throws: ``StorageError/nameNotSynced(path:reason:)``.
    static func syncName(_ path: String) throws(StorageError) {
        if let error = syncFolder(of: path) {
            throw .nameNotSynced(path: path, reason: String(cString: strerror(error)))
        }
    }

    /// - Returns: nil, or why it can't be synced.
    static func syncFolder(of path: String) -> CInt? {
        let descriptor = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // Not every file system knows how to sync a folder.
        return fsync(descriptor) == 0 || errno == EINVAL ? nil : errno
    }

    /// - Throws: ``StorageError`` when something is there, or what would be taken for a part of the file, or no folder.
    static func checkIsFree(_ path: String) throws(StorageError) {
        if let there = FileStatus(of: path, followingLinks: false) {
            guard !there.isFolder else { throw .isFolder(path) }
            throw .alreadyThere(path)
        }
        for log in [path + "-wal", path + "-journal"] {
            // Empty ones, as a ledger leaves them that was closed in order, say nothing.
            if let left = FileStatus(of: log, followingLinks: false), left.bytes > 0 {
                throw .leftBehind(log: log, of: path)
            }
        }
        guard FileStatus(of: folder(of: path)) != nil else { throw .noFolder(path) }
    }

    private static func folder(of path: String) -> String { URL(filePath: path).deletingLastPathComponent().path }

    private func removeCompanions(of path: String) {
        for suffix in Self.companions { unlink(path + suffix) }
    }

    /// Makes a file for this value alone. What a draft that was killed has left under its name is removed; it is another
    /// file, so that whoever still writes into that one, as a daemon whose command was killed, harms nothing.
    private static func take(_ making: String, of path: String, _ mode: mode_t) throws(StorageError) -> Int32 {
        while true {
            let descriptor = open(making, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
            if descriptor < 0 {
                guard errno == EEXIST else { throw failure(path) }
                try removeLeftBehind(making, of: path)
            } else {
                if flock(descriptor, LOCK_EX | LOCK_NB) == 0, isNamed(descriptor, making) { return descriptor }
                // Another took it for left behind, just now.
                close(descriptor)
            }
        }
    }

    private static func removeLeftBehind(_ making: String, of path: String) throws(StorageError) {
        guard access(making + ".lock", F_OK) != 0 else {
            throw .cannotWrite(
                path: path, reason: "it would be made as \(making), which is a ledger; choose another file")
        }
        let descriptor = open(making, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            let reason = String(cString: strerror(errno))
            guard let there = FileStatus(of: making, followingLinks: false) else { return }
            throw .cannotWrite(
                path: path,
                reason:
                    "it would be made as \(making), which is \(there.isFile ? reason : there.kind); remove that first")
        }
        defer { close(descriptor) }
        guard let left = FileStatus(of: descriptor), left.isFile else {
            throw .cannotWrite(path: path, reason: "it would be made as \(making), which is no file; remove that first")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK ? .beingMade(path) : failure(path)
        }
        if isNamed(descriptor, making) { unlink(making) }
    }

    private static func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
        guard let opened = FileIdentity(of: descriptor) else { return false }
        return opened == FileIdentity(of: path, followingLinks: false)
    }

    private static func failure(_ path: String) -> StorageError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}

/// Syncs a file again and again, on a thread of its own.
private final class Flusher: Sendable {
    private let mayEnd = Awaited<Void>()
    /// The error that has ended it before, 0 for none.
    private let ended = Awaited<Int32>()

    private static let pauseSeconds = 0.01

    init(_ descriptor: Int32) {
        let thread = Thread { [mayEnd, ended] in
            while mayEnd.value(withinSeconds: Self.pauseSeconds) == nil {
                if fdatasync(descriptor) != 0 { return ended.leave(errno) }
            }
            ended.leave(0)
        }
        thread.name = "flusher"
        thread.start()
    }

    /// Waits for the thread's end.
    ///
    /// - Returns: the error that has ended it before.
    func end() -> Int32? {
        mayEnd.leave(())
        let error = ended.wait()
        return error == 0 ? nil : error
    }
}
