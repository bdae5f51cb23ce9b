// Where a ledger is, what lies beside it, and who may read it: what is looked at before anything is opened.

import Foundation

extension LedgerFile {
    /// Whether others than the ledger's user and group may read it, or others than its user may write it.
    ///
    /// - Returns: its permissions as `chmod` takes them, as `644`; nil where they are no wider than meterd makes them.
    package var tooWidePermissions: String? {
        guard let permissions = FileStatus(of: path)?.permissions, permissions & 0o777 & ~FileAccess.most != 0 else {
            return nil
        }
        return String(permissions & 0o777, radix: 8)
    }

    /// A path from the root on, as the system would take it now; nothing need be there.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        return URL(filePath: FileManager.default.currentDirectoryPath + "/" + path).standardizedFileURL.path
    }

    /// The file that a path leads to: a ledger has one lock and one daemon, whatever links name it.
    package static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether a path, where nothing need be, names one of the files that belong to a ledger.
    package static func isOwnName(_ path: String, of ledger: String) -> Bool {
        let place = URL(filePath: path)
        let resolvedPlace = resolved(place.deletingLastPathComponent().path) + "/" + place.lastPathComponent
        let endings = ["-wal", "-shm", "-journal", ".lock", ".sock", ".making"]
        return endings.contains { resolvedPlace == resolved(ledger) + $0 }
    }

    static func checkPresence(_ path: String) throws {
        guard let file = FileStatus(of: path) else {
            guard errno != EACCES else {
                throw StorageError.cannotOpen(path: path, reason: String(cString: strerror(EACCES)))
            }
            throw StorageError.noSuchFile(path)
        }
        guard !file.isFolder else { throw StorageError.notALedger(path) }
        // Opening a FIFO would wait for somebody who writes into it.
        guard file.isFile else { throw StorageError.notAFile(path: path, kind: file.kind) }
        // SQLite names the log after the file: by another of its names it would find no log, or another one, and what was
        // committed last would be missing.
        guard file.links <= 1 else { throw StorageError.severalNames(path: path, count: file.links) }
        try checkCompanions(of: path)
    }

    /// Sees that what SQLite will open beside the file is its own. SQLite follows no link there, but waits at a FIFO; and
    /// what root opens through a hard link it would give to the ledger's owner.
    private static func checkCompanions(of path: String) throws {
        for companion in ["-wal", "-shm", "-journal"].map({ resolved(path) + $0 }) {
            guard let file = FileStatus(of: companion, followingLinks: false) else { continue }
            guard file.isFile else { throw StorageError.foreignFile(path: companion, what: "is \(file.kind)") }
            guard file.links == 1 || geteuid() != 0 else {
                throw StorageError.foreignFile(path: companion, what: "has another name too (a hard link)")
            }
        }
    }
}
