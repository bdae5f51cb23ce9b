// An amount that no 64-bit number holds stops the run with a word that says whose it is.

import LedgerFixture
import LedgerStore
import Operations
import Quantities
import RatingRun
import TestSupport
import Testing
import Verification

@Suite("An amount beyond all bounds (Billing rules, section 7)", .computing)
struct OverflowTests {
    @Test("is an error that names tenant and day, never a wrong number")
    func isNamed() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z", priceBook: PriceBookText.withAllowance)
        try fixture.addTenant("acme", apps: ["shop"])
        for number in 0..<10 {
            _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(number)").text)
        }
        let day = try #require(Day("2027-01-10"))
        let unrated = try fixture.ledger.rate(day, clock: fixture.clock).unrated
        #expect(
            unrated.map { $0.description.prefix { $0 != ";" } } == [
                "tenant 'acme', bill of 2027-01-10: a month's amount is beyond the range of a 64-bit number"
            ])
        #expect(try fixture.rows("SELECT count(*) FROM ledger") == ["0"])
    }

    /// Prices at which nine devices are nearly all that a month of usage may come to.
    private static let dear = """
        book: dear
        effective: 2026-01-01
        currency: USD
        items:
          first: { aggregation: unique_devices, tiers: [ { price: "63999999999" } ] }
          second: { aggregation: unique_devices, tiers: [ { price: "63999999999" } ] }
        features:
          first: { items: [ first ] }
          second: { items: [ second ] }
        """

    private static let (earlier, now) = ("2026-12-20T12:00:00Z", "2027-01-10T12:00:00Z")

    private func devices(_ range: Range<Int>, _ feature: String, at time: String) -> [String] {
        range.map { EventLine.device("d\($0)", of: feature, at: time).text }
    }

    @Test("is far from what a bill adds up of items and usage months, also beside lines of an earlier run")
    func sums() throws {
        let fixture = try LedgerFixture(now: Self.now, priceBook: Self.dear)
        try fixture.addTenant("acme", apps: ["shop"])
        let day = try #require(Day("2027-01-10"))
        _ = try fixture.ingest(devices(0..<9, "first", at: Self.now))
        #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated == [])
        // What comes for the day before takes the place of what stands on this one, which can't be rated any more.
        _ = try fixture.ingest(devices(9..<18, "first", at: "2027-01-09T12:00:00Z"))
        _ = try fixture.ingest(devices(0..<9, "second", at: Self.earlier))
        #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated.map(\.day) == [day])
        #expect(
            try fixture.rows("SELECT day, amount_micros / 1000000 FROM bill ORDER BY day") == [
                "2027-01-08 575999999991", "2027-01-09 575999999991", "2027-01-10 575999999991",
            ])
        #expect(try fixture.rows("SELECT amount_micros / 1000000 FROM statement") == ["1727999999973"])
    }

    @Test("is judged by what all items of a month come to, so that everybody's bills can be read")
    func itemsTogether() throws {
        let items = ["one", "two", "three", "four", "five"]
        let book =
            "book: five\neffective: 2026-01-01\ncurrency: USD\nitems:\n"
            + items.map { "  \($0): { aggregation: sum, tiers: [ { price: \"0.25\" } ] }\n" }.joined() + "features:\n"
            + items.map { "  \($0): { items: [ \($0) ] }\n" }.joined()
        let fixture = try LedgerFixture(now: Self.now, priceBook: book)
        for (tenant, app) in [("acme", "shop"), ("bad", "flood")] { try fixture.addTenant(tenant, apps: [app]) }
        _ = try fixture.ingest(EventLine.usage(7, of: "one", id: "acme").text)
        for item in items {
            for number in 0..<2 {
                let id = "\(item)-\(number)"
                _ = try fixture.ingest(EventLine.usage(1_000_000_000_000, of: item, id: id, app: "flood").text)
            }
        }
        let unrated = try fixture.ledger.rate(try #require(Day("2027-01-10")), clock: fixture.clock).unrated
        #expect(
            unrated.map { $0.description.prefix { $0 != ";" } } == [
                "tenant 'bad', bill of 2027-01-10: 1000000000000.00 for the usage of 2027-01 is beyond 576460752303.423487"
            ])
        #expect(
            try fixture.rows("SELECT tenant, amount_micros FROM bill ORDER BY tenant") == ["acme 1750000", "bad 0"])
        #expect(
            try fixture.rows("SELECT tenant, amount_micros FROM statement ORDER BY tenant") == [
                "acme 1750000", "bad 0",
            ])
    }

    @Test("is less for each month of usage, the more of them the age limit lets into one month's bills")
    func usageMonths() throws {
        let times = ["2026-09-15", "2026-10-15", "2026-11-15", "2026-12-15", "2027-01-10"].map { "\($0)T10:00:00Z" }
        let book = Self.dear.replacing("63999999999", with: "25599999999").replacing("2026-01-01", with: "2025-01-01")
        let fixture = try LedgerFixture(
            now: Self.now, finality: FinalityRule(finalAfterDays: 3, maxAgeDays: 200), priceBook: book)
        try fixture.addTenant("acme", apps: ["shop"])
        for time in times { _ = try fixture.ingest(devices(0..<9, "first", at: time)) }
        let day = try #require(Day("2027-01-10"))
        #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated == [])
        #expect(try fixture.rows("SELECT amount_micros / 1000000 FROM statement") == ["1151999999955"])
        _ = try fixture.ingest(devices(9..<10, "second", at: times[0]))
        #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated.map(\.tenant.text) == ["acme"])
    }

    @Test("does not grow with the months that a tenant has been there")
    func months() throws {
        let fixture = try LedgerFixture(now: "2027-01-31T12:00:00Z", priceBook: Self.dear)
        try fixture.addTenant("acme", apps: ["shop"])
        for now in ["2027-01-31T12:00:00Z", "2027-02-28T12:00:00Z", "2027-03-31T12:00:00Z"] {
            try fixture.set(now: now)
            _ = try fixture.ingest(devices(0..<9, "first", at: now))
            let day = try #require(Day(String(now.prefix(10))))
            #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated == [])
        }
        let soundness = try Verification(file: fixture.ledger.file).run { _ in }
        #expect(soundness.findings.map(\.sentence) == [])
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
            let report = try fixture.ledger.rate(day, clock: fixture.clock)
            #expect(report.unrated.map(\.tenant.text) == ["bad"])
            #expect(report.settled == [])
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

    @Test("keeps no other tenant from voiding a grant")
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
        // Once the day is final, it matters what it draws.
        try fixture.set(now: "2027-01-13T12:00:00Z")
        for tenant in ["bad", "worse"] {
            let failure = #expect(throws: LedgerError.self) {
                try fixture.ledger.voidGrant(LedgerFixture.code("of-\(tenant)"), clock: fixture.clock)
            }
            #expect(failure?.description.hasPrefix("tenant '\(tenant)', bill of 2027-01-10: ") == true)
        }
        let unrated = try fixture.ledger.rate(#require(Day("2027-01-10")), clock: fixture.clock).unrated
        #expect(unrated.map(\.tenant.text) == ["bad", "worse"])
        #expect(try fixture.ledger.voidGrant(LedgerFixture.code("of-acme"), clock: fixture.clock).openDraws == .zero)
        #expect(try fixture.rows("SELECT code FROM \"grant\" WHERE voided_at IS NOT NULL") == ["of-acme"])
    }

    @Test("does not keep the days before from being settled and sealed")
    func daysBefore() throws {
        let fixture = try LedgerFixture(
            now: "2027-01-10T12:00:00Z",
            priceBook: PriceBookText.withAllowance.replacing(
                "features:",
                with: "  basic_analysis: { aggregation: unique_devices, tiers: [ { price: \"0.25\" } ] }\nfeatures:")
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
            #expect(try fixture.ledger.rate(day, clock: fixture.clock).unrated.map(\.tenant.text) == ["acme"])
            #expect(
                try fixture.rows("SELECT date(sealed_through * 86400, 'unixepoch') FROM seal_progress")
                    == ["2027-01-11"])
            #expect(try fixture.rows("SELECT count(*) FROM touch") == ["0"])
            #expect(try fixture.rows("SELECT count(*) FROM identity_run_day") == ["1"])
        }
    }
}
