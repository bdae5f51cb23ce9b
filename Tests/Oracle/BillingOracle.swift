// A slow, obvious reading of the billing rules, written apart from the engine: it keeps everything that was stored in
// lists and works out every rating from scratch.

package struct BillingOracle {
    private(set) var settings: History.Settings
    let local: LocalDates
    /// In the order of their days; the price version is the index + 1.
    var books: [History.PriceBook]
    var usage = StoredUsage()
    var grants: [RecordedGrant] = []
    /// What ratings entered: settled days as they were settled, open ones as of the last rating.
    var rated: [LedgerKey: Net] = [:]
    /// Purchases and refunds.
    var paid: [LedgerKey: Net] = [:]
    /// The last settled day: it and all days before it are rated for good.
    package var settledThrough: Int?
    /// The last day that takes nothing more whatever the clock says: settled, or about to be when a run was interrupted.
    package var closedThrough: Int?
    package var ratedThrough: Int?
    /// The latest instant that the ledger has recorded.
    package var latestInstant: Int64?
    var clock = Clock()
    /// What was refused and waits, in the order of its coming.
    var quarantine: [QuarantinedEvent] = []
    package var tally: [TallyKey: Int] = [:]
    var erased: Set<AppDevice> = []
    /// Nil in earnest.
    package var misreading: Misreading?
    /// Entries of settled days that a later rating would have made differently; the rules leave none.
    package var settledDrift: [LedgerKey] = []

    /// A ledger as it is after `init`, with the history's tenants and apps, before its first step.
    package init(_ history: History) {
        settings = history.settings
        local = LocalDates(timeZone: history.settings.timeZone)
        books = [history.priceBook]
    }

    /// The ledger after the last step.
    package static func run(_ history: History) -> BillingOracle {
        var oracle = BillingOracle(history)
        for step in history.steps { _ = oracle.take(step) }
        return oracle
    }

    /// Takes the next step.
    package mutating func take(_ step: History.Step) -> StepOutcome {
        switch step.action {
        case .setClock:
            passTime(to: step)
            return .done
        case .reopen:
            passTime(to: step)
            restart(at: step)
            return .done
        default:
            guard look(at: step) else { return .refusedByClock }
            return change(by: step)
        }
    }

    /// Takes a step whose instant is believed.
    private mutating func change(by step: History.Step) -> StepOutcome {
        let today = local.day(of: step.at)
        switch step.action {
        case .ingest(let events):
            var outcomes: [EventOutcome] = []
            for event in events { outcomes.append(arrive(event, with: step)) }
            return .events(outcomes)
        case .grant(let grant):
            let outcome = record(grant, at: step.at, today: today)
            if outcome == .recorded || outcome == .repeated { record(step, changed: outcome == .recorded) }
            return .grant(outcome)
        case .voidGrant(let code):
            let outcome = void(code, today: today)
            if outcome == .voided { record(step) }
            return .void(outcome)
        case .applyPriceBook(let effectiveDay, let changes):
            let last = books[books.count - 1]
            let outcome = apply(last.applying(changes, effectiveDay: effectiveDay), today: today)
            if outcome == .applied || outcome == .alreadyApplied { record(step, changed: outcome == .applied) }
            return .priceBook(outcome)
        case .rate(let day):
            return .rating(rate(through: day, today: today))
        case .retryQuarantine:
            return .events(quarantine.map { arrive($0.event, with: step) })
        case .dropQuarantine:
            defer { quarantine = [] }
            if !quarantine.isEmpty { record(step) }
            return .dropped(quarantine.count)
        case .eraseDevice(let app, let device):
            let isKnown = usage.activities.contains { $0.app == app && $0.device == Bytes(device) }
            if isKnown {
                erased.insert(AppDevice(app: app, device: Bytes(device)))
                record(step)
            }
            return .erased(isKnown)
        case .addApp(let app):
            let isNew = !settings.apps.contains(app)
            if isNew { settings.apps.append(app) }
            record(step, changed: isNew)
            return .done
        case .setClock, .reopen:
            return .done
        }
    }

    /// The ledgers that a step may leave that was interrupted, from one without anything of it to one with all of it.
    ///
    /// - Parameter settled: the last day that is settled then.
    func states(interrupting step: History.Step, settled: Int?) -> [BillingOracle] {
        var looked = self
        guard looked.look(at: step) else { return [looked] }
        return looked.states(interruptingBelieved: step, settled: settled)
    }

    private func states(interruptingBelieved step: History.Step, settled: Int?) -> [BillingOracle] {
        let today = local.day(of: step.at)
        func next(_ step: History.Step) -> BillingOracle {
            var next = self
            _ = next.take(step)
            return next
        }
        switch step.action {
        case .rate(let day):
            return states(interruptingRatingThrough: day, today: today, settled: settled)
        case .retryQuarantine:
            var states = [self]
            for event in quarantine.map(\.event) {
                var state = states[states.count - 1]
                _ = state.arrive(event, with: step)
                states.append(state)
            }
            return states
        case .ingest, .grant, .voidGrant, .applyPriceBook, .dropQuarantine, .eraseDevice, .addApp, .setClock, .reopen:
            return [self, next(step)]
        }
    }

    private mutating func apply(_ book: History.PriceBook, today: Int) -> PriceBookOutcome {
        let last = books[books.count - 1]
        if book == last { return .alreadyApplied }
        if book.effectiveDay <= last.effectiveDay { return .refusedNotAfter }
        if book.effectiveDay < firstOpenDay(today: today) { return .refusedNotOpen }
        books.append(book)
        return .applied
    }

    /// The version that prices a usage day, from 1.
    func priceVersion(ofDay day: Int) -> Int {
        (books.lastIndex { $0.effectiveDay <= day } ?? 0) + 1
    }

    func tenant(ofApp code: String) -> History.Tenant? {
        guard let app = settings.apps.first(where: { Bytes($0.code) == Bytes(code) }) else { return nil }
        return settings.tenants.first { $0.code == app.tenant }
    }
}

