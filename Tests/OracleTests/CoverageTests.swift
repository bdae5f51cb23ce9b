// Whether the random histories reach the corners they were made for.

import Oracle
import TestSupport
import Testing

@Suite("Random histories", .computing)
struct CoverageTests {
    private static let seeds: ClosedRange<UInt64> = 1...600

    @Test("are the same for the same seed, and differ between seeds")
    func areDeterministic() {
        for seed in Self.seeds {
            #expect(History.random(seed: seed) == History.random(seed: seed), "seed \(seed)")
        }
        #expect(Set(Self.seeds.map { History.random(seed: $0).description }).count == Self.seeds.count)
    }

    @Test("go back in time only where the clock is set or a mistake is mended, and end within 14 months")
    func areWellFormed() {
        for seed in Self.seeds {
            let history = History.random(seed: seed)
            let local = LocalDates(timeZone: history.settings.timeZone)
            var oracle = BillingOracle(history)
            // A test clock's mistakes leave no instant behind.
            let outcomes = history.steps.map { step in (oracle.take(step), oracle.latestInstant) }
            for (index, step) in history.steps.enumerated().dropFirst() where step.at < history.steps[index - 1].at {
                let isMended = history.settings.hasTestClock && outcomes[index - 1].1 ?? .min <= step.at
                #expect(step.action == .setClock || isMended, "seed \(seed)")
            }
            guard !history.steps.contains(where: { $0.trust == .person }) else { continue }
            let instants = zip(history.steps, outcomes).filter { $1.0 != .refusedByClock }.map(\.0.at)
            if let first = instants.min(), let last = instants.max() {
                #expect(local.day(of: last) - local.day(of: first) <= 14 * 31 + 90, "seed \(seed)")
            }
        }
    }

    @Test("meet every outcome, every ledger source and every kind of day, several times in 600 seeds")
    func reachTheCorners() {
        var seen: [String: Int] = [:]
        for seed in Self.seeds {
            for corner in Corners(History.random(seed: seed)).seen { seen[corner, default: 0] += 1 }
        }
        for corner in Corners.all {
            #expect(seen[corner, default: 0] >= 3, Comment(rawValue: corner))
        }
    }
}

/// What one history meets, by names.
private struct Corners {
    private(set) var seen: Set<String> = []

    static let all: [String] =
        BillingOracle.Refusal.allCases.map(\.rawValue)
        + BillingOracle.Source.allCases.map(\.rawValue)
        + [
            "accepted", "correction", "duplicate", "moved device", "settled", "unsettled at the end",
            "amount that rounds", "third tier", "version 2", "version 3", "correction that draws on a grant",
            "draw on a grant that has ended", "quantity of 10^12", "grant recorded", "grant repeated", "grant voided",
            "void refused", "day of 23 hours", "day of 25 hours", "day of 23.5 hours", "skipped day",
            "identity taken again", "usage of a later day", "rating before anything", "subscription",
            "package quota of a second month", "negative difference", "price book refused: not after",
            "price book refused: not open", "price book again", "rating of the future", "event tried again and taken",
            "event tried again and refused", "quarantine dropped", "device erased", "erased device that returns",
            "unknown device to erase", "app added", "clock not believed", "clock believed again", "clock confirmed",
            "clock synchronised", "time seen to pass", "test clock told a time too far ahead",
            "refused events that leave the test clock", "clock set back", "clock set back behind a settled day",
            "days closed ahead of the clock", "draw on a resource package that has ended",
            "void of a grant that open days draw on", "void refused for a final day that is not settled",
            "void refused for a subscription that has begun", "code of a voided grant",
        ]

