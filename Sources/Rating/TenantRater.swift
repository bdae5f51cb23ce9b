// Rating proper: a tenant's quantities in, rated lines out, a posting day at a time (Billing rules, section 6).

package import Quantities

/// Rates the posting days of one tenant in order, carrying the month's positions and what is left of the grants.
///
/// A value without clock or storage: the same history, grants, totals and quantities give the same lines.
package struct TenantRater {
    private let history: PriceBookHistory
    /// By item, in burn-down order.
    private var packages: [Code: [Grant]] = [:]
    private var resourcePackages: [Code: [Grant]] = [:]
    private var drawn: [Draw: Quantity] = [:]
    private var positions: [ItemMonth: MonthPosition] = [:]
    /// What all items of a usage month come to so far.
    private var amounts: [Month: Money] = [:]
    private let most: RatingBounds

    private struct ItemMonth: Hashable {
        let item: Code
        let month: Month
    }

    /// What quota a quantity was drawn on; a resource package has one for its whole life, without a month.
    private struct Draw: Hashable {
        let grant: Code
        let item: Code
        let month: Month?
    }

    /// Where a tenant's item stands in a usage month: what no grant covered, and its exact price so far.
    private struct MonthPosition {
        var uncovered = Quantity.zero
        /// With what grants cover, and what is free.
        private var counted = Quantity.zero
        private var exact = ExactAmount.zero
        private(set) var rounded = Money.zero

        mutating func count(_ quantity: Quantity, within most: Quantity) throws(Overflow) {
            try counted += quantity
            guard counted <= most else {
                throw Overflow("\(counted.units) units of an item in a month", beyond: "\(most.units)")
            }
        }

        /// - Returns: the month's rounded sum after the quantity, minus before it, so that the month's lines add up to
        ///   the rounded month (Billing rules, section 7).
        mutating func advance(by quantity: Quantity, at price: UnitPrice) throws(Overflow) -> Money {
            try exact = exact + price.amount(for: quantity)
            try uncovered += quantity
            let before = rounded
            rounded = try exact.rounded()
            return try rounded - before
        }
    }

    /// What the quantities of one item and usage day have in common, whatever their app.
    private struct Turn {
        let item: Code
        let usageDay: Day
        let month: Month
        let priceVersion: Int
        let isFree: Bool
        let allowance: Quantity?
        let tiers: [Tier]
        /// Those that may cover the day, in the order of consumption.
        let grants: [(source: Source, grant: Grant)]
        var position: MonthPosition
    }

    /// - Parameters:
    ///   - grants: those of the tenant, the voided ones too.
    ///   - totals: the sums of the lines of all posting days before the first one to be rated; of a usage month that has
    ///     usage on these, those of every item.
    /// - Throws: ``Quantities/Overflow``.
    package init(
        history: PriceBookHistory, grants: [Grant], totals: [RatedTotal], finality: FinalityRule
    ) throws(Overflow) {
        self.history = history
        most = RatingBounds(finality)
        for grant in grants.sorted(by: Grant.drawsBefore) {
            switch grant.coverage {
            case .package(let monthly):
                for item in monthly.keys { packages[item, default: []].append(grant) }
            case .resourcePackage(let item, _):
                resourcePackages[item, default: []].append(grant)
            case .subscription: break
            }
        }
        for total in totals { try carry(total) }
        for (key, position) in positions { try add(position.rounded, to: key.month) }
    }

    private mutating func add(_ amount: Money, to month: Month) throws(Overflow) {
        let sum = try (amounts[month] ?? .zero) + amount
        guard sum <= most.amount else { throw Overflow("\(sum) for the usage of \(month)", beyond: "\(most.amount)") }
        amounts[month] = sum
    }

    private mutating func carry(_ total: RatedTotal) throws(Overflow) {
        if total.source.isUsage {
            try positions[ItemMonth(item: total.item, month: total.month), default: MonthPosition()].count(
                total.quantity, within: most.quantity)
        }
        switch total.source {
        case .allowance, .overage:
            guard let tier = total.tier, let version = total.priceVersion else { return }
            let price = tiers(of: total.item, in: history.version(numbered: version))[tier - 1].price
            _ = try positions[ItemMonth(item: total.item, month: total.month), default: MonthPosition()]
                .advance(by: total.quantity, at: price)
        case .package, .resourcePackage:
            guard let grant = total.grant else { return }
            let month = total.source == .package ? total.month : nil
            try drawn[Draw(grant: grant, item: total.item, month: month), default: .zero] += total.quantity
        case .free, .purchase, .refund, .forfeit, .adjustment: break
        }
    }

    /// Rates one posting day. Days are given in ascending order, each once.
    ///
    /// - Parameter quantities: of this posting day, in any order; zeros are passed over.
    /// - Returns: the lines by item, usage day, app and order of burn-down; an item's forfeits come first.
    /// - Throws: ``Quantities/Overflow``.
    package mutating func rate(
        postingDay: Day, quantities: [UsageQuantity]
    ) throws(Overflow) -> [RatedLine] {
        var lines = try forfeits(on: postingDay)
        let ordered = quantities.sorted { ($0.item, $0.usageDay, $0.app) < ($1.item, $1.usageDay, $1.app) }
        var rest = ordered[...]
        while let first = rest.first {
            var turn = turn(first.item, usageDay: first.usageDay, postingDay: postingDay)
            let before = turn.position.rounded
            while let quantity = rest.first, quantity.item == turn.item, quantity.usageDay == turn.usageDay {
                if quantity.quantity > .zero { try rate(quantity, &turn, into: &lines) }
                rest.removeFirst()
            }
            positions[ItemMonth(item: turn.item, month: turn.month)] = turn.position
            if turn.position.rounded != before { try add(turn.position.rounded - before, to: turn.month) }
        }
        // Forfeits are few; sorting by item alone keeps the order within an item.
        if let first = lines.first, first.key.source == .forfeit { lines = lines.stableSorted { $0.key.item } }
        return lines
    }

    /// What the resource packages whose forfeit day it is leave unused.
    private func forfeits(on day: Day) throws(Overflow) -> [RatedLine] {
        var lines: [RatedLine] = []
        for (item, grants) in resourcePackages {
            for grant in grants where grant.forfeits(on: day) {
                let left = try self.left(of: grant, item: item, month: day.month)
                guard left > .zero else { continue }
                let key = LineKey(usageDay: day, app: nil, item: item, source: .forfeit, grant: grant.code)
                lines.append(RatedLine(key: key, quantity: left, amount: .zero))
            }
        }
        return lines
    }

    private func turn(_ item: Code, usageDay: Day, postingDay: Day) -> Turn {
        let version = history.version(for: usageDay)
        let priced = version.book.items[item]
        let grants = [(Source.package, packages[item] ?? []), (.resourcePackage, resourcePackages[item] ?? [])]
            .flatMap { source, grants in grants.map { (source: source, grant: $0) } }
        return Turn(
            item: item, usageDay: usageDay, month: usageDay.month, priceVersion: version.number,
            isFree: priced.map { $0.pricing == .free } ?? true, allowance: priced?.allowance,
            tiers: tiers(of: item, in: version),
            grants: grants.filter { $0.grant.mayCover(usageDay: usageDay, postingDay: postingDay) },
            position: positions[ItemMonth(item: item, month: usageDay.month)] ?? MonthPosition())
    }

    /// One quantity through the order of consumption: allowance, packages, resource packages, overage.
    private mutating func rate(
        _ usage: UsageQuantity, _ turn: inout Turn, into lines: inout [RatedLine]
    ) throws(Overflow) {
        try turn.position.count(usage.quantity, within: most.quantity)
        var rest = usage.quantity
        func line(
            _ source: Source, grant: Code? = nil, tier: Int? = nil, _ quantity: Quantity, _ amount: Money = .zero
        ) -> RatedLine {
            let key = LineKey(
                usageDay: turn.usageDay, app: usage.app, item: turn.item, source: source, grant: grant, tier: tier,
                priceVersion: turn.priceVersion)
            return RatedLine(key: key, quantity: quantity, amount: amount)
        }
        guard !turn.isFree else {
            lines.append(line(.free, rest))
            return
        }
        if let bound = turn.allowance, bound > turn.position.uncovered {
            let taken = min(rest, try bound - turn.position.uncovered)
            let amount = try turn.position.advance(by: taken, at: turn.tiers[0].price)
            lines.append(line(.allowance, tier: 1, taken, amount))
            try rest -= taken
        }
        for (source, grant) in turn.grants where rest > .zero {
            let taken = min(rest, try left(of: grant, item: turn.item, month: turn.month))
            guard taken > .zero else { continue }
            try drawn[draw(on: grant, item: turn.item, month: turn.month), default: .zero] += taken
            lines.append(line(source, grant: grant.code, taken))
            try rest -= taken
        }
        for (index, tier) in turn.tiers.enumerated() where rest > .zero {
            guard tier.upTo.map({ $0 > turn.position.uncovered }) ?? true else { continue }
            let taken = if let bound = tier.upTo { min(rest, try bound - turn.position.uncovered) } else { rest }
            let amount = try turn.position.advance(by: taken, at: tier.price)
            lines.append(line(.overage, tier: index + 1, taken, amount))
            try rest -= taken
        }
    }

    private func tiers(of item: Code, in version: PriceBookVersion) -> [Tier] {
        guard case .tiers(let tiers)? = version.book.items[item]?.pricing else { return [] }
        return tiers
    }

    private func draw(on grant: Grant, item: Code, month: Month) -> Draw {
        if case .package = grant.coverage { return Draw(grant: grant.code, item: item, month: month) }
        return Draw(grant: grant.code, item: item, month: nil)
    }

    /// What is left of a grant's quota of an item: of the usage month for a package, in all for a resource package.
    private func left(of grant: Grant, item: Code, month: Month) throws(Overflow) -> Quantity {
        let granted: Quantity
        switch grant.coverage {
        case .package(let monthly): granted = monthly[item] ?? .zero
        case .resourcePackage(_, let total): granted = total
        case .subscription: granted = .zero
        }
        return try granted - (drawn[draw(on: grant, item: item, month: month)] ?? .zero)
    }
}

/// How much a usage month of one tenant may come to, so that its bills and statements stay within the range of numbers
/// (Billing rules, section 7).
///
/// A bill's month adds up every item, and as many usage months as the age limit lets into it; and lines that an earlier run
/// has left may stand beside those of a later one.
private struct RatingBounds {
    /// Of all items.
    let amount: Money
    /// Of one item, since quantities of two are never added.
    let quantity: Quantity

    init(_ finality: FinalityRule) {
        let share = Int64.max / Int64(4 * finality.usageMonthsOfPostingMonth)
        amount = Money(micros: share)
        quantity = Quantity(share)
    }
}

extension Array {
    /// Sorted by a key; elements of equal keys keep their order.
    fileprivate func stableSorted<Key: Comparable>(by key: (Element) -> Key) -> [Element] {
        enumerated().sorted { (key($0.element), $0.offset) < (key($1.element), $1.offset) }.map(\.element)
    }
}
