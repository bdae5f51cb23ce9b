// The nightly job: rates the day that has ended, and after a time off all that were missed.

package import Foundation
import HTTPAPI
import LedgerStore
import Logging
import Operations
package import Quantities
import RatingRun
import ServiceLifecycle
package import Settings
import Writer

/// Rates each day once the set time of the following day has come, by the ledger's time zone; when it starts, at once
/// what that rule asks for by then.
package struct NightlyRating: Service {
    let writer: LedgerWriter
    let clock: LedgerClock
    let reader: LedgerReader
    let timeZone: TimeZone
    /// nil: something else rates.
    let rateAt: TimeOfDay?
    /// Ends when the daemon listens: one that can't should leave the ledger as it was.
    let listening: AsyncStream<Never>
    let logger: Logger

    /// How often to look at the clock, which may be set: a timer until midnight would sleep through that.
    private static let lookEvery = Duration.seconds(5)
    /// How long to wait after a run that failed.
    private static let retryAfter = Duration.seconds(600)

    package func run() async throws {
        guard let rateAt else {
            logger.notice("no nightly rating: rate_at is off")
            return try await gracefulShutdown()
        }
        do {
            try await cancelWhenGracefulShutdown { try await rateEachDay(rateAt) }
        } catch is CancellationError {
            // Asked to stop.
        }
    }

    private func rateEachDay(_ rateAt: TimeOfDay) async throws {
        for await _ in listening {}
        try Task.checkCancellation()
        // Not only the later day is due: a clock that ran ahead and was set right makes an earlier one due again.
        var rated: Day?
        while true {
            if let now = await now() {
                let due = Self.dayDue(at: now, rateAt, in: timeZone)
                if due != rated {
                    switch await rate(due) {
                    case .done: rated = due
                    // It is logged already, and over as soon as the clock is right.
                    case .clockIsWrong: break
                    case .failed:
                        try await Task.sleep(for: Self.retryAfter)
                        continue
                    }
                }
            }
            try await Task.sleep(for: Self.lookEvery)
        }
    }

    /// - Returns: nil while nobody knows what time it is: the machine's clock is not believed, or a test clock was never
    ///   told the time.
    private func now() async -> Instant? {
        do {
            return try await reader.read { [clock] in try clock.now(LedgerProperties.read($0), LedgerState.read($0)) }
        } catch is LedgerError {
            return nil
        } catch {
            // The rating will meet what is wrong with the file, and log it.
            return clock.given ?? clock.machine.wall
        }
    }

    /// The last day whose rating is due: yesterday once the time of day has come, until then the day before.
    package static func dayDue(at now: Instant, _ rateAt: TimeOfDay, in zone: TimeZone) -> Day {
        let date = Date(timeIntervalSince1970: Double(now.micros / 1_000_000))
        let local = Int(now.micros / 1_000_000) + zone.secondsFromGMT(for: date)
        let secondOfDay = ((local % 86_400) + 86_400) % 86_400
        let hasCome = secondOfDay >= (rateAt.hour * 60 + rateAt.minute) * 60
        return LedgerDays.date(of: now, in: zone) - (hasCome ? 1 : 2)
    }

    private enum Outcome { case done, clockIsWrong, failed }

    private func rate(_ day: Day) async -> Outcome {
        let start = ContinuousClock.now
        do {
            let report = try await writer.perform(RateDay(day), clock: clock)
            logger.notice(
                "rated",
                metadata: [
                    "through": "\(day)", "entries": "\(report.appended.count)",
                    "settled_through": "\(report.settled.last.map { "\($0)" } ?? "-")",
                    "seconds": "\((ContinuousClock.now - start) / .seconds(1))",
                ])
            // Done for this day as far as it goes; what keeps them from being rated does not pass by itself.
            for unrated in report.unrated {
                logger.error("a tenant could not be rated", metadata: ["through": "\(day)", "error": "\(unrated)"])
            }
            return .done
        } catch WriterError.stopping {
            return .failed
        } catch let error as LedgerError where error.isOfMachineClock {
            return .clockIsWrong
        } catch {
            logger.error(
                "rating failed; it will be tried again", metadata: ["through": "\(day)", "error": "\(error)"])
            return .failed
        }
    }
}
