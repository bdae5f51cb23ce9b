// The price book as values: items with their prices, the product features that feed them, the offers on sale.

package import Quantities

/// How the events of an item add up to its quantity (Billing rules, section 2).
package enum Aggregation: String, Sendable {
    /// A device counts once per app, item and month.
    case uniqueDevices = "unique_devices"
    /// Quantities of events are added.
    case sum
}

/// What so many units cost, exactly.
package struct UnitPrice: Hashable, Sendable {
    /// Currency units for `per` units of the item; at most twelve decimals, not negative.
    package let price: Decimal12
    /// A power of ten, 1 to 10⁹.
    package let per: Int64
    /// The price of one unit in units of ``ExactAmount``.
    private let exactPerUnit: Int128

    /// Returns nil for a price that is negative or beyond all reckoning, and for a `per` that is no power of ten up to
    /// 10⁹.
    package init?(price: Decimal12, per: Int64) {
        guard price.units >= 0, Self.powersOfTen.contains(per) else { return nil }
        let (exact, overflow) = price.units.multipliedReportingOverflow(by: Int128(1_000_000_000 / per))
        guard !overflow else { return nil }
        self.price = price
        self.per = per
        exactPerUnit = exact
    }

    package var isZero: Bool { price.units == 0 }

    /// - Throws: ``Quantities/Overflow``.
    package func amount(for quantity: Quantity) throws(Overflow) -> ExactAmount {
        let (units, overflow) = exactPerUnit.multipliedReportingOverflow(by: Int128(quantity.units))
        guard !overflow else { throw Overflow("the price of \(quantity.units) units") }
        return ExactAmount(units: units)
    }

    private static let powersOfTen: Set<Int64> = Set(
        sequence(first: Int64(1)) { $0 < 1_000_000_000 ? $0 * 10 : nil })
}

extension UnitPrice: CustomStringConvertible {
    /// `0.03`, `0.15 per 10000`.
    package var description: String { per == 1 ? "\(price)" : "\(price) per \(per)" }
}

/// A stretch of the month's position with one price (Billing rules, section 3).
package struct Tier: Hashable, Sendable {
    /// The last position of the tier, in units of the month; nil in the last tier.
    package let upTo: Quantity?
    package let price: UnitPrice

    package init(upTo: Quantity?, price: UnitPrice) {
        self.upTo = upTo
        self.price = price
    }
}

package enum Pricing: Hashable, Sendable {
    /// Metered and shown, always 0.
    case free
    /// Graduated, at least one tier; bounds ascend, the last tier has none.
    case tiers([Tier])
    /// No price: only a legacy item may have none, and then takes no usage.
    case none
}

/// What a price attaches to.
package struct Item: Hashable, Sendable {
    package let code: Code
    package let name: String
    package let unit: String
    package let aggregation: Aggregation
    package let pricing: Pricing
    /// Metered for tenants marked legacy only.
    package let isLegacy: Bool
    /// The items that stand in a legacy item's place today.
    package let replacedBy: [Code]

    package init(
        code: Code, name: String, unit: String, aggregation: Aggregation, pricing: Pricing, isLegacy: Bool = false,
        replacedBy: [Code] = []
    ) {
        self.code = code
        self.name = name
        self.unit = unit
        self.aggregation = aggregation
        self.pricing = pricing
        self.isLegacy = isLegacy
        self.replacedBy = replacedBy
    }

    /// The month's free quantity: the bound of a bounded first tier of price 0 (Billing rules, section 3).
    package var allowance: Quantity? {
        guard case .tiers(let tiers) = pricing, let first = tiers.first, first.price.isZero else { return nil }
        return first.upTo
    }
}

/// What the customer uses; feeds items. One that feeds none is not metered.
package struct Feature: Hashable, Sendable {
    package let code: Code
    package let name: String
    package let items: [Code]

    package init(code: Code, name: String, items: [Code]) {
        self.code = code
        self.name = name
        self.items = items
    }
}

package enum Term: String, Codable, Sendable, CaseIterable {
    case month, year

    package var months: Int { self == .month ? 1 : 12 }
}

/// What a package grants of one item in every calendar month.
package enum MonthlyQuota: Hashable, Sendable {
    /// As many as the devices that the package was bought for.
    case devices
    case fixed(Quantity)
}

package struct PackageOffer: Hashable, Sendable {
    package let name: String
    package let term: Term
    package let devices: ClosedRange<Int64>
    package let monthly: [Code: MonthlyQuota]
    package let licences: [Code]

    /// What a package for so many devices grants of each item in a month.
    package func granted(devices: Int64) -> [Code: Quantity] {
        monthly.mapValues { quota in
            if case .fixed(let quantity) = quota { quantity } else { Quantity(devices) }
        }
    }

    package init(
        name: String, term: Term, devices: ClosedRange<Int64>, monthly: [Code: MonthlyQuota], licences: [Code]
    ) {
        self.name = name
        self.term = term
        self.devices = devices
        self.monthly = monthly
        self.licences = licences
    }
}

package struct ResourcePackageOffer: Hashable, Sendable {
    package let name: String
    package let term: Term

    package init(name: String, term: Term) {
        self.name = name
        self.term = term
    }
}

package struct SubscriptionOffer: Hashable, Sendable {
    package let name: String
    package let terms: [Term]

    package init(name: String, terms: [Term]) {
        self.name = name
        self.terms = terms
    }
}

/// One version of the catalog: immutable once applied.
package struct PriceBook: Hashable, Sendable {
    package let name: String
    /// The first local day that it prices.
    package let effective: Day
    package let currency: Currency
    package let items: [Code: Item]
    package let features: [Code: Feature]
    package let miniProgramPackage: PackageOffer?
    package let resourcePackage: ResourcePackageOffer?
    package let subscription: SubscriptionOffer?

    package init(
        name: String, effective: Day, currency: Currency, items: [Code: Item], features: [Code: Feature],
        miniProgramPackage: PackageOffer?, resourcePackage: ResourcePackageOffer?, subscription: SubscriptionOffer?
    ) {
        self.name = name
        self.effective = effective
        self.currency = currency
        self.items = items
        self.features = features
        self.miniProgramPackage = miniProgramPackage
        self.resourcePackage = resourcePackage
        self.subscription = subscription
    }

    /// What gateway calls feed, which name no feature: that of theirs, or the item where the book defines no such feature.
    package var itemsFedByGatewayCalls: [Code]? {
        [Self.gatewayFeature, Self.gatewayItem].lazy.compactMap { Code($0).flatMap { items(fedBy: $0) } }.first
    }

    package static let gatewayFeature = "mobile_gateway"
    package static let gatewayItem = "gateway_calls"

    /// Whether a code is of a feature without billable items, which is what subscriptions are for.
    package func isLicence(_ code: Code) -> Bool { features[code]?.items.isEmpty == true }

    /// Whether a feature feeds items of devices as well as items of sums: no event can name it, each kind feeds one.
    package func isUnusable(_ feature: Code) -> Bool {
        Set((items(fedBy: feature) ?? []).compactMap { items[$0]?.aggregation }).count > 1
    }

    package var unusableFeatures: [Code] { features.keys.filter(isUnusable).sorted() }

    /// The items that a feature feeds; nil for a code that the book does not know. An item's code is also the code of
    /// a feature that feeds just this item, unless the book defines a feature of that code.
    package func items(fedBy feature: Code) -> [Code]? {
        if let feature = features[feature] { return feature.items }
        return items[feature] == nil ? nil : [feature]
    }
}