// MARK: Results

extension BillingOracle {
    /// Exact as of the last step; rows without quantity and without active devices are left out.
    package var usageDaily: [UsageKey: Usage] {
        usage.daily()
    }

    /// The unique devices of every month, exact as of the last step.
    package var monthlyDevices: [MonthKey: Int64] {
        usage.monthlyDevices()
    }

    /// What the entries add up to, as of the last rating; keys that come to nothing are left out.
    package var ledger: [LedgerKey: Net] {
        rated.merging(paid) { left, right in
            Net(quantity: left.quantity + right.quantity, amountMicros: left.amountMicros + right.amountMicros)
        }
        .filter { $0.value != .zero }
    }

    /// What was drawn on the grants, as of the last rating.
    package var consumption: [ConsumptionKey: Int64] {
        var drawn: [ConsumptionKey: Int64] = [:]
        for (key, net) in rated {
            guard let code = key.grantCode, let item = key.item else { continue }
            switch key.source {
            case .package:
                let month = Dates.month(ofDay: key.usageDay)
                drawn[ConsumptionKey(grantCode: code, item: item, month: month), default: 0] += net.quantity
            case .resourcePackage:
                drawn[ConsumptionKey(grantCode: code, item: item, month: nil), default: 0] += net.quantity
            case .allowance, .overage, .free, .purchase, .refund, .forfeit:
                continue
            }
        }
        return drawn
    }

    /// The first day on which a recorded grant is valid, and the first on which it no longer is.
    package func validity(ofGrant code: String) -> Range<Int>? {
        grants.first { $0.terms.code == code }.map { $0.effectiveDay..<$0.endDay }
    }

    /// The texts of the events in quarantine with the reason for each, in the order of their coming.
    package var quarantined: [(event: History.Event, refusal: Refusal)] {
        quarantine.map { ($0.event, $0.refusal) }
    }

    /// By code, whether they were voided.
    package var recordedGrants: [String: Bool] {
        Dictionary(uniqueKeysWithValues: grants.map { ($0.terms.code, $0.voided) })
    }

    package var priceBookCount: Int { books.count }

    package var appCount: Int { settings.apps.count }

    /// Each device of a month with the place where it counts.
    package var evidence: [EvidenceKey: Int] {
        usage.evidence { erased.contains($0) }
    }

    /// Every sum event that is stored, by item.
    package var records: [RecordKey: Int] {
        var records: [RecordKey: Int] = [:]
        for sum in usage.sums {
            for item in sum.items {
                let key = RecordKey(
                    arrivalDay: sum.arrivalDay, source: sum.source.utf8, id: sum.id.utf8, app: sum.app, item: item,
                    timeMicros: sum.timeMicros, quantity: sum.quantity)
                records[key, default: 0] += 1
            }
        }
        return records
    }

    /// The price of one unit of a version's tier, both from 1, in units of 10^-15 micro-units.
    package func unitPrice(item: String, version: Int, tier: Int) -> Int128? {
        guard books.indices.contains(version - 1), let item = books[version - 1].item(item),
            item.tiers.indices.contains(tier - 1)
        else { return nil }
        return Money.unitPrice(of: item.tiers[tier - 1])
    }

    /// Exact amounts rounded half-even to the micro-unit.
    ///
    /// - Parameter exact: in units of 10^-15 micro-units, not negative.
    package static func rounded(_ exact: Int128) -> Int64 { Money.micros(exact) }

    /// How often an event moved a device that counted already to a smaller place of its month.
    package var movedDevices: Int {
        usage.movedDevices
    }
}
