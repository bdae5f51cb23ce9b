// What is compared with the real engine: usage, ledger and grants as keyed values.

extension BillingOracle {
    package struct UsageKey: Hashable, Sendable {
        package var app: String
        package var item: String
        package var usageDay: Int
        package var postingDay: Int

        package init(app: String, item: String, usageDay: Int, postingDay: Int) {
            self.app = app
            self.item = item
            self.usageDay = usageDay
            self.postingDay = postingDay
        }
    }

    package struct Usage: Hashable, Sendable {
        package var quantity: Int64
        /// Devices active on time, of device items on the rows whose posting day is the usage day; otherwise 0.
        package var activeDevices: Int64

        package init(quantity: Int64, activeDevices: Int64) {
            self.quantity = quantity
            self.activeDevices = activeDevices
        }
    }

    package struct MonthKey: Hashable, Sendable {
        package var app: String
        package var item: String
        /// As in `Dates`: year * 12 + (month - 1).
        package var month: Int

        package init(app: String, item: String, month: Int) {
            self.app = app
            self.item = item
            self.month = month
        }
    }

    package enum Source: String, Hashable, Sendable, CaseIterable {
        case allowance
        case package
        case resourcePackage = "resource_package"
        case overage
        case free
        case purchase
        case refund
        case forfeit

        /// Whether its quantities add up to the rated usage.
        package var isUsage: Bool {
            switch self {
            case .allowance, .package, .resourcePackage, .overage, .free: true
            case .purchase, .refund, .forfeit: false
            }
        }
    }

    package struct LedgerKey: Hashable, Sendable {
        package var postedDay: Int
        package var usageDay: Int
        package var tenant: String
        package var app: String?
        package var item: String?
        package var source: Source
        package var grantCode: String?
        /// From 1; of the usage day's price version.
        package var tier: Int?
        /// 1 for the book given at `init`.
        package var priceVersion: Int?

        package init(
            postedDay: Int, usageDay: Int, tenant: String, app: String? = nil, item: String? = nil, source: Source,
            grantCode: String? = nil, tier: Int? = nil, priceVersion: Int? = nil
        ) {
            self.postedDay = postedDay
            self.usageDay = usageDay
            self.tenant = tenant
            self.app = app
            self.item = item
            self.source = source
            self.grantCode = grantCode
            self.tier = tier
            self.priceVersion = priceVersion
        }
    }

    /// What all entries of one key add up to.
    package struct Net: Hashable, Sendable {
        package var quantity: Int64
        package var amountMicros: Int64

        package init(quantity: Int64, amountMicros: Int64) {
            self.quantity = quantity
            self.amountMicros = amountMicros
        }

        package static let zero = Net(quantity: 0, amountMicros: 0)
    }

    package struct ConsumptionKey: Hashable, Sendable {
        package var grantCode: String
        package var item: String
        /// The usage month for a package, nil for a resource package.
        package var month: Int?

        package init(grantCode: String, item: String, month: Int?) {
            self.grantCode = grantCode
            self.item = item
            self.month = month
        }
    }
}

extension BillingOracle.UsageKey: CustomStringConvertible {
    package var description: String {
        "\(app) \(item) used \(Dates.text(day: usageDay)) posted \(Dates.text(day: postingDay))"
    }
}

extension BillingOracle.MonthKey: CustomStringConvertible {
    package var description: String {
        "\(app) \(item) \(Dates.text(month: month))"
    }
}

extension BillingOracle.LedgerKey: CustomStringConvertible {
    package var description: String {
        let days = "posted \(Dates.text(day: postedDay)) used \(Dates.text(day: usageDay))"
        let price = "tier \(tier.map(String.init) ?? "-") version \(priceVersion.map(String.init) ?? "-")"
        return "\(days) \(tenant)/\(app ?? "-") \(item ?? "-") \(source.rawValue) \(grantCode ?? "-") \(price)"
    }
}
