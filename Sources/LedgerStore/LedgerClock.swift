// What time it is for a command: the system's clock, or a test clock's given or latest instant.

import Foundation
package import Quantities

/// Read inside the transaction that stores by it (Billing rules, sections 4 and 10).
package struct LedgerClock: Hashable, Sendable {
    /// The `--now` of a command.
    package let given: Instant?

    /// - Parameter given: the `--now` of a command.
    package init(given: Instant?) { self.given = given }

    /// - Throws: ``LedgerError`` when an instant was given to a ledger without a test clock, or one that is earlier
    ///   than what the ledger has recorded.
    package func now(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> Instant {
        let now = try reading(properties, state)
        guard now >= Self.earliest else { throw .clockTooEarly(now) }
        return now
    }

    /// 1971-01-01T00:00:00Z: days are stored as numbers from 1970 on, and no clock that is set is earlier.
    private static let earliest = Instant(micros: 31_536_000_000_000)

    private func reading(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> Instant {
        guard properties.hasTestClock else {
            guard given == nil else { throw .notTestClock }
            return Self.system()
        }
        if let given {
            if let latest = state.latestInstant, given < latest { throw .clockGoesBack(now: given, latest: latest) }
            return given
        }
        return state.latestInstant ?? Self.system()
    }

    package static func system() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(micros: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
