// What the simulator does to a ledger: a random history, and by chance how each of its steps is performed.

package import Operations
package import Oracle
import UsageStore

/// A history and the circumstances under which it happens. The rules know nothing of circumstances: whatever they are,
/// the ledger must come to the same.
package struct Plan: Sendable {
    /// For messages.
    package var name: String
    package var settings: History.Settings
    package var priceBook: History.PriceBook
    /// How much goes into one transaction of the long operations.
    package var bounds: OpenLedger.Bounds
    package var steps: [PlannedStep]

    /// The history as it would be without circumstances.
    package var history: History {
        History(name: name, settings: settings, priceBook: priceBook, steps: steps.flatMap(\.steps))
    }

    /// A history as it is, each step performed without haste and to its end.
    package init(_ history: History) {
        name = history.name
        settings = history.settings
        priceBook = history.priceBook
        bounds = OpenLedger.Bounds()
        steps = history.steps.map { PlannedStep($0) }
    }
}

package struct PlannedStep: Sendable {
    package var step: History.Step
    /// Of an ingestion: how many events each sender sent, all in one transaction; one sender when empty.
    package var senders: [Int] = []
    package var interruption: Interruption?
    /// Events that come while an operation is under way, and are served between two of its transactions.
    package var meanwhile: Meanwhile?
    /// Of a rating: the same again appends nothing.
    package var isRepeated = false
    /// Of a reopening: memory is loaded and the day prepared, as a daemon does.
    package var isForServing = false

    package init(_ step: History.Step) { self.step = step }

    /// In the order that the rules see.
    var steps: [History.Step] {
        [step] + (meanwhile.map { [meanwhileStep($0)] } ?? [])
    }

    /// What comes meanwhile comes by the same clock, but nobody confirms that for it.
    func meanwhileStep(_ meanwhile: Meanwhile) -> History.Step {
        var step = step.with(.ingest(meanwhile.events))
        if step.trust == .person { step.trust = .seen }
        return step
    }
}

package struct Meanwhile: Sendable {
    package var events: [History.Event]
    /// They are served at this moment between two transactions, from 1; after the operation, if there are fewer.
    package var moment: Int
}

/// What comes in between. Whoever asked for the step gets no answer.
package enum Interruption: Sendable, Equatable {
    /// The process is killed after so many transactions of the step; of a step that has fewer, before the answer.
    case kill(afterTransactions: Int)
    /// The writer stops the operation at this moment between two transactions, from 1, and goes on with others.
    case stop(atMoment: Int)
    /// A transaction can't be committed, from 1: the disk is full; the process goes on.
    case failure(ofTransaction: Int)
}

// MARK: Chance

extension Plan {
    /// The same plan for the same seed, everywhere.
    package static func random(seed: UInt64) -> Plan {
        var random = SplitMix64(seed: seed ^ 0x5EED_0F_C1BC)
        var plan = Plan(History.random(seed: seed))
        plan.bounds = randomBounds(&random)
        // Of a hundred steps so many are interrupted.
        let interrupted = random.weighted([(35, 0), (45, 12), (20, 40)])
        var steps: [PlannedStep] = []
        for planned in plan.steps {
            if case .ingest(let events) = planned.step.action {
                if let last = steps.indices.last, steps[last].step.at == planned.step.at, steps[last].isLong,
                    steps[last].meanwhile == nil
                {
                    steps[last].meanwhile = Meanwhile(events: events, moment: random.int(1...random.pick([2, 5, 12])))
                    continue
                }
                for part in split(events, &random) {
                    var sent = PlannedStep(planned.step.with(.ingest(part)))
                    sent.senders = split(part, &random).map(\.count)
                    steps += interrupting(sent, percent: interrupted, &random)
                }
                continue
            }
            var planned = planned
            planned.isRepeated = random.chance(percent: 25)
            planned.isForServing = random.chance(percent: 50)
            steps += interrupting(planned, percent: interrupted, &random)
        }
        plan.steps = steps
        // Chosen last, so that each seed has the steps that it had before there was such a bound.
        plan.bounds.filing.fewestDevices = random.pick([1, 1, 3, 1_000])
        plan.bounds.filing.devicesPerSlice = random.pick([1, 2, 5, 2_000])
        return plan
    }

