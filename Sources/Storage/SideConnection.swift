// A second connection of the process that writes a ledger: it reads on a thread of its own, and never writes.

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
        let (hasBegun, outcome) = (Awaited<Void>(), Awaited<Result<Value, any Error>>())
        queue.asyncRead { access in
            outcome.leave(
                Result {
                    let database = try access.get()
                    // A transaction's snapshot is taken by its first statement, not by its beginning.
                    _ = try Row.fetchOne(database, sql: "SELECT 1 FROM sqlite_schema")
                    hasBegun.leave(())
                    return try block(database)
                })
            // Also where it failed before.
            hasBegun.leave(())
        }
        hasBegun.wait()
        while true {
            // Once at least, so that whoever waits is served as often as there are transactions, however fast the read.
            do {
                try between()
            } catch {
                // The connection is free only when the block has ended. Again and again: a statement that begins after an
                // interruption knows nothing of it.
                repeat { queue.interrupt() } while outcome.value(withinSeconds: Self.pollSeconds) == nil
                throw error
            }
            if let result = outcome.value(withinSeconds: Self.pollSeconds) { return try result.get() }
        }
    }
}
