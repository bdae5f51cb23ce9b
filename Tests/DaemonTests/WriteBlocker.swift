// Other programs at the ledger's file: one that keeps everybody else from writing, one that reads for long.

import Foundation
import GRDB

/// A write transaction of another program on the ledger's file, until it is released. Writers wait 10 seconds for it.
final class WriteBlocker {
    private let queue: DatabaseQueue

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        // Whoever is just committing has it first.
        configuration.busyMode = .timeout(20)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    }

    func release() throws {
        try queue.inDatabase { try $0.execute(sql: "ROLLBACK") }
        try queue.close()
    }
}

/// A read transaction of another program, until it is released: what it sees may not be moved into the file.
final class HeldRead {
    private let queue: DatabaseQueue

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.readonly = true
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN; SELECT count(*) FROM ledger_entry") }
    }

    func release() throws {
        try queue.inDatabase { try $0.execute(sql: "COMMIT") }
        try queue.close()
    }
}

extension DaemonScene {
    /// How many ends of connections there are at the daemon's socket for commands, its listening one among them.
    func commandConnections() throws -> Int {
        try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n").count {
            $0.hasSuffix(" \(ledger).sock")
        }
    }

    /// Whether some process holds the writer's lock.
    var isLocked: Bool {
        let descriptor = open(ledger + ".lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }
}
