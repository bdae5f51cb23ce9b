// How a command writes a ledger: through the daemon that has it open, or by opening it itself.

import Foundation
package import Ingestion
package import LedgerStore
package import Operations
import Storage
package import UsageStore

/// Whoever writes the ledger for this command. What is asked gives the same result either way.
package enum LedgerAccess {
    case here(OpenLedger)
    case daemon(DaemonConnection)

    /// Finds the daemon, else opens the ledger, waiting for another command that writes it.
    ///
    /// - Parameters:
    ///   - onWait: called once, with the holder of the lock, when it is not free at once.
    ///   - onUpgrade: called before the schema is brought up, with where the file is kept as it was.
    /// - Throws: `StorageError`, ``DaemonError``.
    package static func open(
        at path: String, waitSeconds: Int = 60, onWait: (_ holder: String) -> Void = { _ in },
        onUpgrade: (_ backup: String) -> Void = { _ in }
    ) throws -> LedgerAccess {
        let deadline = ContinuousClock.now + .seconds(waitSeconds)
        var told = false
        while true {
            if let connection = try DaemonConnection(ledger: path) { return .daemon(connection) }
            do {
                let file = try LedgerFile.openForWriting(at: path, waitSeconds: 0, onUpgrade: onUpgrade)
                return .here(try OpenLedger(file: file))
            } catch StorageError.locked(let path, let holder) {
                guard ContinuousClock.now < deadline else { throw StorageError.locked(path: path, holder: holder) }
                if !told { onWait(holder) }
                told = true
                usleep(20_000)
            }
        }
    }

    package func perform<Operation: LedgerOperation>(
        _ operation: Operation, clock: LedgerClock
    ) throws -> Operation.Answer {
        switch self {
        case .here(let ledger): try operation.perform(on: ledger, clock: clock)
        case .daemon(let connection): try connection.perform(operation, clock: clock)
        }
    }

    /// Makes ready for a day of arrivals; the daemon sees to that itself.
    package func prepareIngestion(clock: LedgerClock) throws {
        if case .here(let ledger) = self { try ledger.prepareIngestion(clock: clock) }
    }

    /// Keys the hashes of the events that ``ingest(_:scanned:clock:)`` takes; nil where the daemon scans them.
    package var key: FingerprintKey? {
        if case .here(let ledger) = self { return ledger.eventKey }
        return nil
    }

    /// Stores events.
    ///
    /// - Returns: all counts, and the first few refusals.
    /// - Parameters:
    ///   - lines: a JSON text each; nil for one that is over the bound of an event.
    ///   - scanned: the same lines, where that has been done already, with ``key``.
    package func ingest(
        _ lines: some Sequence<UnsafeBufferPointer<UInt8>?>, scanned: EventBatch? = nil, clock: LedgerClock
    ) throws -> BatchReport {
        switch self {
        case .here(let ledger):
            // A ledger that was replaced by another since has another key.
            if let scanned, scanned.isKeyed(by: ledger.eventKey) {
                return try ledger.ingest(scanned, clock: clock).withExamples
            }
            let batch = EventBatch(key: ledger.eventKey)
            for line in lines { batch.add(line: line) }
            return try ledger.ingest(batch, clock: clock).withExamples
        case .daemon(let connection): return try connection.ingest(Array(lines), clock: clock)
        }
    }

    /// Lets others write the ledger; nothing can be done with this any more.
    package func close() throws {
        if case .here(let ledger) = self { try ledger.close() }
    }
}