    /// Half of all plans have bounds so small that a few events cross each of them.
    private static func randomBounds(_ random: inout SplitMix64) -> OpenLedger.Bounds {
        var bounds = OpenLedger.Bounds()
        guard random.chance(percent: 50) else { return bounds }
        bounds.entriesPerTransaction = random.pick([1, 1, 2, 3, 7])
        bounds.sealing.touchesPerPart = random.pick([1, 2, 3, 8, 1 << 20])
        bounds.sealing.rowsPerSlice = random.pick([1, 2, 3, 2_000])
        bounds.sealing.deletesPerSlice = random.pick([1, 2, 5, 10_000])
        bounds.identities.identitiesPerPass = random.pick([1, 2, 5, 1_000_000])
        bounds.identities.rowsPerSlice = random.pick([1, 2, 5, 5_000])
        bounds.retriesPerTransaction = random.pick([1, 2, 1_000])
        return bounds
    }

    /// As it came, or in a few parts.
    private static func split(_ events: [History.Event], _ random: inout SplitMix64) -> [[History.Event]] {
        guard events.count > 1, random.chance(percent: 35) else { return [events] }
        var parts: [[History.Event]] = []
        var rest = events[...]
        while !rest.isEmpty {
            let count = random.int(1...max(1, rest.count))
            parts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts
    }

    /// The step, maybe interrupted, and then mostly tried again by whoever got no answer.
    private static func interrupting(
        _ planned: PlannedStep, percent: Int, _ random: inout SplitMix64
    ) -> [PlannedStep] {
        guard planned.mayBeInterrupted, random.chance(percent: percent) else { return [planned] }
        let place = random.weighted([(30, random.int(0...1)), (40, random.int(1...4)), (30, random.int(2...20))])
        var interrupted = planned
        interrupted.interruption = random.pick([
            .kill(afterTransactions: place), .kill(afterTransactions: place), .stop(atMoment: max(1, place)),
            .failure(ofTransaction: max(1, place)),
        ])
        return random.chance(percent: 70) ? [interrupted, planned] : [interrupted]
    }
}

extension PlannedStep {
    /// Whether events may come meanwhile: between its transactions, or, where it has only one, after it.
    fileprivate var isLong: Bool {
        switch step.action {
        // A void has one. It keeps its place here, so that each seed has the steps that it had before.
        case .rate, .voidGrant, .retryQuarantine: true
        default: false
        }
    }

    /// Whether nothing of it can touch usage; a difference would show with the next step that can.
    var leavesUsage: Bool {
        switch step.action {
        case .grant, .applyPriceBook, .dropQuarantine, .addApp, .setClock: true
        default: false
        }
    }

    fileprivate var mayBeInterrupted: Bool {
        switch step.action {
        case .setClock, .reopen: false
        default: true
        }
    }
}

// MARK: Text

extension Plan: CustomStringConvertible {
    package var description: String {
        var lines = [History(name: name, settings: settings, priceBook: priceBook, steps: []).description]
        let identities = bounds.identities
        lines.append(
            "  \(bounds.entriesPerTransaction) entries a transaction; sealing \(bounds.sealing.touchesPerPart) touches a part, "
                + "\(bounds.sealing.rowsPerSlice) rows and \(bounds.sealing.deletesPerSlice) deletions a slice; filing \(bounds.filing.fewestDevices) devices or more, \(bounds.filing.devicesPerSlice) a slice; identities "
                + "\(identities.identitiesPerPass) a pass, \(identities.rowsPerSlice) a slice; "
                + "\(bounds.retriesPerTransaction) retries a transaction")
        for (index, planned) in steps.enumerated() { lines.append("  \(index). \(planned)") }
        return lines.joined(separator: "\n")
    }
}

extension PlannedStep: CustomStringConvertible {
    package var description: String {
        var text = "\(Dates.text(instant: step.at))\(step.trust) \(step.action)"
        if senders.count > 1 { text += "\n     of \(senders.count) senders: \(senders)" }
        if isRepeated, case .rate = step.action { text += ", twice" }
        if isForServing, case .reopen = step.action { text += " for serving" }
        if let meanwhile {
            text += "\n     at moment \(meanwhile.moment) \(History.Action.ingest(meanwhile.events))"
        }
        if let interruption { text += "\n     interrupted: \(interruption)" }
        return text
    }
}
