// Answers and entries that the worked cases do not show, reckoned by hand from the rules.

import Oracle
import TestSupport
import Testing

@Suite("The oracle, by hand", .computing)
struct HandWorkedTests {
    /// Shanghai, N = 3, 35 days; the tenant acme is new, old is a legacy one.
    private func ledger(_ tiers: [String: [History.Tier]] = [:]) -> BillingOracle {
        let settings = History.Settings(
            timeZone: "Asia/Shanghai", finalAfterDays: 3, maxAgeDays: 35,
            tenants: [History.Tenant("acme", legacy: false), History.Tenant("old", legacy: true)],
            apps: [History.App("shop", tenant: "acme"), History.App("store", tenant: "old")])
        return BillingOracle(
            History(
                name: "by hand", settings: settings,
                priceBook: .builtIn(effectiveDay: Dates.day("2026-01-01"), tiers: tiers), steps: []))
    }

    private func at(_ local: String) -> Int64 {
        Dates.instant(local + "+08:00")
    }

    private func calls(_ quantity: Int64, _ time: Int64, id: String) -> History.Event {
        History.Event(.gatewayCall(calls: quantity), app: "shop", source: "/gw", id: id, timeMicros: time)
    }

    private func answer(
        _ oracle: inout BillingOracle, _ event: History.Event, at now: Int64
    ) -> BillingOracle.EventOutcome? {
        guard case .events(let outcomes) = oracle.take(History.Step(at: now, .ingest([event]))) else { return nil }
        return outcomes.first
    }

    @Test("an identity is held through its arrival date plus the age limit plus one day")
    func identityLifetime() {
        var oracle = ledger()
        let first = at("2027-01-10T12:00:00")
        #expect(answer(&oracle, calls(5, first, id: "x"), at: first) == .accepted)
        let lastHeld = at("2027-02-15T23:59:59")
        #expect(answer(&oracle, calls(5, first, id: "x"), at: lastHeld) == .duplicate)
        #expect(answer(&oracle, calls(6, first, id: "x"), at: lastHeld) == .refused(.conflict))
        #expect(answer(&oracle, calls(5, lastHeld, id: "x"), at: lastHeld) == .refused(.conflict))
        let free = at("2027-02-16T00:00:00")
        #expect(answer(&oracle, calls(5, first, id: "x"), at: free) == .refused(.tooOld))
        #expect(answer(&oracle, calls(5, free, id: "x"), at: free) == .accepted)
    }

    @Test(
        "the bounds of time are exact",
        arguments: [
            ("2027-02-05T00:00:00", BillingOracle.EventOutcome.correction),
            ("2027-02-04T23:59:59", .refused(.tooOld)),
            ("2027-03-10T00:00:00", .accepted),
            ("2027-03-09T23:59:59", .correction),
            ("2027-03-12T00:10:00", .accepted),
            ("2027-03-12T00:10:01", .refused(.inFuture)),
        ])
    func boundsOfTime(time: String, expected: BillingOracle.EventOutcome) {
        var oracle = ledger()
        let now = at("2027-03-12T00:00:00")
        #expect(answer(&oracle, calls(1, at(time), id: "x"), at: now) == expected)
    }

    @Test(
        "a feature is judged by what it feeds and for whom",
        arguments: [
            ("shop", History.Event.Kind.usage(feature: "nothing", quantity: 1), BillingOracle.Refusal.unknownFeature),
            ("shop", .usage(feature: "kernel", quantity: 1), .notMetered),
            ("shop", .usage(feature: "basic_analysis", quantity: 1), .wrongType),
            ("shop", .deviceActivity(features: ["mobile_gateway"], device: "d"), .wrongType),
            ("shop", .deviceActivity(features: ["data_sync", "kernel"], device: "d"), .notMetered),
            ("shop", .usage(feature: "synchronized_messages", quantity: 1), .legacyItem),
            ("store", .usage(feature: "pushed_messages", quantity: 1), .legacyItem),
            ("store", .usage(feature: "synchronized_messages", quantity: 1), nil),
            ("store", .usage(feature: "gateway_calls", quantity: 1), nil),
            ("nobody", .gatewayCall(calls: 1), .unknownApp),
        ] as [(String, History.Event.Kind, BillingOracle.Refusal?)])
    func features(app: String, kind: History.Event.Kind, refusal: BillingOracle.Refusal?) {
        var oracle = ledger(["synchronized_messages": [History.Tier(price: "0.96", per: 10_000)]])
        let now = at("2027-03-12T12:00:00")
        let event = History.Event(kind, app: app, source: "/s", id: "1", timeMicros: now)
        #expect(answer(&oracle, event, at: now) == (refusal.map { .refused($0) } ?? .accepted))
    }

