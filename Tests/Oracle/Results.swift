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

    /// A device as the evidence names it; several that were erased may share one.
    package struct EvidenceKey: Hashable, Sendable {
        package var app: String
        package var item: String
        package var month: Int
        package var usageDay: Int
        package var postingDay: Int
        /// UTF-8; nil when it was erased.
        package var device: [UInt8]?

        package init(
            app: String, item: String, month: Int, usageDay: Int, postingDay: Int, device: [UInt8]?
        ) {
            self.app = app
            self.item = item
            self.month = month
            self.usageDay = usageDay
            self.postingDay = postingDay
            self.device = device
        }
    }

    /// A sum event as it is stored, for one of the items that it fed.
    package struct RecordKey: Hashable, Sendable {
        package var arrivalDay: Int
        /// UTF-8, and so is `id`.
        package var source: [UInt8]
        package var id: [UInt8]
        package var app: String
        package var item: String
        package var timeMicros: Int64
        package var quantity: Int64

        package init(
            arrivalDay: Int, source: [UInt8], id: [UInt8], app: String, item: String, timeMicros: Int64,
            quantity: Int64
        ) {
            self.arrivalDay = arrivalDay
            self.source = source
            self.id = id
            self.app = app
            self.item = item
            self.timeMicros = timeMicros
            self.quantity = quantity
        }
    }

    /// How the events of an arrival day ended.
    package struct TallyKey: Hashable, Sendable {
        package var arrivalDay: Int
        package var outcome: EventOutcome

        package init(arrivalDay: Int, outcome: EventOutcome) {
            self.arrivalDay = arrivalDay
            self.outcome = outcome
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

/// An event that was refused.
struct QuarantinedEvent {
    var event: History.Event
    /// By which a repeated one is recognised.
    var text: Bytes
    var refusal: BillingOracle.Refusal

    init(_ event: History.Event, _ refusal: BillingOracle.Refusal) {
        self.event = event
        text = Bytes(event.description)
        self.refusal = refusal
    }
}

struct AppDevice: Hashable {
    var app: String
    var device: Bytes
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

extension BillingOracle.EvidenceKey: CustomStringConvertible {
    package var description: String {
        let device = device.map { String(decoding: $0, as: UTF8.self) } ?? "erased"
        return "\(app) \(item) \(Dates.text(month: month)) used \(Dates.text(day: usageDay)) "
            + "posted \(Dates.text(day: postingDay)) device \(device)"
    }
}

extension BillingOracle.RecordKey: CustomStringConvertible {
    package var description: String {
        "\(String(decoding: source, as: UTF8.self)) \(String(decoding: id, as: UTF8.self)) of \(app) for \(item), "
            + "\(quantity) at \(Dates.text(instant: timeMicros)), arrived \(Dates.text(day: arrivalDay))"
    }
}

extension BillingOracle.TallyKey: CustomStringConvertible {
    package var description: String { "\(Dates.text(day: arrivalDay)) \(outcome)" }
}

extension BillingOracle.LedgerKey: CustomStringConvertible {
    package var description: String {
        let days = "posted \(Dates.text(day: postedDay)) used \(Dates.text(day: usageDay))"
        let price = "tier \(tier.map(String.init) ?? "-") version \(priceVersion.map(String.init) ?? "-")"
        return "\(days) \(tenant)/\(app ?? "-") \(item ?? "-") \(source.rawValue) \(grantCode ?? "-") \(price)"
    }
}
