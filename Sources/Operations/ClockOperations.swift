// The ledger's clock: what it shows, a person's word that it is right, and a daemon's record that time has passed.

package import LedgerStore

/// Tells what the clock shows to the process that has the ledger open, which may have seen the time pass.
package struct ReadClock: LedgerOperation {
    package static let name = "clock"

    package init() {}

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> ClockReport {
        try ledger.report(on: clock)
    }
}

package struct ConfirmClock: LedgerOperation {
    package static let name = "clock.confirm"

    package init() {}

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> ClockReport {
        try ledger.confirm(clock)
    }
}

/// A daemon's own: records what time it is, and makes up for what could not be prepared while nobody knew.
package struct RecordInstant: LedgerOperation {
    package static let name = "clock.record"

    package init() {}

    package struct Answer: Codable, Sendable {}

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer {
        try ledger.recordInstant(clock: clock)
        try ledger.makeReady(clock: clock)
        return Answer()
    }
}
