// What happened to one ledger, as plain values: its settings, its price book, and the ordered steps. The oracle and
// the real engine are driven with the same histories and compared.

/// One ledger's life. Instants are microseconds since 1970 (UTC), days are days since 1970-01-01, money is in whole
/// micro-units of the currency.
package struct History: Sendable, Equatable {
    /// For messages: the seed or the name of the case.
    package var name: String
    package var settings: Settings
    /// The book given at `init`; later ones are `Action.applyPriceBook`.
    package var priceBook: PriceBook
    /// Their instants never decrease, but at `Action.setClock`, and after a mistake that a test clock did not follow.
    package var steps: [Step]

    package init(name: String, settings: Settings, priceBook: PriceBook, steps: [Step]) {
        self.name = name
        self.settings = settings
        self.priceBook = priceBook
        self.steps = steps
    }

    package struct Settings: Sendable, Equatable {
        /// IANA name of the billing time zone.
        package var timeZone: String
        /// Otherwise the ledger goes by its machine's clock.
        package var hasTestClock = true
        package var finalAfterDays: Int
        package var maxAgeDays: Int
        package var tenants: [Tenant]
        package var apps: [App]

        package init(timeZone: String, finalAfterDays: Int, maxAgeDays: Int, tenants: [Tenant], apps: [App]) {
            self.timeZone = timeZone
            self.finalAfterDays = finalAfterDays
            self.maxAgeDays = maxAgeDays
            self.tenants = tenants
            self.apps = apps
        }
    }

    package struct Tenant: Sendable, Equatable {
        package var code: String
        package var legacy: Bool

        package init(_ code: String, legacy: Bool) {
            self.code = code
            self.legacy = legacy
        }
    }

    package struct App: Sendable, Equatable {
        package var code: String
        package var tenant: String

        package init(_ code: String, tenant: String) {
            self.code = code
            self.tenant = tenant
        }
    }

    package struct Step: Sendable, Equatable {
        /// The instant the clock shows.
        package var at: Int64
        /// What speaks for that instant.
        package var trust = Trust.seen
        package var action: Action

        package init(at: Int64, _ action: Action) {
            self.at = at
            self.action = action
        }

        /// Another action at the same instant.
        package func with(_ action: Action) -> Step {
            var step = self
            step.action = action
            return step
        }

        /// Of an ingestion.
        package var events: [Event]? {
            if case .ingest(let events) = action { return events }
            return nil
        }
    }

    /// What speaks for the instant that a clock shows. But for `person` it is about a machine's clock.
    package enum Trust: Sendable, Equatable {
        /// The clock since boot has gone on with the wall clock since the step before.
        case seen
        /// Nothing: the wall clock was set since the step before.
        case nothing
        /// It was set, and the kernel says that it is synchronised.
        case kernel
        /// It was set, and a person confirms it with this step.
        case person
    }

    package enum Action: Sendable, Equatable {
        /// One batch that arrives at once.
        case ingest([Event])
        /// Recorded at the step's instant; the same grant may be recorded again.
        case grant(Grant)
        case voidGrant(code: String)
        /// The book before it with these changes.
        case applyPriceBook(effectiveDay: Int, changes: PriceBookChanges)
        case rate(day: Int)
        /// Every event in quarantine is tried again.
        case retryQuarantine
        case dropQuarantine
        case eraseDevice(app: String, device: String)
        /// Of one of the ledger's tenants.
        case addApp(App)
        /// The machine's clock is set to the step's instant, which may be earlier than that of the steps before.
        case setClock
        /// The store is closed and opened again; no meaning for the rules.
        case reopen
    }

    package struct Event: Sendable, Equatable {
        package var kind: Kind
        package var app: String
        package var source: String
        package var id: String
        package var timeMicros: Int64

        package init(_ kind: Kind, app: String, source: String, id: String, timeMicros: Int64) {
            self.kind = kind
            self.app = app
            self.source = source
            self.id = id
            self.timeMicros = timeMicros
        }

        package enum Kind: Sendable, Equatable {
            case deviceActivity(features: [String], device: String)
            case gatewayCall(calls: Int64)
            case usage(feature: String, quantity: Int64)
            /// A gateway call without `calls` whose data has another member, a JSON value.
            case bareCall(member: String, value: String)
            /// A gateway call without data that has another member, a JSON value, which is no object.
            case callBeside(member: String, value: String)
            /// A text that is no event; nothing else of the event is sent.
            case unreadable(String)
        }
    }

    package struct Grant: Sendable, Equatable {
        package var code: String
        package var tenant: String
        package var offer: Offer
        package var purchasedAt: Int64
        /// What was paid, nil when no price was given.
        package var priceMicros: Int64?

        package init(code: String, tenant: String, offer: Offer, purchasedAt: Int64, priceMicros: Int64? = nil) {
            self.code = code
            self.tenant = tenant
            self.offer = offer
            self.purchasedAt = purchasedAt
            self.priceMicros = priceMicros
        }
    }

    package enum Offer: Sendable, Equatable {
        case miniProgramPackage(devices: Int64)
        case resourcePackage(item: String, quantity: Int64)
        case subscription(item: String, app: String, term: Term)
    }

    package enum Term: String, Sendable, Equatable {
        case month
        case year
    }
}

