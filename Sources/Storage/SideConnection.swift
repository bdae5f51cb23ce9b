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
            if let result = reading.result(withinSeconds: Self.pollSeconds) { return try result.get() }
            do {
                try between()
            } catch {
                // The connection is free only when the block has ended.
                queue.interrupt()
                reading.waitUntilEnded()
                throw error
            }
        }
    }
}

/// How far a reading has come, told from its thread to the one that waits.
private final class Reading<Value: Sendable>: @unchecked Sendable {
    // Semaphores wait by the steady clock: one that is set does not make the writer sleep on.
    private let begun = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    /// Written before `ended` is signalled, read after.
    private var outcome: Result<Value, any Error>?

    func begin() { begun.signal() }

    func end(_ result: Result<Value, any Error>) {
        outcome = result
        ended.signal()
        // Also where it has failed before it began.
        begun.signal()
    }

    func waitUntilBegun() { begun.wait() }
    func waitUntilEnded() { ended.wait() }

    /// - Returns: nil when it is still going on.
    func result(withinSeconds seconds: Double) -> Result<Value, any Error>? {
        ended.wait(timeout: .now() + seconds) == .success ? outcome : nil
    }
}
