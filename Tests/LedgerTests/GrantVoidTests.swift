// Taking a grant back: what speaks against it, what a refusal leaves, and what the next rating makes of it.

import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import PriceBookFile
import Quantities
import Rating
import TestSupport
import Testing
import Verification

@Suite("Voiding a grant (Billing rules, section 5)", .computing)
struct GrantVoidTests {
    /// On 10 January; R of 1,000 calls is in force from that day on.
    private func ledger(_ more: [(code: String, terms: GrantOrder.Terms)] = []) throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        try record("R", calls(1_000), fixture)
        for (code, terms) in more { try record(code, terms, fixture) }
        return fixture
    }

    private func calls(_ quantity: Int64) -> GrantOrder.Terms {
        .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(quantity))
    }

    private func record(
        _ code: String, _ terms: GrantOrder.Terms, at purchase: String = "2027-01-09T09:00:00Z",
        tenant: String = "acme",
        _ fixture: LedgerFixture
    ) throws {
        let order = GrantOrder(
            code: LedgerFixture.code(code), tenant: LedgerFixture.code(tenant), terms: terms,
            purchasedAt: try LedgerFixture.instant(purchase), price: Money(micros: 60_000_000))
        _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
    }

    private func use(_ quantity: Int64, on day: String, _ fixture: LedgerFixture) throws {
        let id = try fixture.rows("SELECT count(*) FROM usage_event")[0]
        let report = try fixture.ingest(EventLine.calls(quantity, id: id, at: "\(day)T10:00:00Z").text)
        #expect(report.refused.isEmpty)
    }

    private func rate(_ day: String, _ fixture: LedgerFixture) throws {
        _ = try fixture.ledger.rate(#require(Day(day)), clock: fixture.clock)
    }

    private func void(_ code: String, _ fixture: LedgerFixture) throws -> Quantity {
        try fixture.ledger.voidGrant(LedgerFixture.code(code), clock: fixture.clock).openDraws
    }

    /// Every row of every table.
    private func everything(_ fixture: LedgerFixture) throws -> [String] {
        let tables = try fixture.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        return try tables.flatMap { table in
            try fixture.rows("SELECT * FROM \"\(table)\"").map { "\(table): \($0)" }
        }
    }

    private func isSound(_ fixture: LedgerFixture) throws {
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    /// - Returns: the words of the refusal.
    private func refusal(of code: String, _ fixture: LedgerFixture) throws -> String {
        let before = try everything(fixture)
        let error = #expect(throws: LedgerError.self) { try void(code, fixture) }
        #expect(try everything(fixture) == before)
        try isSound(fixture)
        return error?.description ?? ""
    }

    private func entries(_ fixture: LedgerFixture) throws -> [String] {
        try fixture.rows(
            """
            SELECT posted_day, usage_day, source, grant_code, sum(quantity), sum(amount_micros)
            FROM ledger
            GROUP BY 1, 2, 3, 4
            HAVING sum(quantity) <> 0 OR sum(amount_micros) <> 0
            ORDER BY 1, 2, 3
            """)
    }

    // MARK: What is allowed

    @Test("Usage of open days does not speak against it, rated or not; the next rating charges it as overage")
    func openDays() throws {
        let fixture = try ledger()
        try use(700, on: "2027-01-10", fixture)
        let rated = try LedgerFixture(copying: fixture)
        try rate("2027-01-10", rated)
        #expect(try void("R", rated) == Quantity(700))
        #expect(try void("R", fixture) == .zero)
        #expect(try fixture.rows("SELECT source, grant_code FROM ledger") == ["purchase R", "refund R"])
        #expect(try fixture.rows("SELECT count(*) FROM rating_run") == ["0"])
        for ledger in [fixture, rated] {
            try isSound(ledger)
            // On its last open second the bill still says what the last rating said.
            try ledger.set(now: "2027-01-13T12:00:00Z")
            try rate("2027-01-13", ledger)
            #expect(
                try entries(ledger) == [
                    "2027-01-10 2027-01-10 overage - 700 10500", "2027-01-10 2027-01-10 purchase R 0 60000000",
                    "2027-01-10 2027-01-10 refund R 0 -60000000",
                ])
            #expect(try ledger.rows("SELECT status, consumed FROM grant_balance") == ["voided 0"])
            try isSound(ledger)
        }
    }

    @Test("A grant that an earlier one has replaced by now can be voided, though entries of a final day still name it")
    func displaced() throws {
        let fixture = try ledger()
        try use(700, on: "2027-01-10", fixture)
        try rate("2027-01-10", fixture)
        // It ends a day earlier, so it is drawn on first; nothing has been rated since.
        try record("EARLIER", calls(5_000), at: "2027-01-08T09:00:00Z", fixture)
        try fixture.set(now: "2027-01-13T12:00:00Z")
        #expect(try refusal(of: "EARLIER", fixture).contains("(700 units of gateway_calls on 2027-01-10)"))
        #expect(try void("R", fixture) == Quantity(700))
        try isSound(fixture)
        try rate("2027-01-13", fixture)
        #expect(
            try fixture.rows("SELECT grant_code, sum(quantity) FROM ledger WHERE quantity <> 0 GROUP BY 1 ORDER BY 1")
                == ["EARLIER 700", "R 0"])
        try isSound(fixture)
    }

    @Test("A day that the tenant can't be billed for speaks against it only once it is final; other tenants' never do")
    func unbillable() throws {
        let fixture = try LedgerFixture(
            now: "2027-01-10T12:00:00Z",
            priceBook: PriceBookFile.builtIn.replacingOccurrences(
                of: "tiers: [ { price: \"0.15\", per: 10000 } ]", with: "tiers: [ { price: \"999999\" } ]"))
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.addTenant("zeta", apps: ["game"])
        try record("R", calls(5), fixture)
        try record("Z", calls(5), tenant: "zeta", fixture)
        for number in 0..<10 {
            _ = try fixture.ingest(EventLine.calls(1_000_000_000_000, id: "\(number)").text)
        }
        let open = try LedgerFixture(copying: fixture)
        #expect(try void("R", open) == .zero)
        try fixture.set(now: "2027-01-13T12:00:00Z")
        #expect(try refusal(of: "R", fixture).hasPrefix("tenant 'acme', bill of 2027-01-10: "))
        #expect(try void("Z", fixture) == .zero)
    }

    // MARK: What is refused, and leaves nothing behind

    @Test(
        "What a final day draws speaks against it: never rated, rated while open, settled, closed by a run that died",
        arguments: ["never rated", "rated while it was open", "settled", "closed", "settled, and the clock set back"])
    func finalDays(state: String) throws {
        let fixture = try ledger()
        try use(700, on: "2027-01-10", fixture)
        let now = "2027-01-13T12:00:00Z"
        switch state {
        case "rated while it was open": try rate("2027-01-10", fixture)
        case "settled":
            try fixture.set(now: now)
            try rate("2027-01-10", fixture)
        case "closed", "settled, and the clock set back":
            try fixture.set(now: now)
            if state == "closed" {
                // It dies when it has noted which days it settles.
                try fixture.execute(
                    "CREATE TRIGGER dies BEFORE INSERT ON ledger_entry BEGIN SELECT raise(ABORT, 'died'); END")
            }
            try? rate("2027-01-10", fixture)
            try fixture.execute("DROP TRIGGER IF EXISTS dies; UPDATE ledger_state SET latest_instant = NULL")
            #expect(
                try fixture.rows("SELECT date(closed_through * 86400, 'unixepoch') FROM ledger_state") == ["2027-01-10"]
            )
            try fixture.reopen()
        default: break
        }
        let isSetBack = state == "closed" || state == "settled, and the clock set back"
        try fixture.set(now: isSetBack ? "2027-01-11T12:00:00Z" : now)
        #expect(
            try refusal(of: "R", fixture)
                == "grant 'R' can't be voided: final days draw on it (700 units of gateway_calls on 2027-01-10), and a "
                + "final day never changes; leave it as it is. If its terms are wrong, record the right ones under "
                + "another code: that grant can cover days from 2027-01-11 on")
        // Nothing that a refusal leaves changes what comes of it.
        try fixture.set(now: now)
        try rate("2027-01-13", fixture)
        #expect(try entries(fixture).contains("2027-01-10 2027-01-10 resource_package R 700 0"))
        try isSound(fixture)
    }

    @Test("The last instant at which it is allowed is the last one before the day that draws is final")
    func lastInstant() throws {
        let fixture = try ledger()
        try use(1, on: "2027-01-10", fixture)
        let later = try LedgerFixture(copying: fixture)
        try fixture.set(now: "2027-01-12T23:59:59.999999Z")
        #expect(try void("R", fixture) == .zero)
        try later.set(now: "2027-01-13T00:00:00Z")
        #expect(try refusal(of: "R", later).contains("(1 unit of gateway_calls on 2027-01-10)"))
    }

    @Test("The refusal tells what which day draws, five days one by one, of each item, settled days before the others")
    func manyDays() throws {
        let fixture = try ledger([("P", .miniProgramPackage(devices: 10_000))])
        for day in 10...19 {
            try fixture.set(now: "2027-01-\(day)T12:00:00Z")
            try use(10, on: "2027-01-\(day)", fixture)
            let device = EventLine.device("d\(day)", of: "custom_analysis", at: "2027-01-\(day)T10:00:00Z")
            _ = try fixture.ingest(device.text)
            if day == 15 { try rate("2027-01-15", fixture) }
        }
        #expect(
            try fixture.rows("SELECT date(settled_through * 86400, 'unixepoch') FROM ledger_state") == ["2027-01-12"])
        // Of the days through the 16th.
        let told = (10...14).map { day in
            "1 unit of custom_analysis on 2027-01-\(day), 10 units of gateway_calls on 2027-01-\(day), "
        }
        let words = "(" + told.joined() + "22 units on later days)"
        #expect(try refusal(of: "P", fixture).contains(words))
        try rate("2027-01-19", fixture)
        #expect(try refusal(of: "P", fixture).contains(words))
        // P comes first, and covers all.
        #expect(try void("R", fixture) == .zero)
        try isSound(fixture)
    }

    @Test("A subscription can be voided until its effective day ends, not after")
    func subscription() throws {
        let terms = GrantOrder.Terms.subscription(
            licence: LedgerFixture.code("security_armor"), app: LedgerFixture.code("shop"), term: .month)
        let fixture = try ledger()
        for code in ["S1", "S2"] { try record(code, terms, at: "2027-01-10T09:00:00Z", fixture) }
        try fixture.set(now: "2027-01-11T23:59:59Z")
        #expect(try void("S1", fixture) == .zero)
        try fixture.set(now: "2027-01-12T00:00:00Z")
        #expect(
            try refusal(of: "S2", fixture)
                == "subscription 'S2' can't be voided any more: that was possible until its first day, 2027-01-11, had "
                + "ended; leave it to end on 2027-02-11")
        try isSound(fixture)
    }

    @Test("The code of a voided grant is refused with the same terms as with others, and nothing is recorded")
    func voidedCode() throws {
        let fixture = try ledger()
        _ = try void("R", fixture)
        let before = try everything(fixture)
        for terms in [calls(1_000), calls(2_000), .miniProgramPackage(devices: 10_000)] {
            let error = #expect(throws: LedgerError.self) { try record("R", terms, fixture) }
            #expect(
                error?.description
                    == "grant 'R' was voided at 2027-01-10T12:00:00Z, and its code can't be used again; record the "
                    + "purchase under another code")
        }
        #expect(try everything(fixture) == before)
    }

    @Test("A void records its instant: a test clock does not go behind it")
    func instant() throws {
        let fixture = try ledger()
        try fixture.set(now: "2027-01-12T12:00:00Z")
        _ = try void("R", fixture)
        try fixture.set(now: "2027-01-12T11:59:59Z")
        #expect(throws: LedgerError.self) { try rate("2027-01-12", fixture) }
    }

    @Test("A void after a rating that died halfway is put right by the next rating")
    func afterAnInterruptedRating() throws {
        let fixture = try ledger()
        try use(300, on: "2027-01-10", fixture)
        try fixture.set(now: "2027-01-11T12:00:00Z")
        try use(500, on: "2027-01-11", fixture)
        let eleventh = try #require(Day("2027-01-11")).number
        try fixture.execute(
            """
            CREATE TRIGGER dies BEFORE INSERT ON ledger_entry WHEN NEW.posted_day = \(eleventh)
            BEGIN
                SELECT raise(ABORT, 'died');
            END
            """)
        // Each tenant's day in a transaction of its own.
        var bounds = OpenLedger.Bounds()
        bounds.entriesPerTransaction = 1
        let bounded = try OpenLedger(file: fixture.ledger.file, bounds: bounds)
        #expect(throws: (any Error).self) { try bounded.rate(#require(Day("2027-01-11")), clock: fixture.clock) }
        try fixture.execute("DROP TRIGGER dies")
        #expect(try void("R", fixture) == Quantity(300))
        try isSound(fixture)
        try rate("2027-01-11", fixture)
        #expect(
            try fixture.rows(
                "SELECT posted_day, source, sum(quantity) FROM ledger WHERE quantity <> 0 GROUP BY 1, 2 ORDER BY 1, 2")
                == [
                    "2027-01-10 overage 300", "2027-01-10 resource_package 0", "2027-01-11 overage 500",
                ])
        try isSound(fixture)
    }
}