extension History {
    package struct PriceBook: Sendable, Equatable {
        /// The first local day that it prices; the book given at `init` prices every earlier day too.
        package var effectiveDay: Int
        package var items: [Item]
        /// Feature code -> the items it feeds; none when the feature is not metered.
        package var features: [String: [String]]
        /// What a mini program package grants every month, by item.
        package var packageQuotas: [String: Quota]
        /// How many devices a mini program package may be bought for.
        package var packageDevices: ClosedRange<Int64>

        package init(
            effectiveDay: Int, items: [Item], features: [String: [String]], packageQuotas: [String: Quota],
            packageDevices: ClosedRange<Int64>
        ) {
            self.effectiveDay = effectiveDay
            self.items = items
            self.features = features
            self.packageQuotas = packageQuotas
            self.packageDevices = packageDevices
        }

        package func item(_ code: String) -> Item? {
            items.first { $0.code == code }
        }

        /// The next book: the same but for its day and the changes.
        package func applying(_ changes: PriceBookChanges, effectiveDay: Int) -> PriceBook {
            var book = self
            book.effectiveDay = effectiveDay
            for index in book.items.indices {
                if let tiers = changes.tiers[book.items[index].code] { book.items[index].tiers = tiers }
            }
            book.features.merge(changes.features) { _, new in new }
            book.packageQuotas.merge(changes.packageQuotas) { _, new in new }
            return book
        }
    }

    /// What a later price book has otherwise than the one before it.
    package struct PriceBookChanges: Sendable, Equatable {
        /// By item.
        package var tiers: [String: [Tier]]
        /// By feature: the items that it feeds from then on.
        package var features: [String: [String]]
        /// By item: what packages grant that are bought from then on.
        package var packageQuotas: [String: Quota]

        package init(
            tiers: [String: [Tier]] = [:], features: [String: [String]] = [:], packageQuotas: [String: Quota] = [:]
        ) {
            self.tiers = tiers
            self.features = features
            self.packageQuotas = packageQuotas
        }
    }

    package struct Item: Sendable, Equatable {
        package var code: String
        package var aggregation: Aggregation
        package var free: Bool
        package var legacy: Bool
        /// The codes of the items that replace a legacy one.
        package var replacedBy: [String]
        /// None for a free item and for a legacy item without a price.
        package var tiers: [Tier]

        package init(
            _ code: String, _ aggregation: Aggregation, free: Bool = false, legacy: Bool = false,
            replacedBy: [String] = [], tiers: [Tier] = []
        ) {
            self.code = code
            self.aggregation = aggregation
            self.free = free
            self.legacy = legacy
            self.replacedBy = replacedBy
            self.tiers = tiers
        }
    }

    package enum Aggregation: Sendable, Equatable {
        case uniqueDevices
        case sum
    }

    package struct Tier: Sendable, Equatable {
        /// The last unit of the month that it prices (inclusive); nil for the last tier.
        package var upTo: Int64?
        /// A decimal string of at most 12 decimals, for `per` units.
        package var price: String
        package var per: Int64

        package init(upTo: Int64? = nil, price: String, per: Int64 = 1) {
            self.upTo = upTo
            self.price = price
            self.per = per
        }
    }

    package enum Quota: Sendable, Equatable {
        case fixed(Int64)
        /// As many as the package was bought for.
        case devices
    }
}