    init(_ history: History) {
        var oracle = BillingOracle(history)
        var identities: [String: Int] = [:]
        let local = LocalDates(timeZone: history.settings.timeZone)
        var erased: [String] = []
        for step in history.steps {
            let before = oracle.ledger
            if case .eraseDevice(let app, let device) = step.action { erased.append(app + "/" + device) }
            for event in step.events ?? [] {
                guard case .deviceActivity(_, let device) = event.kind else { continue }
                if erased.contains(event.app + "/" + device) { seen.insert("erased device that returns") }
            }
            let earlier = oracle.latestInstant
            let outcome = oracle.take(step)
            noteClock(outcome, of: step, after: earlier, isTestClock: history.settings.hasTestClock)
            note(outcome, of: step, &identities)
            noteVoid(outcome, of: step, before, oracle.settledThrough)
            let today = local.day(of: step.at)
            if step.action == .setClock {
                seen.insert("clock set back")
                if oracle.settledThrough ?? .min >= today { seen.insert("clock set back behind a settled day") }
            } else if oracle.closedThrough ?? .min > today - history.settings.finalAfterDays {
                seen.insert("days closed ahead of the clock")
            }
            if case .rate = step.action {
                if oracle.ratedThrough == nil { seen.insert("rating before anything") }
                let lost = before.contains { $0.value.quantity > oracle.ledger[$0.key]?.quantity ?? 0 }
                if lost { seen.insert("negative difference") }
            }
        }
        noteLedger(oracle)
        noteDays(history)
        if oracle.movedDevices > 0 { seen.insert("moved device") }
        if oracle.settledThrough != nil { seen.insert("settled") }
        if oracle.ratedThrough != oracle.settledThrough { seen.insert("unsettled at the end") }
    }

    /// - Parameter latest: the latest instant that was recorded before.
    private mutating func noteClock(
        _ outcome: BillingOracle.StepOutcome, of step: History.Step, after latest: Int64?, isTestClock: Bool
    ) {
        let day: Int64 = 86_400_000_000
        guard step.action != .setClock, step.action != .reopen, let latest else { return }
        guard outcome != .refusedByClock else {
            seen.insert(isTestClock ? "test clock told a time too far ahead" : "clock not believed")
            return
        }
        if !isTestClock, seen.contains("clock not believed") { seen.insert("clock believed again") }
        if isTestClock, case .events(let outcomes) = outcome, step.at > latest, !outcomes.isEmpty,
            outcomes.allSatisfy({ if case .refused = $0 { true } else { false } })
        {
            seen.insert("refused events that leave the test clock")
        }
        guard !isTestClock, step.at - latest > 10 * day else { return }
        switch step.trust {
        case .person: seen.insert("clock confirmed")
        case .kernel: seen.insert("clock synchronised")
        case .seen: seen.insert("time seen to pass")
        case .nothing: break
        }
    }

    private mutating func note(
        _ outcome: BillingOracle.StepOutcome, of step: History.Step, _ identities: inout [String: Int]
    ) {
        switch outcome {
        case .events(let outcomes):
            guard case .ingest(let events) = step.action else {
                for outcome in outcomes {
                    if case .refused = outcome {
                        seen.insert("event tried again and refused")
                    } else {
                        seen.insert("event tried again and taken")
                    }
                }
                return
            }
            for (event, outcome) in zip(events, outcomes) { note(outcome, of: event, at: step.at, &identities) }
        case .grant(let outcome):
            seen.insert(outcome == .repeated ? "grant repeated" : "grant recorded")
            if outcome == .refusedVoided { seen.insert("code of a voided grant") }
            if case .grant(let grant) = step.action, case .subscription = grant.offer { seen.insert("subscription") }
        case .void(let outcome):
            seen.insert(outcome == .voided ? "grant voided" : "void refused")
        case .priceBook(let outcome):
            switch outcome {
            case .applied: return
            case .alreadyApplied: seen.insert("price book again")
            case .refusedNotAfter: seen.insert("price book refused: not after")
            case .refusedNotOpen: seen.insert("price book refused: not open")
            }
        case .rating(let outcome):
            if outcome == .refusedFuture { seen.insert("rating of the future") }
        case .dropped(let count):
            if count > 0 { seen.insert("quarantine dropped") }
        case .erased(let isKnown):
            seen.insert(isKnown ? "device erased" : "unknown device to erase")
        case .done:
            if case .addApp = step.action { seen.insert("app added") }
        case .refusedByClock: break
        }
    }

