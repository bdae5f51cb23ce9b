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
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: lockPath, reason: String(cString: strerror(errno)))
        }
        Self.giveToOwner(of: path, descriptor)
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
        let ledger = open(path, O_RDONLY | O_CLOEXEC)
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

    /// Closing alone would leave the lock to a child that this process is just starting, which has its descriptors until it
    /// becomes another program.
    private static func unlock(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// What root makes must not keep out the user whose ledger it is; SQLite does the same with its files.
    private static func giveToOwner(of path: String, _ descriptor: Int32) {
        var status = stat()
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard geteuid() == 0, stat(path, &status) == 0 || stat(folder, &status) == 0 else { return }
        fchown(descriptor, status.st_uid, status.st_gid)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let note = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return note.isEmpty ? "another process" : note
    }
}
