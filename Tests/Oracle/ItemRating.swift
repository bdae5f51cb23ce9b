// The rating of one item of one tenant from its first day on (billing rules, sections 6 and 7).

struct ItemRating {
    let tenant: String
    let item: String
    let packages: [RecordedGrant]
    let resourcePackages: [RecordedGrant]

    /// By usage month: allowance and overage so far.
    private var position: [Int: Int64] = [:]
    /// By usage month: the exact sum of prices so far.
    private var exact: [Int: Int128] = [:]
    private(set) var drawn: [BillingOracle.ConsumptionKey: Int64] = [:]
    private(set) var entries: [BillingOracle.LedgerKey: BillingOracle.Net] = [:]

    init(tenant: String, item: String, grants: [RecordedGrant]) {
        self.tenant = tenant
        self.item = item
        let inOrder = grants.filter { $0.terms.tenant == tenant }.sorted { $0.isDrawnBefore($1) }
        packages = inOrder.filter { if case .miniProgramPackage = $0.terms.offer { true } else { false } }
        resourcePackages = inOrder.filter {
            if case .resourcePackage(item, _) = $0.terms.offer { true } else { false }
        }
    }

    /// Rates what one app used; to be called by posting day, then usage day, then app.
    mutating func rate(_ key: BillingOracle.UsageKey, quantity: Int64, definition: History.Item, version: Int) {
        if definition.free {
            enter(key, .free, quantity: quantity, version: version)
            return
        }
        let month = Dates.month(ofDay: key.usageDay)
        var left = quantity

        let free = min(left, allowanceLeft(definition.tiers, month: month))
        if free > 0 {
            position[month, default: 0] += free
            enter(key, .allowance, quantity: free, tier: 1, version: version)
            left -= free
        }
        for grant in packages where left > 0 {
            let consumption = BillingOracle.ConsumptionKey(grantCode: grant.terms.code, item: item, month: month)
            left -= draw(left, from: grant, consumption, key, .package, version: version)
        }
        for grant in resourcePackages where left > 0 {
            let consumption = BillingOracle.ConsumptionKey(grantCode: grant.terms.code, item: item, month: nil)
            left -= draw(left, from: grant, consumption, key, .resourcePackage, version: version)
        }
        while left > 0 {
            left -= chargeOneTier(left, key, definition.tiers, month: month, version: version)
        }
    }

    private func allowanceLeft(_ tiers: [History.Tier], month: Int) -> Int64 {
        guard let first = tiers.first, let bound = first.upTo, Money.unitPrice(of: first) == 0 else { return 0 }
        return max(0, bound - position[month, default: 0])
    }

    /// - Returns: how much the grant covers.
    private mutating func draw(
        _ wanted: Int64, from grant: RecordedGrant, _ consumption: BillingOracle.ConsumptionKey,
        _ key: BillingOracle.UsageKey, _ source: BillingOracle.Source, version: Int
    ) -> Int64 {
        guard grant.covers(usageDay: key.usageDay, postingDay: key.postingDay) else { return 0 }
        let covered = min(wanted, total(of: grant) - drawn[consumption, default: 0])
        guard covered > 0 else { return 0 }
        drawn[consumption, default: 0] += covered
        enter(key, source, quantity: covered, grantCode: grant.terms.code, version: version)
        return covered
    }

    /// The fixed total of a resource package, a month's quota of a package.
    private func total(of grant: RecordedGrant) -> Int64 {
        switch grant.terms.offer {
        case .resourcePackage(_, let quantity): return quantity
        case .miniProgramPackage(let devices):
            switch grant.packageQuotas[item] {
            case .fixed(let quantity): return quantity
            case .devices: return devices
            case nil: return 0
            }
        case .subscription: return 0
        }
    }

    /// - Returns: how much lies in the tier that the month's position has reached.
    private mutating func chargeOneTier(
        _ wanted: Int64, _ key: BillingOracle.UsageKey, _ tiers: [History.Tier], month: Int, version: Int
    ) -> Int64 {
        let reached = position[month, default: 0]
        let index = tiers.firstIndex { tier in tier.upTo.map { reached < $0 } ?? true }!
        let charged = tiers[index].upTo.map { min(wanted, $0 - reached) } ?? wanted
        let before = exact[month, default: 0]
        let after = before + Int128(charged) * Money.unitPrice(of: tiers[index])
        exact[month] = after
        position[month] = reached + charged
        enter(
            key, .overage, quantity: charged, amountMicros: Money.micros(after) - Money.micros(before),
            tier: index + 1, version: version)
        return charged
    }

    private mutating func enter(
        _ key: BillingOracle.UsageKey, _ source: BillingOracle.Source, quantity: Int64, amountMicros: Int64 = 0,
        grantCode: String? = nil, tier: Int? = nil, version: Int
    ) {
        let entry = BillingOracle.LedgerKey(
            postedDay: key.postingDay, usageDay: key.usageDay, tenant: tenant, app: key.app, item: item,
            source: source, grantCode: grantCode, tier: tier, priceVersion: version)
        entries[entry] = BillingOracle.Net(quantity: quantity, amountMicros: amountMicros)
    }
}
