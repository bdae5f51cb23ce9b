// Reads of the ledger for many clients at once, none of them long.

import Dispatch
package import GRDB
import NIOConcurrencyHelpers
import Storage

/// A few connections for reading. A read is one transaction, and bounded in time: a transaction that goes on pins the
/// WAL, which then grows with all that is written meanwhile.
package final class LedgerReader: Sendable {
    private let files: [LedgerFile]
    private let timeoutMs: Int
    /// How many reads each connection has before it.
    private let waiting: NIOLockedValueBox<[Int]>

    /// - Throws: `StorageError`.
    package init(path: String, connections: Int = 2, timeoutMs: Int = 10_000) throws {
        files = try (0..<connections).map { _ in try LedgerFile.openForReading(at: path) }
        self.timeoutMs = timeoutMs
        waiting = NIOLockedValueBox(Array(repeating: 0, count: connections))
    }

    /// Runs a block in one read transaction, without blocking the thread of the caller.
    ///
    /// - Throws: ``ProblemError``, 503, when it isn't done in time, the wait for its turn included: its statement is
    ///   interrupted. What the block throws.
    package func read<Value: Sendable>(
        _ block: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let index = waiting.withLockedValue { waiting in
            let index = waiting.indices.min { waiting[$0] < waiting[$1] } ?? 0
            waiting[index] += 1
            return index
        }
        defer { waiting.withLockedValue { $0[index] -= 1 } }
        let file = files[index]
        let task = Task { try await file.readInBackground(block) }
        // The timer has a thread of its own: time is up also when all others are busy.
        let timer = DispatchWorkItem { task.cancel() }
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(timeoutMs), execute: timer)
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch  where task.isCancelled && !Task.isCancelled {
            throw ProblemError.unavailable(
                "the read took longer than \(Double(timeoutMs) / 1000) s and was stopped; "
                    + "ask for less (a tenant, fewer days), or again later",
                retryAfterSeconds: 5)
        }
    }
}
