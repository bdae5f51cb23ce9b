// A second connection of the process that writes a ledger: it reads on a thread of its own, and never writes.

import Foundation
import GRDB

/// Opened when it is first used. It is asked by one thread at a time.
final class SideConnection: @unchecked Sendable {
    private let open: @Sendable () throws -> DatabaseQueue
    private var queue: DatabaseQueue?

    /// How long a writer that has something to do may have to wait until it is asked again.
    private static let pollSeconds = 0.0005

    init(open: @escaping @Sendable () throws -> DatabaseQueue) { self.open = open }

    func close() throws {
        try queue?.close()
        queue = nil
    }

    func read<Value: Sendable>(
        between: () throws -> Void, _ block: @escaping @Sendable (Database) throws -> Value
    ) throws -> Value {
        let queue = try queue ?? open()
        self.queue = queue
        let reading = Reading<Value>()
        queue.asyncRead { access in
            reading.end(
                Result {
                    let database = try access.get()
                    // A transaction's snapshot is taken by its first statement, not by its beginning.
                    _ = try Row.fetchOne(database, sql: "SELECT 1 FROM sqlite_schema")
                    reading.begin()
                    return try block(database)
                })
        }
        reading.waitUntilBegun()
        while true {
            // Once at least, so that whoever waits is served as often as there are transactions, however fast the read.
            do {
                try between()
            } catch {
                // The connection is free only when the block has ended.
                queue.interrupt()
                reading.waitUntilEnded()
                throw error
            }
            if let result = reading.result(withinSeconds: Self.pollSeconds) { return try result.get() }
        }
    }
}

/// How far a reading has come, told from its thread to the one that waits.
private final class Reading<Value: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var hasBegun = false
    private var outcome: Result<Value, any Error>?

    func begin() {
        condition.withLock {
            hasBegun = true
            condition.broadcast()
        }
    }

    func end(_ result: Result<Value, any Error>) {
        condition.withLock {
            outcome = result
            condition.broadcast()
        }
    }

    func waitUntilBegun() {
        condition.withLock { while !hasBegun, outcome == nil { condition.wait() } }
    }

    func waitUntilEnded() {
        condition.withLock { while outcome == nil { condition.wait() } }
    }

    /// - Returns: nil when it is still going on.
    func result(withinSeconds seconds: Double) -> Result<Value, any Error>? {
        condition.withLock {
            let deadline = Date(timeIntervalSinceNow: seconds)
            while outcome == nil, condition.wait(until: deadline) {}
            return outcome
        }
    }
}
