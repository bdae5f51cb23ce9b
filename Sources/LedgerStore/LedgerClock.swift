// What time it is for a command: the machine's clock, if it is believed, or a test clock's given or latest instant.

package import Quantities

/// Read inside the transaction that stores by it (Billing rules, sections 4 and 10).
package struct LedgerClock: Hashable, Sendable {
    /// The `--now` of a command.
    package let given: Instant?
    /// The given instant is that of a daemon's own clock: it stands there until the ledger has recorded a later one.
    package let isFrozen: Bool
    /// A person says that the instant is right, however far it is after the latest recorded one.
    package var isConfirmed: Bool
    /// Shows the time to a ledger without a test clock.
    package let machine: MachineClock

    /// - Parameters:
    ///   - given: the `--now` of a command.
    ///   - isFrozen: whether `given` is that of a daemon.
    package init(
        given: Instant?, isFrozen: Bool = false, isConfirmed: Bool = false, machine: MachineClock = .system
    ) {
        self.given = given
        self.isFrozen = isFrozen
        self.isConfirmed = isConfirmed
        self.machine = machine
    }

    /// The instant to store by.
    ///
    /// - Throws: ``LedgerError``: an instant was given to a ledger without a test clock, or is earlier than what the
    ///   ledger has recorded, or too far after it, or a test clock was never told the time; the machine's clock is not
    ///   believed, or was never set.
    package func now(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> Instant {
        guard !properties.hasTestClock else {
            let now = try reading(properties, state)
            if let latest = state.latestInstant, !isConfirmed,
                now.isMore(thanSeconds: Self.farSeconds, after: latest)
            {
                throw .testClockFarAhead(now: now, latest: latest)
            }
            return now
        }
        guard given == nil else { throw .notTestClock }
        let (now, belief) = machine.read(after: state.latestInstant, isConfirmed: isConfirmed)
        guard now >= Self.earliest else { throw .clockTooEarly(now, given: false) }
        if belief == .notBelieved, let latest = state.latestInstant {
            throw .clockNotBelieved(now: now, latest: latest)
        }
        return now
    }

    /// Why the machine's clock can't be stored by; nil when it can, and for a test clock.
    package func doubt(_ properties: LedgerProperties, _ state: LedgerState) -> LedgerError? {
        guard !properties.hasTestClock else { return nil }
        do throws(LedgerError) {
            _ = try now(properties, state)
            return nil
        } catch {
            return error.isOfMachineClock ? error : nil
        }
    }

    /// The instant to read by: as far as the clock is concerned, reading goes on whatever it shows.
    ///
    /// - Throws: ``LedgerError``: as ``now(_:_:)``, but not for an instant that is far after the latest recorded one.
    package func reading(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> Instant {
        let now = try shown(properties, state)
        guard now >= Self.earliest else { throw .clockTooEarly(now, given: properties.hasTestClock) }
        return now
    }

    /// 1971-01-01T00:00:00Z: days are stored as numbers from 1970 on, and no clock that is set is earlier.
    private static let earliest = Instant(micros: 31_536_000_000_000)
    /// A test clock that is told to go further at a time than this needs a confirmation: it can't be told to go back.
    private static let farSeconds = 400 * 86_400

    private func shown(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> Instant {
        guard properties.hasTestClock else {
            guard given == nil else { throw .notTestClock }
            return machine.wall
        }
        guard let given else {
            guard let latest = state.latestInstant else { throw .testClockNotSet }
            return latest
        }
        guard let latest = state.latestInstant, given < latest else { return given }
        guard isFrozen else { throw .clockGoesBack(now: given, latest: latest) }
        return latest
    }
}

// MARK: Telling of it

/// What a ledger's clock shows, and why that is believed or not.
package struct ClockReport: Codable, Sendable {
    /// The latest instant that the ledger has recorded.
    package let recorded: Instant?
    /// nil for a test clock that was never told the time.
    package let shown: Instant?
    /// nil for a test clock: it shows what it is told.
    package let belief: MachineClock.Belief?
    /// nil for a test clock.
    package let kernel: MachineClock.Kernel?

    package var isBelieved: Bool { belief != .notBelieved }
}

extension LedgerClock {
    /// - Throws: ``LedgerError`` for an instant that the ledger does not take.
    package func report(_ properties: LedgerProperties, _ state: LedgerState) throws(LedgerError) -> ClockReport {
        guard !properties.hasTestClock else {
            let isSet = given != nil || state.latestInstant != nil
            let now = isSet ? try reading(properties, state) : nil
            return ClockReport(recorded: state.latestInstant, shown: now, belief: nil, kernel: nil)
        }
        guard given == nil else { throw .notTestClock }
        let (now, belief) = machine.read(after: state.latestInstant, isConfirmed: false)
        return ClockReport(
            recorded: state.latestInstant, shown: now, belief: now < Self.earliest ? .notBelieved : belief,
            kernel: machine.kernel)
    }
}
