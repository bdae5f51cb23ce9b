// What a daemon does about its clock: records each hour what time it is, and tells the operator of one that is not believed.

import Foundation
import HTTPAPI
import LedgerStore
import Logging
import Operations
import ServiceLifecycle
import Writer

/// Keeps the latest recorded instant of a ledger close to the time, also while nothing is stored, so that a clock that
/// jumps is noticed by whatever looks at it next (Billing rules, section 4).
struct ClockWatch: Service {
    let writer: LedgerWriter
    let clock: LedgerClock
    let reader: LedgerReader
    /// A test clock stands still until it is told: there is nothing to watch.
    let hasTestClock: Bool
    /// Ends when the daemon listens: one that can't should leave the ledger as it was.
    let listening: AsyncStream<Never>
    let logger: Logger

    private static let lookEvery = Duration.seconds(1)
    private static let recordEvery = Duration.seconds(3_600)
    /// How long to wait after an instant that could not be recorded.
    private static let retryAfter = Duration.seconds(60)

    func run() async throws {
        guard !hasTestClock else { return try await gracefulShutdown() }
        do {
            try await cancelWhenGracefulShutdown { try await watch() }
        } catch is CancellationError {
            // Asked to stop.
        }
    }

    private func watch() async throws {
        for await _ in listening {}
        try Task.checkCancellation()
        var recordAt = ContinuousClock.now
        while true {
            do {
                if let doubt = try await doubt() {
                    writer.note(clockDoubt: doubt)
                    recordAt = .now
                } else if ContinuousClock.now >= recordAt {
                    recordAt = await .now + (record() ? Self.recordEvery : Self.retryAfter)
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // The ledger can't be read just now: whatever else is asked of it says why.
            }
            try await Task.sleep(for: Self.lookEvery)
        }
    }

    private func doubt() async throws -> LedgerError? {
        try await reader.read { [clock] in try clock.doubt(LedgerProperties.read($0), LedgerState.read($0)) }
    }

    private func record() async -> Bool {
        do {
            _ = try await writer.perform(RecordInstant(), clock: clock)
            writer.noteClockBelieved()
            return true
        } catch let error as WriterError {
            // Stopping, or it has been logged.
            if case .failed = error { note(error) }
        } catch let error as LedgerError where error.isOfMachineClock {
            writer.note(clockDoubt: error)
        } catch {
            note(error)
        }
        return false
    }

    private func note(_ error: any Error) {
        logger.error("the time could not be recorded; it will be tried again", metadata: ["error": "\(error)"])
    }
}
