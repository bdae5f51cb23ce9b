// The shortest plan that still fails as a given one does, as far as leaving things out leads to it.

import Oracle

package enum Shrinking {
    /// - Parameters:
    ///   - attempts: how many shorter plans are tried.
    ///   - failure: runs a plan.
    package static func shrink(
        _ plan: Plan, failing law: String, attempts: Int = 400, failure: (Plan) -> Simulation.Failure?
    ) -> Plan {
        var shortest = plan
        var left = attempts
        func fails(_ candidate: Plan) -> Bool {
            guard left > 0 else { return false }
            left -= 1
            guard failure(candidate)?.law == law else { return false }
            shortest = candidate
            return true
        }
        if let failed = failure(plan) {
            var upToFailure = plan
            upToFailure.steps = Array(plan.steps.prefix(failed.step + 1))
            _ = fails(upToFailure)
        }
        var before = -1
        while before != size(shortest), left > 0 {
            before = size(shortest)
            leaveOutSteps(from: { shortest }, fails)
            leaveOutCircumstances(from: { shortest }, fails)
            leaveOutEvents(from: { shortest }, fails)
        }
        return shortest
    }

    private static func size(_ plan: Plan) -> Int {
        plan.steps.reduce(0) { sum, planned in
            sum + 4 + planned.steps.reduce(0) { $0 + ($1.events?.count ?? 0) }
                + (planned.senders.count > 1 ? 1 : 0) + (planned.interruption == nil ? 0 : 1)
        }
    }

    /// Halves first, then quarters, and at last single ones.
    private static func leaveOutSteps(from plan: () -> Plan, _ fails: (Plan) -> Bool) {
        var length = max(1, plan().steps.count / 2)
        while true {
            var start = plan().steps.count
            while start > 0 {
                start = max(0, start - length)
                var shorter = plan()
                guard start < shorter.steps.count else { continue }
                shorter.steps.removeSubrange(start..<min(start + length, shorter.steps.count))
                _ = fails(shorter)
            }
            guard length > 1 else { return }
            length /= 2
        }
    }

    private static func leaveOutCircumstances(from plan: () -> Plan, _ fails: (Plan) -> Bool) {
        var plain = plan()
        plain.bounds = Plan(plain.history).bounds
        _ = fails(plain)
        for index in plan().steps.indices {
            var planned = plan().steps[index]
            func tryWith(_ simpler: PlannedStep) {
                var candidate = plan()
                candidate.steps[index] = simpler
                if fails(candidate) { planned = simpler }
            }
            if planned.interruption != nil {
                var simpler = planned
                simpler.interruption = nil
                tryWith(simpler)
            }
            if planned.meanwhile != nil {
                var simpler = planned
                simpler.meanwhile = nil
                tryWith(simpler)
            }
            if planned.senders.count > 1 {
                var simpler = planned
                simpler.senders = []
                tryWith(simpler)
            }
        }
    }

    private static func leaveOutEvents(from plan: () -> Plan, _ fails: (Plan) -> Bool) {
        for index in plan().steps.indices.reversed() {
            for event in (0..<(plan().steps[index].step.events?.count ?? 0)).reversed() {
                var shorter = plan()
                guard var events = shorter.steps[index].step.events, events.count > 1 else { continue }
                events.remove(at: event)
                shorter.steps[index].step.action = .ingest(events)
                shorter.steps[index].senders = []
                _ = fails(shorter)
            }
            for event in (0..<(plan().steps[index].meanwhile?.events.count ?? 0)).reversed() {
                var shorter = plan()
                shorter.steps[index].meanwhile?.events.remove(at: event)
                _ = fails(shorter)
            }
        }
    }
}
