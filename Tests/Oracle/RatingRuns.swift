// Rating runs: which days they cover, what is true of those days, and what becomes settled (billing rules, sections
// 4 to 6).

extension BillingOracle {
    /// What a run covers.
    private struct Scope {
        var first: Int
        var last: Int
        /// The last day of it that is final, if any is.
        var lastFinal: Int?

        /// The last day that is settled by a run that has passed this one, the day before the first if none is.
        func settles(_ day: Int) -> Int { max(first - 1, min(day, lastFinal ?? .min)) }
    }

    /// Rates every unsettled day through the later of the day and the last day ever rated.
    mutating func rate(through day: Int, today: Int) -> RatingOutcome {
        guard day <= today else { return .refusedFuture }
        recordInstant()
        guard let scope = scope(through: day, today: today) else { return .rated }
        let truth = truth(through: scope.last)
        noteDrift(from: truth)
        begin(scope)
        enter(truth, of: units(truth))
        settledThrough = scope.lastFinal ?? settledThrough
        return .rated
    }

    /// nil when there is nothing to rate.
    private func scope(through day: Int, today: Int) -> Scope? {
        guard let first = settledThrough.map({ $0 + 1 }) ?? firstDay else { return nil }
        let last = max(day, ratedThrough ?? day)
        guard first <= last else { return nil }
        let lastFinal = min(last, today - settings.finalAfterDays)
        return Scope(first: first, last: last, lastFinal: lastFinal >= first ? lastFinal : nil)
    }

    /// From its beginning on the days that a run is to settle take no more usage.
    private mutating func begin(_ scope: Scope) {
        recordInstant()
        ratedThrough = scope.last
        if let lastFinal = scope.lastFinal { closedThrough = max(closedThrough ?? lastFinal, lastFinal) }
    }

    /// A tenant's day: what is rated whole or not at all.
    private struct Unit: Hashable {
        var day: Int
        var tenant: String
    }

    /// The unsettled units that have entries, or are to have some, in the order in which they are rated.
    private func units(_ truth: [LedgerKey: Net]) -> [Unit] {
        let units = (Array(rated.keys) + truth.keys).map { Unit(day: $0.postedDay, tenant: $0.tenant) }
        return Set(units).filter { !isSettled($0.day) }
            .sorted { ($0.day, Bytes($0.tenant)) < ($1.day, Bytes($1.tenant)) }
    }

    private mutating func enter(_ truth: [LedgerKey: Net], of units: some Sequence<Unit>) {
        let units = Set(units)
        func isOfThem(_ key: LedgerKey) -> Bool { units.contains(Unit(day: key.postedDay, tenant: key.tenant)) }
        rated = rated.filter { !isOfThem($0.key) }
        for (key, net) in truth where isOfThem(key) { rated[key] = net }
    }

    private func isSettled(_ day: Int) -> Bool {
        settledThrough.map { day <= $0 } ?? false
    }

    /// What a run that was interrupted may leave: nothing; or that it has begun, and has rated some units, those that it
    /// comes to first.
    ///
    /// - Parameter settled: the last day that is settled then. Days are settled as the run passes them.
    func states(interruptingRatingThrough day: Int, today: Int, settled: Int?) -> [BillingOracle] {
        guard day <= today else { return [self] }
        guard let scope = scope(through: day, today: today) else {
            var run = self
            run.recordInstant()
            return [self, run]
        }
        let truth = truth(through: scope.last)
        // Units in which nothing changes don't tell how far the run has come.
        let telling = units(truth).filter { unit in
            func own(_ entries: [LedgerKey: Net]) -> [LedgerKey: Net] {
                entries.filter { $0.key.postedDay == unit.day && $0.key.tenant == unit.tenant }
            }
            return own(rated) != own(truth)
        }
        // Nothing more is settled, or days through this one.
        let passed = settled == settledThrough ? scope.first - 1 : settled ?? .min
        var states = [self]
        for done in 0...telling.count {
            // Days are settled as the run passes them: those before the last unit it has rated surely, those after the
            // next one surely not.
            let earliest = done == 0 ? .min : telling[done - 1].day - 1
            let latest = done == telling.count ? .max : telling[done].day - 1
            guard scope.settles(earliest) <= passed, passed <= scope.settles(latest) else { continue }
            var state = self
            state.begin(scope)
            state.enter(truth, of: telling[..<done])
            state.settledThrough = settled
            states.append(state)
        }
        return states
    }

    /// The first day on which anything was used or granted, or has been entered since.
    private var firstDay: Int? {
        let firstGrant = grants.compactMap(\.takesPartFrom).min()
        let firstEntered = (Array(rated.keys) + paid.keys).map(\.postedDay).min()
        return [usage.firstPostingDay, firstGrant, firstEntered].compactMap { $0 }.min()
    }

    /// Every rated entry of the posting days through the last, from scratch.
    func truth(through last: Int) -> [LedgerKey: Net] {
        var ratings: [TenantItem: ItemRating] = [:]
        let rows = usageDaily.filter { $0.key.postingDay <= last && $0.value.quantity != 0 }
        for (key, used) in rows.sorted(by: { Self.isRatedBefore($0.key, $1.key) }) {
            let tenant = tenant(ofApp: key.app)!.code
            let version = priceVersion(ofDay: key.usageDay)
            let rated = TenantItem(tenant: tenant, item: key.item)
            let fresh = ItemRating(tenant: tenant, item: key.item, grants: grants)
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

    /// What is left of a resource package on its forfeit day, when that is rated and it takes part in it.
    private func forfeit(
        of grant: RecordedGrant, _ ratings: [TenantItem: ItemRating], through last: Int
    ) -> (LedgerKey, Int64)? {
        guard case .resourcePackage(let item, let total) = grant.terms.offer else { return nil }
        guard grant.forfeits, grant.forfeitDay <= last else { return nil }
        let rating = ratings[TenantItem(tenant: grant.terms.tenant, item: item)]
        let consumption = ConsumptionKey(grantCode: grant.terms.code, item: item, month: nil)
        let left = total - (rating?.drawn[consumption] ?? 0)
        guard left > 0 else { return nil }
        let key = LedgerKey(
            postedDay: grant.forfeitDay, usageDay: grant.forfeitDay, tenant: grant.terms.tenant, item: item,
            source: .forfeit, grantCode: grant.terms.code)
        return (key, left)
    }

    /// A settled day never changes.
    private mutating func noteDrift(from truth: [LedgerKey: Net]) {
        let keys = Set(rated.keys).union(truth.keys)
        settledDrift += keys.filter { isSettled($0.postedDay) && rated[$0] != truth[$0] }
    }
}
