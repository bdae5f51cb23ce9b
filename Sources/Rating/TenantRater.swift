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
        var exact = ExactAmount.zero
    }

    /// - Parameters:
    ///   - grants: those of the tenant that take part at all (not the voided ones).
    ///   - totals: the sums of the lines of all posting days before the first one to be rated.
    /// - Throws: ``Quantities/Overflow``.
    package init(history: PriceBookHistory, grants: [Grant], totals: [RatedTotal]) throws(Overflow) {
        self.history = history
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
    }

    private mutating func carry(_ total: RatedTotal) throws(Overflow) {
        switch total.source {
        case .allowance, .overage:
            guard let tier = total.tier, let version = total.priceVersion else { return }
            let price = tiers(of: total.item, in: history.version(numbered: version))[tier - 1].price
            try advance(
                ItemMonth(item: total.item, month: total.month), by: total.quantity,
                exact: try price.amount(for: total.quantity))
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
        for quantity in ordered where quantity.quantity > .zero {
            try rate(quantity, postingDay: postingDay, into: &lines)
        }
        // Forfeits are few; sorting by item alone keeps the order within an item.
        if let first = lines.first, first.key.source == .forfeit { lines = lines.stableSorted { $0.key.item } }
        return lines
    }

    /// What the resource packages that end on the day leave unused.
    private func forfeits(on day: Day) throws(Overflow) -> [RatedLine] {
        var lines: [RatedLine] = []
        for (item, grants) in resourcePackages {
            for grant in grants where grant.life.end == day && grant.firstPostingDay <= day {
                let left = try self.left(of: grant, item: item, month: day.month)
                guard left > .zero else { continue }
                let key = LineKey(usageDay: day, app: nil, item: item, source: .forfeit, grant: grant.code)
                lines.append(RatedLine(key: key, quantity: left, amount: .zero))
            }
        }
        return lines
    }

    /// One quantity through the order of consumption: allowance, packages, resource packages, overage.
    private mutating func rate(
        _ usage: UsageQuantity, postingDay: Day, into lines: inout [RatedLine]
    ) throws(Overflow) {
        let version = history.version(for: usage.usageDay)
        func key(_ source: Source, grant: Code? = nil, tier: Int? = nil) -> LineKey {
            LineKey(
                usageDay: usage.usageDay, app: usage.app, item: usage.item, source: source, grant: grant, tier: tier,
                priceVersion: version.number)
        }
        guard let item = version.book.items[usage.item], item.pricing != .free else {
            lines.append(RatedLine(key: key(.free), quantity: usage.quantity, amount: .zero))
            return
        }
        let itemMonth = ItemMonth(item: usage.item, month: usage.usageDay.month)
        var rest = usage.quantity

        let position = positions[itemMonth]?.uncovered ?? .zero
        if let bound = item.allowance, bound > position {
            let taken = min(rest, try bound - position)
            lines.append(try price(taken, tier: 1, of: item, version, key(.allowance, tier: 1), itemMonth))
            try rest -= taken
        }
        for (source, grants) in [(Source.package, packages), (.resourcePackage, resourcePackages)] {
            for grant in grants[usage.item] ?? [] where rest > .zero {
                guard grant.mayCover(usageDay: usage.usageDay, postingDay: postingDay) else { continue }
                let taken = min(rest, try left(of: grant, item: usage.item, month: itemMonth.month))
                guard taken > .zero else { continue }
                try drawn[draw(on: grant, item: usage.item, month: itemMonth.month), default: .zero] += taken
                lines.append(RatedLine(key: key(source, grant: grant.code), quantity: taken, amount: .zero))
                try rest -= taken
            }
        }
        for (index, tier) in tiers(of: usage.item, in: version).enumerated() where rest > .zero {
            let position = positions[itemMonth]?.uncovered ?? .zero
            guard tier.upTo.map({ $0 > position }) ?? true else { continue }
            let taken = if let bound = tier.upTo { min(rest, try bound - position) } else { rest }
            lines.append(
                try price(taken, tier: index + 1, of: item, version, key(.overage, tier: index + 1), itemMonth))
            try rest -= taken
        }
    }

    /// A line of allowance or overage. Its amount is the month's rounded sum after it, minus before it, so that the
    /// month's lines add up to the rounded month (Billing rules, section 7).
    private mutating func price(
        _ quantity: Quantity, tier: Int, of item: Item, _ version: PriceBookVersion, _ key: LineKey,
        _ itemMonth: ItemMonth
    ) throws(Overflow) -> RatedLine {
        let unitPrice = tiers(of: item.code, in: version)[tier - 1].price
        let before = try (positions[itemMonth]?.exact ?? .zero).rounded()
        try advance(itemMonth, by: quantity, exact: try unitPrice.amount(for: quantity))
        let after = try (positions[itemMonth]?.exact ?? .zero).rounded()
        return RatedLine(key: key, quantity: quantity, amount: try after - before)
    }

    private mutating func advance(
        _ itemMonth: ItemMonth, by quantity: Quantity, exact: ExactAmount
    ) throws(Overflow) {
        var position = positions[itemMonth] ?? MonthPosition()
        position.uncovered = try position.uncovered + quantity
        position.exact = try position.exact + exact
        positions[itemMonth] = position
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

extension Array {
    /// Sorted by a key; elements of equal keys keep their order.
    fileprivate func stableSorted<Key: Comparable>(by key: (Element) -> Key) -> [Element] {
        enumerated().sorted { (key($0.element), $0.offset) < (key($1.element), $1.offset) }.map(\.element)
    }
}
