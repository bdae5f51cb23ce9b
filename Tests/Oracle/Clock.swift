// Whether an instant is believed, and which one the ledger has recorded last (billing rules, sections 4 and 10).

extension BillingOracle {
    private static let dayMicros: Int64 = 86_400_000_000
    private static let hourMicros: Int64 = 3_600_000_000

    /// What the process has seen of the machine's clocks.
    struct Clock {
        /// Of the last step.
        var wall: Int64?
        /// How far the clock since boot has gone, over all steps.
        var sinceBoot: Int64 = 0
        /// What both showed when the process last believed the wall clock.
        var believed: (wall: Int64, sinceBoot: Int64)?
    }

    /// Time passes up to the step, which may be another look at the same one.
    mutating func passTime(to step: History.Step) {
        if step.trust == .seen, let wall = clock.wall { clock.sinceBoot += max(0, step.at - wall) }
        clock.wall = step.at
    }

    /// Looks at the clock, as every command does before it changes anything.
    ///
    /// - Returns: whether the instant is one to store by.
    mutating func look(at step: History.Step) -> Bool {
        passTime(to: step)
        guard !settings.hasTestClock else {
            guard let latest = latestInstant else { return true }
            return step.at >= latest && (step.at - latest <= 400 * Self.dayMicros || step.trust == .person)
        }
        guard isBelieved(step) else { return false }
        clock.believed = (step.at, clock.sinceBoot)
        return true
    }

    private func isBelieved(_ step: History.Step) -> Bool {
        guard let latest = latestInstant, step.at - latest > 10 * Self.dayMicros else { return true }
        if step.trust == .kernel || step.trust == .person { return true }
        guard let believed = clock.believed else { return false }
        // An hour of difference is no jump.
        return step.at - believed.wall <= clock.sinceBoot - believed.sinceBoot + Self.hourMicros
    }

    /// Another process goes on with the ledger: it has seen nothing, and looks at the clock first.
    package mutating func restart(at step: History.Step) {
        clock.believed = nil
        var step = step
        if step.trust == .person { step.trust = .nothing }
        _ = look(at: step)
    }

    /// Records the instant of a step that has changed something, or whose clock was confirmed by a person.
    mutating func record(_ step: History.Step, changed: Bool = true) {
        guard changed || step.trust == .person else { return }
        recordInstant()
    }

    mutating func recordInstant() {
        guard let now = clock.wall else { return }
        latestInstant = max(latestInstant ?? now, now)
    }

    /// One event of a step arrives. Refused ones leave a test clock where it is, also where it is confirmed.
    mutating func arrive(_ event: History.Event, with step: History.Step) -> EventOutcome {
        let outcome = ingest(event, at: step.at)
        let isRefused = if case .refused = outcome { true } else { false }
        if !isRefused || (step.trust == .person && !settings.hasTestClock) { recordInstant() }
        return outcome
    }
}
