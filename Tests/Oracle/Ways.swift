// In which orders a step and the events that came meanwhile can have been taken, and how far a step that was interrupted.

extension BillingOracle {
    /// One of the ways in which a step can have gone.
    package struct Way {
        package let ledger: BillingOracle
        /// What the step would say; of one that was interrupted nobody hears it.
        package let answer: StepOutcome?
        /// nil when nothing came meanwhile.
        package let meanwhile: StepOutcome?
    }

    /// The ways of a step that came to its end. In the first of them, what came meanwhile was taken last.
    package func ways(of step: History.Step, meanwhile: History.Step?) -> [Way] {
        var ledger = self
        let answer = ledger.take(step)
        let last = ledger.followed(by: meanwhile, answer)
        guard case .retryQuarantine = step.action, let meanwhile, answer != .refusedByClock else { return [last] }
        return [last]
            + quarantine.indices.dropFirst().map { retrying(step, through: quarantine.count, meanwhile, before: $0) }
    }

    /// The ways of a step that was interrupted, from one without anything of it to one with all of it.
    ///
    /// - Parameter settled: the last day that is settled then.
    package func ways(interrupting step: History.Step, settled: Int?, meanwhile: History.Step?) -> [Way] {
        let last = states(interrupting: step, settled: settled).map { $0.followed(by: meanwhile, nil) }
        var looked = self
        guard case .retryQuarantine = step.action, let meanwhile, looked.look(at: step) else { return last }
        return last
            + quarantine.indices.dropFirst().flatMap { place in
                (place..<quarantine.count).map { retrying(step, through: $0 + 1, meanwhile, before: place) }
            }
    }

    private func followed(by meanwhile: History.Step?, _ answer: StepOutcome?) -> Way {
        guard let meanwhile else { return Way(ledger: self, answer: answer, meanwhile: nil) }
        var ledger = self
        let answered = ledger.take(meanwhile)
        return Way(ledger: ledger, answer: answer, meanwhile: answered)
    }

    /// A retry of so many events, others coming before one of them, but the first. What leaves the quarantine with those is not retried.
    private func retrying(
        _ step: History.Step, through count: Int, _ meanwhile: History.Step, before place: Int
    ) -> Way {
        var ledger = self
        _ = ledger.look(at: step)
        let events = quarantine.prefix(count).map(\.event)
        var answers = events[..<place].map { ledger.arrive($0, with: step) }
        let answered = ledger.take(meanwhile)
        for event in events[place...] where ledger.quarantine.contains(where: { $0.event == event }) {
            answers.append(ledger.arrive(event, with: step))
        }
        return Way(ledger: ledger, answer: .events(answers), meanwhile: answered)
    }
}