    /// - Parameter ledger: as it was before the step.
    private mutating func noteVoid(
        _ outcome: BillingOracle.StepOutcome, of step: History.Step,
        _ ledger: [BillingOracle.LedgerKey: BillingOracle.Net], _ settledThrough: Int?
    ) {
        guard case .voidGrant(let code) = step.action, case .void(let outcome) = outcome else { return }
        let draws = ledger.keys.filter { $0.grantCode == code && $0.source.isUsage }
        let isSettled = draws.contains { $0.postedDay <= settledThrough ?? .min }
        switch outcome {
        case .voided: if !draws.isEmpty { seen.insert("void of a grant that open days draw on") }
        case .refusedUsed: if !isSettled { seen.insert("void refused for a final day that is not settled") }
        case .refusedBegun: seen.insert("void refused for a subscription that has begun")
        case .alreadyVoided, .refusedUnknown: break
        }
    }

    private mutating func note(
        _ outcome: BillingOracle.EventOutcome, of event: History.Event, at: Int64, _ identities: inout [String: Int]
    ) {
        switch outcome {
        case .refused(let refusal):
            seen.insert(refusal.rawValue)
            return
        case .accepted: seen.insert("accepted")
        case .correction: seen.insert("correction")
        case .duplicate:
            seen.insert("duplicate")
            return
        }
        if case .deviceActivity = event.kind { return }
        let identity = event.source + " " + Array(event.id.utf8).description
        identities[identity, default: 0] += 1
        if identities[identity, default: 0] > 1 { seen.insert("identity taken again") }
    }

    private mutating func noteLedger(_ oracle: BillingOracle) {
        for (key, net) in oracle.ledger {
            seen.insert(key.source.rawValue)
            if net.quantity > 900_000_000_000 { seen.insert("quantity of 10^12") }
            if let version = key.priceVersion, version > 1 { seen.insert("version \(version)") }
            if key.tier == 3 { seen.insert("third tier") }
            if key.source == .overage, net.amountMicros % 100 != 0 { seen.insert("amount that rounds") }
            guard let code = key.grantCode, key.source.isUsage, key.postedDay > key.usageDay else { continue }
            seen.insert("correction that draws on a grant")
            let ended = oracle.validity(ofGrant: code).map { $0.upperBound <= key.postedDay } ?? false
            if ended { seen.insert("draw on a grant that has ended") }
            if ended, key.source == .resourcePackage { seen.insert("draw on a resource package that has ended") }
        }
        let packageMonths = Dictionary(grouping: oracle.consumption.keys.filter { $0.month != nil }, by: \.grantCode)
        if packageMonths.values.contains(where: { Set($0.map(\.month)).count > 1 }) {
            seen.insert("package quota of a second month")
        }
        let future = oracle.usageDaily.keys.contains { $0.postingDay > (oracle.ratedThrough ?? .max) }
        if future { seen.insert("usage of a later day") }
    }

    private mutating func noteDays(_ history: History) {
        guard let first = history.steps.first, let last = history.steps.last else { return }
        let local = LocalDates(timeZone: history.settings.timeZone)
        let days = local.day(of: first.at)...local.day(of: last.at)
        for day in days.prefix(60) {
            let minutes = (local.firstInstant(of: day + 1) - local.firstInstant(of: day)) / 60_000_000
            switch minutes {
            case 0: seen.insert("skipped day")
            case 23 * 60: seen.insert("day of 23 hours")
            case 25 * 60: seen.insert("day of 25 hours")
            case 23 * 60 + 30: seen.insert("day of 23.5 hours")
            default: continue
            }
        }
    }
}
