// An amount that no 64-bit number holds stops the run with a word that says whose it is.

import LedgerFixture
import LedgerStore
import Operations
import Quantities
import RatingRun
import Testing
import Verification

@Suite("An amount beyond all bounds (Billing rules, section 7)")
struct OverflowTests {
    @Test("is an error that names tenant and day, never a wrong number")
    func isNamed() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z", priceBook: PriceBookText.withAllowance)
        try fixture.addTenant("acme", apps: ["shop"])
        for number in 0..<10 {
            _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(number)").text)
        }
        let day = try #require(Day("2027-01-10"))
        let failure = #expect(throws: LedgerError.self) { try fixture.ledger.rate(day, clock: fixture.clock) }
        #expect(failure?.description.hasPrefix("tenant 'acme', bill of 2027-01-10: ") == true)
        #expect(try fixture.rows("SELECT count(*) FROM ledger") == ["0"])
    }

    /// Prices that a handful of devices bring beyond all bounds.
    private static let dear = """
        book: dear
        effective: 2026-01-01
        currency: USD
        items:
          first: { aggregation: unique_devices, tiers: [ { price: "999999999999" } ] }
          second: { aggregation: unique_devices, tiers: [ { price: "999999999999" } ] }
        features:
          first: { items: [ first ] }
          second: { items: [ second ] }
        """

    private static let (earlier, now) = ("2026-12-20T12:00:00Z", "2027-01-10T12:00:00Z")

    @Test(
        "counts what a bill adds up, items as well as usage months: no view of any tenant breaks",
        arguments: [[("first", now), ("second", now)], [("first", earlier), ("first", now)]])
    func sums(usage: [(feature: String, time: String)]) throws {
        let fixture = try LedgerFixture(now: Self.now, priceBook: Self.dear)
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.addTenant("zoo", apps: ["lions"])
        // Nine trillions each: one is within the bounds, both together are not.
        for (feature, time) in usage {
            _ = try fixture.ingest((0..<9).map { EventLine.device("d\($0)", of: feature, at: time).text })
        }
        _ = try fixture.ingest(EventLine.device("l", of: "first", app: "lions").text)
        #expect(throws: LedgerError.self) { try fixture.ledger.rate(#require(Day("2027-01-10")), clock: fixture.clock) }
        #expect(
            try fixture.rows("SELECT tenant, sum(amount_micros) < 9200000000000000000 FROM bill GROUP BY tenant")
                == ["acme 1", "zoo 1"])
        #expect(
            try fixture.rows("SELECT tenant, amount_micros FROM statement WHERE tenant = 'zoo'")
                == ["zoo 999999999999000000"])
    }

    @Test("keeps no other tenant from being rated, only days from being settled, until the prices are right")
    func otherTenants() throws {
        let fixture = try LedgerFixture(now: Self.now, priceBook: PriceBookText.withAllowance)
        for (tenant, app) in [("acme", "shop"), ("bad", "flood"), ("zoo", "lions")] {
            try fixture.addTenant(tenant, apps: [app])
            _ = try fixture.ingest(EventLine.calls(1_000, id: app, app: app).text)
        }
        for number in 0..<10 {
            _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(number)", app: "flood").text)
        }
        try fixture.set(now: "2027-01-12T12:00:00Z")
        for app in ["shop", "flood", "lions"] {
            _ = try fixture.ingest(EventLine.calls(7, id: "b-\(app)", at: "2027-01-12T10:00:00Z", app: app).text)
        }
        let day = try #require(Day("2027-01-12"))
        for _ in 0..<2 {
            let failure = #expect(throws: LedgerError.self) { try fixture.ledger.rate(day, clock: fixture.clock) }
            #expect(
                failure?.description.contains("no day from then on is settled; the other tenants are rated.") == true)
            #expect(
                try fixture.rows(
                    "SELECT tenant, posted_day, sum(quantity) FROM ledger GROUP BY tenant, posted_day ORDER BY 1, 2")
                    == ["acme 2027-01-10 1000", "acme 2027-01-12 7", "zoo 2027-01-10 1000", "zoo 2027-01-12 7"])
        }
        try fixture.apply(
            priceBook: PriceBookText.withAllowance.replacing("2026-01-01", with: "2027-01-10")
                .replacing("price: \"1\"", with: "price: \"0.01\""))
        try fixture.set(now: "2027-01-13T12:00:00Z")
        let report = try fixture.ledger.rate(day, clock: fixture.clock)
        #expect(report.settled == [try #require(Day("2027-01-10"))])
        #expect(
            try fixture.rows("SELECT posted_day, sum(quantity) FROM ledger WHERE tenant = 'bad' GROUP BY 1 ORDER BY 1")
                == ["2027-01-10 10000000001000", "2027-01-12 7"])
        let soundness = try Verification(file: fixture.ledger.file).run { _ in }
        #expect(soundness.findings.map(\.sentence) == [])
    }

    @Test("keeps no other tenant from voiding a grant; of several tenants all are named")
    func grantsOfOthers() throws {
        let fixture = try LedgerFixture(
            now: Self.now,
            priceBook: PriceBookText.withAllowance + "\noffers:\n  resource_package: { name: Package, term: year }")
        for (tenant, app) in [("acme", "shop"), ("bad", "flood"), ("worse", "deluge")] {
            try fixture.addTenant(tenant, apps: [app])
            let order = GrantOrder(
                code: LedgerFixture.code("of-\(tenant)"), tenant: LedgerFixture.code(tenant),
                terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(5)),
                purchasedAt: fixture.now, price: nil)
            _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
            guard tenant != "acme" else { continue }
            for number in 0..<10 {
                _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(tenant)-\(number)", app: app).text)
            }
        }
        for tenant in ["bad", "worse"] {
            let failure = #expect(throws: LedgerError.self) {
                try fixture.ledger.voidGrant(LedgerFixture.code("of-\(tenant)"), clock: fixture.clock)
            }
            #expect(failure?.description.hasPrefix("tenant 'bad', bill of 2027-01-10: ") == true)
            #expect(failure?.description.contains("the same is so of 'worse'; the other tenants are rated") == true)
        }
        #expect(try !fixture.ledger.voidGrant(LedgerFixture.code("of-acme"), clock: fixture.clock).isVoided)
        #expect(try fixture.rows("SELECT code FROM \"grant\" WHERE voided_at IS NOT NULL") == ["of-acme"])
    }

    @Test("does not keep the days before from being settled and sealed")
    func daysBefore() throws {
        let fixture = try LedgerFixture(
            now: "2027-01-10T12:00:00Z",
            priceBook: PriceBookText.withAllowance.replacing(
                "features:",
                with: "  basic_analysis: { aggregation: unique_devices, tiers: [ { price: \"1\" } ] }\nfeatures:")
                + "\n  basic_analysis: { items: [ basic_analysis ] }")
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.device("x").text)
        try fixture.set(now: "2027-01-12T12:00:00Z")
        for number in 0..<10 {
            _ = try fixture.ingest(
                EventLine.calls(1_000_000_000_000, id: "\(number)", at: "2027-01-12T10:00:00Z").text)
        }
        try fixture.set(now: "2027-01-14T12:00:00Z")
        let day = try #require(Day("2027-01-14"))
        for _ in 0..<2 {
            #expect(throws: LedgerError.self) { try fixture.ledger.rate(day, clock: fixture.clock) }
            #expect(
                try fixture.rows("SELECT date(sealed_through * 86400, 'unixepoch') FROM seal_progress")
                    == ["2027-01-11"])
            #expect(try fixture.rows("SELECT count(*) FROM touch") == ["0"])
            #expect(try fixture.rows("SELECT count(*) FROM identity_run_day") == ["1"])
        }
    }
}