    @Test("a purchase is entered, what is left is forfeited once no usage can come, a used package cannot be voided")
    func lifeOfAPackage() {
        var oracle = ledger()
        let used = History.Grant(
            code: "R", tenant: "acme", offer: .resourcePackage(item: "gateway_calls", quantity: 10),
            purchasedAt: at("2026-03-09T12:00:00"), priceMicros: 60_000_000)
        var unused = used
        unused.code = "U"
        let now = at("2027-03-08T12:00:00")
        #expect(oracle.take(History.Step(at: now, .grant(used))) == .grant(.recorded))
        #expect(oracle.take(History.Step(at: now, .grant(used))) == .grant(.repeated))
        #expect(oracle.take(History.Step(at: now, .grant(unused))) == .grant(.recorded))
        #expect(answer(&oracle, calls(4, now, id: "x"), at: now) == .accepted)
        // The 8th is final from the 11th on. Until then R could be voided too.
        var open = oracle
        #expect(
            open.take(History.Step(at: at("2027-03-10T23:59:59"), .voidGrant(code: "R"))) == .void(.voided))
        let later = at("2027-03-11T00:00:00")
        #expect(oracle.take(History.Step(at: later, .voidGrant(code: "R"))) == .void(.refusedUsed))
        #expect(oracle.take(History.Step(at: later, .voidGrant(code: "U"))) == .void(.voided))
        #expect(oracle.take(History.Step(at: later, .voidGrant(code: "U"))) == .void(.alreadyVoided))
        #expect(oracle.take(History.Step(at: later, .grant(unused))) == .grant(.refusedVoided))
        // A void rates nothing.
        #expect(oracle.ratedThrough == nil)
        // It ended on 10 March; 35 days later its last day is too old, and what arrives on the day before that is posted on
        // 11 April.
        let end = Dates.day("2027-04-12")
        let late = calls(1, at("2027-03-09T23:00:00"), id: "late")
        #expect(answer(&oracle, late, at: at("2027-04-13T12:00:00")) == .correction)
        _ = oracle.take(History.Step(at: at("2027-04-14T12:00:00"), .rate(day: end)))

        let bought = Dates.day("2027-03-08")
        func paid(_ source: BillingOracle.Source, _ code: String, _ day: Int) -> BillingOracle.LedgerKey {
            BillingOracle.LedgerKey(
                postedDay: day, usageDay: day, tenant: "acme", item: "gateway_calls", source: source, grantCode: code)
        }
        let drawn = BillingOracle.LedgerKey(
            postedDay: bought, usageDay: bought, tenant: "acme", app: "shop", item: "gateway_calls",
            source: .resourcePackage, grantCode: "R", priceVersion: 1)
        var corrected = drawn
        (corrected.postedDay, corrected.usageDay) = (end - 1, Dates.day("2027-03-09"))
        #expect(
            oracle.ledger == [
                paid(.purchase, "R", bought): BillingOracle.Net(quantity: 0, amountMicros: 60_000_000),
                paid(.purchase, "U", bought): BillingOracle.Net(quantity: 0, amountMicros: 60_000_000),
                paid(.refund, "U", bought + 3): BillingOracle.Net(quantity: 0, amountMicros: -60_000_000),
                drawn: BillingOracle.Net(quantity: 4, amountMicros: 0),
                corrected: BillingOracle.Net(quantity: 1, amountMicros: 0),
                paid(.forfeit, "R", end): BillingOracle.Net(quantity: 5, amountMicros: 0),
            ])
        #expect(oracle.settledThrough == Dates.day("2027-04-11"))
        #expect(oracle.ratedThrough == end)
    }

    @Test("a subscription can be voided through its first day")
    func voidedSubscription() {
        for (code, voided, outcome) in [
            ("S1", "2027-03-02T23:59:59", BillingOracle.VoidOutcome.voided),
            ("S2", "2027-03-03T00:00:00", .refusedBegun),
        ] {
            var oracle = ledger()
            let grant = History.Grant(
                code: code, tenant: "acme",
                offer: .subscription(item: "security_armor", app: "shop", term: .month),
                purchasedAt: at("2027-03-01T12:00:00"))
            #expect(oracle.take(History.Step(at: at("2027-03-01T12:00:00"), .grant(grant))) == .grant(.recorded))
            #expect(oracle.take(History.Step(at: at(voided), .voidGrant(code: code))) == .void(outcome))
        }
    }

    @Test("the bills of a month add up to its amount cut down to the cent")
    func bills() {
        var oracle = ledger()
        for (day, quantity) in [("2027-03-01", 400), ("2027-03-02", 400), ("2027-03-03", 600)] as [(String, Int64)] {
            let now = at(day + "T12:00:00")
            #expect(answer(&oracle, calls(quantity, now, id: day), at: now) == .accepted)
        }
        _ = oracle.take(History.Step(at: at("2027-03-04T12:00:00"), .rate(day: Dates.day("2027-03-03"))))
        func bill(_ day: String, _ amount: Int64, _ payable: Int64) -> (BillingOracle.BillKey, BillingOracle.Bill) {
            (
                BillingOracle.BillKey(tenant: "acme", postedDay: Dates.day(day)),
                BillingOracle.Bill(amountMicros: amount, payableMicros: payable)
            )
        }
        let expected = [
            bill("2027-03-01", 6_000, 0), bill("2027-03-02", 6_000, 10_000), bill("2027-03-03", 9_000, 10_000),
        ]
        #expect(oracle.bills() == Dictionary(uniqueKeysWithValues: expected))
    }
}
