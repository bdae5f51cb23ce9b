// One process writes a ledger at a time: a lock on a file of its own beside it, freed by the kernel when the process ends.

import Foundation
import Synchronization

/// An advisory lock on `<ledger>.lock`, which also says who holds it, and one on the ledger itself: a lock file that somebody
/// removes, and a second name (a hard link), would let in a second writer.
package final class WriterLock: Sendable {
    /// None once it is released.
    private let descriptors: Mutex<[Int32]>

    /// Takes the lock, waiting for another process that holds it.
    ///
    /// - Parameters:
    ///   - waitSeconds: how long to wait before giving up.
    ///   - onWait: called once, with the holder, when the lock is not free at once.
    /// - Throws: ``StorageError``: `locked` after the wait, `cannotOpen` where the folder takes no lock file.
    package init(
        ledger path: String, waitSeconds: Int, onWait: (_ holder: String) -> Void = { _ in }
    ) throws(StorageError) {
        let descriptor = try Self.openLockFile(of: path)
        var descriptors = [descriptor]
        // A moment at least: a child that this process is just starting, or another's, has its files until it is a program.
        let deadline = ContinuousClock.now + max(.seconds(waitSeconds), .milliseconds(250))
        var looks = 0
        func lock(_ descriptor: Int32, _ holder: () -> String) throws(StorageError) {
            // Where a file system has no such locks, the lock file's is all there is.
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                let holder = holder()
                if ContinuousClock.now >= deadline {
                    for descriptor in descriptors { Self.unlock(descriptor) }
                    throw .locked(path: path, holder: holder)
                }
                looks += 1
                if looks == 3 { onWait(holder) }
                usleep(20_000)
            }
        }
        try lock(descriptor) { Self.holder(descriptor) }
        // Before SQLite opens it, and closed after: with any descriptor of a file a process loses its other locks on it.
        let ledger = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if ledger >= 0 {
            descriptors.append(ledger)
            try lock(ledger) { "another process, by another name of the file or without its lock file" }
        }
        let note = "process \(getpid())\n"
        ftruncate(descriptor, 0)
        _ = note.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        self.descriptors = Mutex(descriptors)
    }

    deinit { release() }

    package func release() {
        descriptors.withLock { descriptors in
            for descriptor in descriptors { Self.unlock(descriptor) }
            descriptors = []
        }
    }

    /// Makes the lock file, or opens the one that is there. Nothing else is ever opened, cut or given away through its
    /// name: root may write a ledger in the folder of a user who has put a link there.
    private static func openLockFile(of ledger: String) throws(StorageError) -> Int32 {
        let path = ledger + ".lock"
        while true {
            let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FileAccess.most)
            if made >= 0 {
                giveToOwner(of: ledger, made)
                return made
            }
            guard errno == EEXIST else { throw .cannotOpen(path: path, reason: String(cString: strerror(errno))) }
            let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 {
                guard let what = foreignness(FileStatus(of: descriptor)) else { return descriptor }
                close(descriptor)
                throw .foreignFile(path: path, what: what)
            }
            let error = errno
            // Removed between the two calls.
            guard error != ENOENT else { continue }
            if let what = foreignness(FileStatus(of: path, followingLinks: false)) {
                throw .foreignFile(path: path, what: what)
            }
            throw .cannotOpen(path: path, reason: String(cString: strerror(error)))
        }
    }

    /// - Returns: nil for a plain file of one name, as a lock file is.
    private static func foreignness(_ file: FileStatus?) -> String? {
        guard let file else { return nil }
        guard file.isFile else { return "is \(file.kind)" }
        return file.links > 1 ? "has another name too (a hard link)" : nil
    }

    /// Closing alone would leave the lock to a child that this process is just starting, which has its descriptors until it
    /// becomes another program.
    private static func unlock(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// What root makes must not keep out the user whose ledger it is; SQLite does the same with its files.
    private static func giveToOwner(of path: String, _ descriptor: Int32) {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard geteuid() == 0, let owner = FileStatus(of: path) ?? FileStatus(of: folder) else { return }
        fchown(descriptor, owner.owner, owner.group)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let note = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        // The file may be anybody's.
        return note.wholeMatch(of: /process [0-9]+/) == nil ? "another process" : note
    }
}
