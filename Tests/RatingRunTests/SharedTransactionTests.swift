// Tenants' days that share transactions: however many do, and wherever a run ends, each is whole or not there.

import GRDB
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import RatingRun
import Storage
import TestSupport
import Testing
import Verification

@Suite("Tenants' days that share transactions (Billing rules, section 6)", .computing)
struct SharedTransactionTests {
    private struct Stop: Error {}

    /// Three tenants with usage on days 5 to 8, seen on the 10th: the first three days are final.
    private func fixture() throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-05T12:00:00Z")
        let apps = ["acme": ["shop", "kiosk"], "bolt": ["rides"], "cafe": ["orders", "tables", "guests"]]
        for tenant in apps.keys.sorted() { try fixture.addTenant(tenant, apps: apps[tenant, default: []]) }
        for day in 5...8 {
            let noon = "2027-01-0\(day)T12:00:00Z"
            try fixture.set(now: noon)
            for (number, app) in apps.values.joined().sorted().enumerated() where (number + day) % 4 != 0 {
                _ = try fixture.ingest(
                    EventLine.calls(Int64(day + number), id: "\(app)-\(day)", at: noon, app: app).text,
                    EventLine.device("d\(day / 2)", at: noon, app: app).text)
            }
        }
        try fixture.set(now: "2027-01-10T12:00:00Z")
        return fixture
    }

    private static let entries = """
        SELECT posted_day, tenant, app, item, source, tier, quantity, amount_micros
        FROM ledger
        ORDER BY entry_id
        """
    private static let tenantDays = "SELECT posted_day, tenant, count(*) FROM ledger GROUP BY 1, 2 ORDER BY 1, 2"
    private static let settled = "SELECT date(day * 86400, 'unixepoch') FROM settled_day ORDER BY day"
    private static let totals = "SELECT * FROM rated_total ORDER BY 1, 2, 3, 4, 5, 6, 7"

    @Test("are whole or not there wherever a run ends, and the next one completes the ledger", arguments: [1, 4, 500])
    func ended(bound: Int) throws {
        let date = try #require(Day("2027-01-10"))
        let whole = try fixture()
        _ = try whole.ledger.rate(date, clock: whole.clock)
        let wholeDays = try whole.rows(Self.tenantDays)
        var transactions = 0
        var isDone = false
        while !isDone {
            let ended = try fixture()
            var count = 0
            isDone = true
            do {
                let run = try RatingRun(file: ended.ledger.file, entriesPerTransaction: bound)
                _ = try run.run(date: date, clock: ended.clock) {
                    // What is told between two transactions depends on the time that a reading takes.
                    guard try ended.rows("SELECT 1 FROM ledger LIMIT 1") != [] else { return }
                    count += 1
                    if count > transactions { throw Stop() }
                }
            } catch is Stop {
                isDone = false
            }
            let days = try ended.rows(Self.tenantDays)
            #expect(days == Array(wholeDays.prefix(days.count)), "a tenant's day is not whole")
            for day in try ended.rows(Self.settled) {
                let tenants = wholeDays.filter { $0.hasPrefix(day) }
                #expect(days.filter { $0.hasPrefix(day) } == tenants, "\(day) was settled before its last tenant")
            }
            _ = try ended.ledger.rate(date, clock: ended.clock)
            for query in [Self.entries, Self.settled, Self.totals] {
                #expect(try ended.rows(query) == whole.rows(query), "ended after \(transactions) transactions")
            }
            #expect(try Verification(file: ended.ledger.file).run { _ in }.findings.map(\.sentence) == [])
            transactions += 1
        }
        #expect(bound == 500 ? transactions == 1 : transactions > 5)
    }

    @Test("stay where they are when one of the tenants has an amount beyond all bounds")
    func failure() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z", priceBook: PriceBookText.withAllowance)
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.addTenant("bolt", apps: ["rides"])
        _ = try fixture.ingest(EventLine.calls(5, id: "small").text)
        for number in 0..<10 {
            _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(number)", app: "rides").text)
        }
        let date = try #require(Day("2027-01-10"))
        #expect(try fixture.ledger.rate(date, clock: fixture.clock).unrated.map(\.tenant.text) == ["bolt"])
        #expect(try fixture.rows("SELECT tenant, quantity FROM ledger") == ["acme 5"])
    }

    @Test("give others their turn also when they are only previewed")
    func preview() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        // More entries than one transaction takes.
        for tenant in ["acme", "bolt", "cafe"] {
            let apps = (0..<300).map { "\(tenant)-\($0)" }
            try fixture.addTenant(tenant, apps: apps)
            _ = try fixture.ingest(apps.map { EventLine.calls(1, id: $0, app: $0).text })
        }
        let date = try #require(Day("2027-01-10"))
        #expect(try fixture.ledger.previewRating(date, clock: fixture.clock).appended.count == 900)
        fixture.ledger.betweenTransactions = { throw Stop() }
        #expect(throws: Stop.self) { _ = try fixture.ledger.previewRating(date, clock: fixture.clock) }
        #expect(try fixture.rows("SELECT 1 FROM ledger") == [])
    }
}
