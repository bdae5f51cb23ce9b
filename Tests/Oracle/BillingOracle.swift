// A slow, obvious reading of the billing rules, written apart from the engine: it keeps everything that was stored in
// lists and works out every rating from scratch.

package struct BillingOracle {
    let settings: History.Settings
    let local: LocalDates
    /// In the order of their days; the price version is the index + 1.
    var books: [History.PriceBook]
    var usage = StoredUsage()
    var grants: [RecordedGrant] = []
    /// What ratings entered: settled days as they were settled, open ones as of the last rating.
    var rated: [LedgerKey: Net] = [:]
    /// Purchases and refunds.
    var paid: [LedgerKey: Net] = [:]
    /// The last settled day: it and all days before it take nothing more.
    package var settledThrough: Int?
    package var ratedThrough: Int?
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

    /// Takes the next step; its instant is not before the last one's.
    package mutating func take(_ step: History.Step) -> StepOutcome {
        let today = local.day(of: step.at)
        switch step.action {
        case .ingest(let events):
            var outcomes: [EventOutcome] = []
            for event in events { outcomes.append(ingest(event, at: step.at)) }
            return .events(outcomes)
        case .grant(let grant):
            return .grant(record(grant, at: step.at, today: today))
        case .voidGrant(let code):
            return .void(void(code, today: today))
        case .applyPriceBook(let effectiveDay, let tiers):
            let last = books[books.count - 1]
            precondition(effectiveDay > last.effectiveDay && effectiveDay >= firstOpenDay(today: today))
            books.append(last.replacing(tiers: tiers, effectiveDay: effectiveDay))
            return .done
        case .rate(let day):
            rate(through: day, today: today)
            return .done
        case .reopen:
            return .done
        }
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

    /// How often an event moved a device that counted already to a smaller place of its month.
    package var movedDevices: Int {
        usage.movedDevices
    }
}
