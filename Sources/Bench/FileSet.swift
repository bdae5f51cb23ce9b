// A database's file with those beside it: its size, copies of it, its end.

import Foundation

enum FileSet {
    /// The file and its log; what else lies beside a ledger holds no data.
    private static let parts = ["", "-wal"]
    private static let all = ["", "-wal", "-shm", ".lock", ".sock"]

    static func bytes(_ path: String) -> Int {
        parts.reduce(0) { sum, part in
            var state = stat()
            return sum + (stat(path + part, &state) == 0 ? Int(state.st_size) : 0)
        }
    }

    /// Copies a database that nobody has open; the copy is on the disk before this returns, so that its writing does not
    /// fall into a measurement.
    static func copy(_ path: String, to copy: String) throws {
        remove(copy)
        for part in parts where FileManager.default.fileExists(atPath: path + part) {
            try FileManager.default.copyItem(atPath: path + part, toPath: copy + part)
            try sync(copy + part)
        }
    }

    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, fsync(descriptor) == 0 else { throw BenchFailure(system: path) }
        close(descriptor)
    }

    static func remove(_ path: String) { for part in all { unlink(path + part) } }
}
