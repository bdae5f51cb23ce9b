// What rating says of one stretch of usage: covered or priced how, by what, for how much.

package import Quantities

/// Why a ledger entry is there (Billing rules, section 8).
package enum Source: String, Codable, Sendable, CaseIterable {
    case allowance, package
    case resourcePackage = "resource_package"
    case overage, free
    case purchase, refund, forfeit, adjustment

    /// Whether the entry stands for usage: these add up to the rated usage.
    package var isUsage: Bool {
        switch self {
        case .allowance, .package, .resourcePackage, .overage, .free: true
        case .purchase, .refund, .forfeit, .adjustment: false
        }
    }
}

/// What distinguishes the lines of one tenant's posting day.
package struct LineKey: Hashable, Sendable {
    package let usageDay: Day
    /// Nil for a forfeit, which belongs to no app.
    package let app: Code?
    package let item: Code
    package let source: Source
    package let grant: Code?
    /// From 1; for allowance and overage.
    package let tier: Int?
    package let priceVersion: Int?

    package init(
        usageDay: Day, app: Code?, item: Code, source: Source, grant: Code? = nil, tier: Int? = nil,
        priceVersion: Int? = nil
    ) {
        self.usageDay = usageDay
        self.app = app
        self.item = item
        self.source = source
        self.grant = grant
        self.tier = tier
        self.priceVersion = priceVersion
    }
}

package struct RatedLine: Hashable, Sendable {
    package let key: LineKey
    package let quantity: Quantity
    package let amount: Money

    package init(key: LineKey, quantity: Quantity, amount: Money) {
        self.key = key
        self.quantity = quantity
        self.amount = amount
    }
}

/// The quantity of one app, item and usage day within a posting day.
package struct UsageQuantity: Hashable, Sendable {
    package let app: Code
    package let item: Code
    package let usageDay: Day
    package let quantity: Quantity

    package init(app: Code, item: Code, usageDay: Day, quantity: Quantity) {
        self.app = app
        self.item = item
        self.usageDay = usageDay
        self.quantity = quantity
    }
}

/// The sum of a tenant's lines of one usage month that differ only in app and day: where rating carries on.
package struct RatedTotal: Hashable, Sendable {
    package let item: Code
    package let month: Month
    package let source: Source
    package let grant: Code?
    package let tier: Int?
    package let priceVersion: Int?
    package let quantity: Quantity

    package init(
        item: Code, month: Month, source: Source, grant: Code?, tier: Int?, priceVersion: Int?, quantity: Quantity
    ) {
        self.item = item
        self.month = month
        self.source = source
        self.grant = grant
        self.tier = tier
        self.priceVersion = priceVersion
        self.quantity = quantity
    }
}
