// Rating runs: which days they cover, what is true of those days, and what becomes settled (billing rules, sections
// 4 to 6).

extension BillingOracle {
    /// Rates every unsettled day through the later of the day and the last day ever rated.
    mutating func rate(through day: Int, today: Int) {
        precondition(day <= today, "a day of the future cannot be rated")
        let first = firstDay
        if ratedThrough == nil {
            guard let first, day >= first else { return }
        }
        let last = max(day, ratedThrough ?? day)
        ratedThrough = last

        let truth = truth(through: last)
        noteDrift(from: truth)
        rated = rated.filter { isSettled($0.key.postedDay) }
        for (key, net) in truth where !isSettled(key.postedDay) { rated[key] = net }

        guard let start = settledThrough.map({ $0 + 1 }) ?? first else { return }
        let lastFinal = min(last, today - settings.finalAfterDays)
        if lastFinal >= start { settledThrough = lastFinal }
    }

    private func isSettled(_ day: Int) -> Bool {
        settledThrough.map { day <= $0 } ?? false
    }

    /// The first day on which anything was used or granted, or has been entered since.
    private var firstDay: Int? {
        let firstGrant = grants.filter { !$0.voided }.map(\.takesPartFrom).min()
        let firstEntered = (Array(rated.keys) + paid.keys).map(\.postedDay).min()
        return [usage.firstPostingDay, firstGrant, firstEntered].compactMap { $0 }.min()
    }

    /// Every rated entry of the posting days through the last, from scratch.
    private func truth(through last: Int) -> [LedgerKey: Net] {
        var ratings: [TenantItem: ItemRating] = [:]
        let rows = usageDaily.filter { $0.key.postingDay <= last && $0.value.quantity != 0 }
        for (key, used) in rows.sorted(by: { Self.isRatedBefore($0.key, $1.key) }) {
            let tenant = tenant(ofApp: key.app)!.code
            let version = priceVersion(ofDay: key.usageDay)
            let rated = TenantItem(tenant: tenant, item: key.item)
            let fresh = ItemRating(
                tenant: tenant, item: key.item, grants: grants, packageQuotas: books[0].packageQuotas)
            ratings[rated, default: fresh].rate(
                key, quantity: used.quantity, definition: books[version - 1].item(key.item)!, version: version)
        }
        var truth: [LedgerKey: Net] = [:]
        for rating in ratings.values { truth.merge(rating.entries) { _, new in new } }
        for grant in grants {
            guard let (key, left) = forfeit(of: grant, ratings, through: last) else { continue }
            truth[key] = Net(quantity: left, amountMicros: 0)
        }
        return truth
    }

    private struct TenantItem: Hashable {
        var tenant: String
        var item: String
    }

    private static func isRatedBefore(_ left: UsageKey, _ right: UsageKey) -> Bool {
        if left.postingDay != right.postingDay { return left.postingDay < right.postingDay }
        if left.usageDay != right.usageDay { return left.usageDay < right.usageDay }
        return Bytes(left.app) < Bytes(right.app)
    }

    /// What is left of a resource package at its end, when the end is rated and it ever took part.
    private func forfeit(
        of grant: RecordedGrant, _ ratings: [TenantItem: ItemRating], through last: Int
    ) -> (LedgerKey, Int64)? {
        guard case .resourcePackage(let item, let total) = grant.terms.offer, !grant.voided else { return nil }
        guard grant.endDay <= last, grant.endDay >= grant.firstPostingDay else { return nil }
        let rating = ratings[TenantItem(tenant: grant.terms.tenant, item: item)]
        let consumption = ConsumptionKey(grantCode: grant.terms.code, item: item, month: nil)
        let left = total - (rating?.drawn[consumption] ?? 0)
        guard left > 0 else { return nil }
        let key = LedgerKey(
            postedDay: grant.endDay, usageDay: grant.endDay, tenant: grant.terms.tenant, item: item,
            source: .forfeit, grantCode: grant.terms.code)
        return (key, left)
    }

    /// A settled day never changes. Only the forfeit of a grant that was voided after its end is no longer true.
    private mutating func noteDrift(from truth: [LedgerKey: Net]) {
        let voided = grants.filter(\.voided).map(\.terms.code)
        let keys = Set(rated.keys).union(truth.keys)
        settledDrift += keys.filter { key in
            guard isSettled(key.postedDay), rated[key] != truth[key] else { return false }
            return !(key.source == .forfeit && voided.contains(key.grantCode ?? ""))
        }
    }
}
