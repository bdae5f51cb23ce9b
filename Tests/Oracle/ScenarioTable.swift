// The form in which the worked cases are written down, and how such a table becomes a history.

/// One case as a table; instants as "YYYY-MM-DDThh:mm:ss+hh:mm", days as "YYYY-MM-DD".
struct ScenarioTable: Sendable {
    var name: String
    var zone = "Asia/Shanghai"
    var apps = ["shop"]
    /// Tiers that replace those of the built-in book.
    var tiers: [String: [History.Tier]] = [:]
    var grants: [GrantRow] = []
    var versions: [VersionRow] = []
    var events: [EventRow]
    var rates: [RateRow] = []
    var rateThrough: String
    var quantities: [String: [String: Int64]]
    var amounts: [String: Int64]
    var total: Int64

    struct GrantRow: Sendable {
        var code: String
        var offer: History.Offer
        var purchased: String
        var recorded: String?

        static func resource(
            _ code: String, _ item: String, _ quantity: Int64, purchased: String, recorded: String? = nil
        ) -> GrantRow {
            GrantRow(
                code: code, offer: .resourcePackage(item: item, quantity: quantity), purchased: purchased,
                recorded: recorded)
        }

        static func package(_ code: String, devices: Int64, purchased: String) -> GrantRow {
            GrantRow(code: code, offer: .miniProgramPackage(devices: devices), purchased: purchased)
        }
    }

    struct VersionRow: Sendable {
        var effective: String
        var applied: String
        var tiers: [String: [History.Tier]]
    }

    struct RateRow: Sendable {
        var day: String
        var at: String
    }

    struct EventRow: Sendable {
        enum Amount: Sendable {
            /// One device activity for each of the devices d<first>..d<last>.
            case devices(ClosedRange<Int>)
            case quantity(Int64)
        }

        var app: String
        var feature: String
        var amount: Amount
        var time: String
        /// The time when nil.
        var received: String?
        /// One of its own when nil.
        var id: String?
        /// How often the same event is sent.
        var deliveries = 1

        static func devices(
            _ app: String, _ feature: String, _ devices: ClosedRange<Int>, _ time: String, received: String? = nil
        ) -> EventRow {
            EventRow(app: app, feature: feature, amount: .devices(devices), time: time, received: received)
        }

        static func sum(
            _ app: String, _ feature: String, _ quantity: Int64, _ time: String, received: String? = nil,
            id: String? = nil, deliveries: Int = 1
        ) -> EventRow {
            EventRow(
                app: app, feature: feature, amount: .quantity(quantity), time: time, received: received, id: id,
                deliveries: deliveries)
        }

        /// The same at noon in Shanghai on each day of January 2027.
        static func everyDayOfJanuary(_ row: (_ time: String) -> EventRow) -> [EventRow] {
            (1...31).map { row("2027-01-" + ($0 < 10 ? "0" : "") + "\($0)T12:00:00+08:00") }
        }
    }

    var scenario: Scenario {
        let settings = History.Settings(
            timeZone: zone, finalAfterDays: 3, maxAgeDays: 35,
            tenants: [History.Tenant("acme", legacy: true)],
            apps: apps.map { History.App($0, tenant: "acme") })
        let history = History(
            name: name, settings: settings,
            priceBook: .builtIn(effectiveDay: Dates.day("2026-01-01"), tiers: tiers), steps: steps)
        return Scenario(
            name: name, history: history, quantities: quantities, amountsMicros: amounts, totalMicros: total)
    }

    /// In the order of their instants; at one instant grants first, then versions, events, ratings.
    private var steps: [History.Step] {
        let unordered = grantSteps + versionSteps + eventSteps + rateSteps
        let ordered = unordered.enumerated().sorted { left, right in
            (left.element.at, left.offset) < (right.element.at, right.offset)
        }
        let last = Dates.day(rateThrough)
        let settling = LocalDates(timeZone: zone).firstInstant(of: last + 3)
        return ordered.map(\.element) + [History.Step(at: settling, .rate(day: last))]
    }

    private var grantSteps: [History.Step] {
        grants.map { row in
            let purchased = Dates.instant(row.purchased)
            let grant = History.Grant(code: row.code, tenant: "acme", offer: row.offer, purchasedAt: purchased)
            return History.Step(at: row.recorded.map { Dates.instant($0) } ?? purchased, .grant(grant))
        }
    }

    private var versionSteps: [History.Step] {
        versions.map { row in
            History.Step(
                at: Dates.instant(row.applied),
                .applyPriceBook(
                    effectiveDay: Dates.day(row.effective), changes: History.PriceBookChanges(tiers: row.tiers)))
        }
    }

    private var rateSteps: [History.Step] {
        rates.map { History.Step(at: Dates.instant($0.at), .rate(day: Dates.day($0.day))) }
    }

    /// One batch for each instant at which something arrives.
    private var eventSteps: [History.Step] {
        var batches: [Int64: [History.Event]] = [:]
        for (index, row) in events.enumerated() {
            let arrival = Dates.instant(row.received ?? row.time)
            batches[arrival, default: []] += Self.events(of: row, id: row.id ?? "e\(index)")
        }
        return batches.sorted { $0.key < $1.key }.map { History.Step(at: $0.key, .ingest($0.value)) }
    }

    private static func events(of row: EventRow, id: String) -> [History.Event] {
        func event(_ kind: History.Event.Kind, id: String) -> History.Event {
            History.Event(
                kind, app: row.app, source: "/scenario", id: id, timeMicros: Dates.instant(row.time))
        }
        switch row.amount {
        case .devices(let devices):
            return devices.map { device in
                event(.deviceActivity(features: [row.feature], device: "d\(device)"), id: "\(id)-\(device)")
            }
        case .quantity(let quantity):
            let isGateway = row.feature == "mobile_gateway"
            let kind: History.Event.Kind =
                isGateway ? .gatewayCall(calls: quantity) : .usage(feature: row.feature, quantity: quantity)
            return Array(repeating: event(kind, id: id), count: row.deliveries)
        }
    }
}
