// A clock that ran ahead and was set right again: nothing is counted twice, no tier starts anew.

import GRDB
import Ingestion
import LedgerFixture
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Verification

@Suite("A clock that ran ahead and was set right (Billing rules, sections 2 to 4)", .computing)
struct ClockSetBackTests {
    /// A ledger whose clock may go back, as a system's clock does: it forgets the latest instant.
    ///
    /// - Parameter restarting: the process ends with the old clock, and another begins with the new one.
    private func setClock(_ fixture: LedgerFixture, to time: String, restarting: Bool = true) throws {
        try fixture.ledger.file.write { try $0.execute(sql: "UPDATE ledger_state SET latest_instant = NULL") }
        try fixture.set(now: time)
        if restarting { try fixture.reopen() }
        try fixture.ledger.prepareIngestion(clock: fixture.clock)
    }

    private func verified(_ fixture: LedgerFixture) throws -> [String] {
        try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence)
    }

    @Test("An event that is sent again stays a duplicate", arguments: [true, false])
    func identitiesAreHeld(restarting: Bool) throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        let event = EventLine.calls(1000, id: "e1").text
        #expect(try fixture.ingest(event).accepted == 1)
        for day in ["2027-04-20", "2027-04-21"] {
            try setClock(fixture, to: "\(day)T12:00:00Z", restarting: restarting)
            #expect(try fixture.ingest(EventLine.calls(1, id: day, at: "\(day)T10:00:00Z").text).accepted == 1)
        }
        try setClock(fixture, to: "2027-01-10T13:00:00Z", restarting: restarting)
        #expect(try fixture.ingest(event).duplicates == 1)
        #expect(try verified(fixture) == [])
    }

    @Test(
        "An event that is sent again stays a duplicate wherever that tidying up was stopped", arguments: 1...12,
        [false, true])
    func identitiesAreHeldWhenStopped(moment: Int, restarting: Bool) throws {
        struct Stop: Error {}
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        let event = EventLine.calls(1000, id: "e1").text
        #expect(try fixture.ingest(event).accepted == 1)
        try setClock(fixture, to: "2027-01-11T12:00:00Z")
        try setClock(fixture, to: "2027-04-20T12:00:00Z", restarting: false)
        var transactions = 0
        var count = 0
        fixture.ledger.betweenTransactions = {
            // While it reads it asks more often than there are transactions.
            let now = try fixture.ledger.file.read { try Int.fetchOne($0, sql: "SELECT total_changes()") ?? 0 }
            guard now != transactions else { return }
            transactions = now
            count += 1
            if count == moment { throw Stop() }
        }
        do { _ = try fixture.ledger.rate(try #require(Day("2027-04-20")), clock: fixture.clock) } catch is Stop {}
        fixture.ledger.betweenTransactions = {}
        try setClock(fixture, to: "2027-01-11T13:00:00Z", restarting: restarting)
        #expect(try fixture.ingest(event).words(of: 1) == ["duplicate"], "stopped at moment \(moment)")
        #expect(try verified(fixture) == [])
    }

    @Test(
        "An arrival on a day whose identities were filed already is dated right and found again",
        arguments: [true, false], [true, false])
    func filedDaysTakeArrivals(restarting: Bool, othersCameMeanwhile: Bool) throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        #expect(try fixture.ingest(EventLine.calls(1, id: "first").text).accepted == 1)
        try setClock(fixture, to: "2027-01-16T12:00:00Z", restarting: restarting)
        if othersCameMeanwhile {
            #expect(try fixture.ingest(EventLine.calls(2, id: "ahead", at: "2027-01-16T10:00:00Z").text).accepted == 1)
        }
        try setClock(fixture, to: "2027-01-10T13:00:00Z", restarting: restarting)
        let late = EventLine.calls(3, id: "late").text
        // A batch that takes the day up again, and fails.
        try fixture.execute(
            "CREATE TRIGGER failure BEFORE INSERT ON usage_record BEGIN SELECT raise(ABORT, 'made to fail'); END")
        #expect(throws: DatabaseError.self) { try fixture.ingest(late) }
        try fixture.execute("DROP TRIGGER failure")
        #expect(try fixture.ingest(late).accepted == 1)
        #expect(try fixture.rows("SELECT arrival_day, id FROM usage_event ORDER BY quantity").last == "2027-01-10 late")
        for restarting in [restarting, true] {
            try setClock(fixture, to: "2027-01-11T12:00:00Z", restarting: restarting)
            #expect(try fixture.ingest(late).duplicates == 1)
        }
        #expect(try verified(fixture) == [])
    }

    @Test(
        "A device that counted on a day that had not come yet, and then in time, counts where it was in time",
        arguments: [true, false])
    func stalePlaces(restarting: Bool) throws {
        let fixture = try LedgerFixture(now: "2027-01-20T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        func use(on day: Int) throws -> BatchReport {
            try fixture.ingest(EventLine.device("x", at: "2027-01-\(day)T10:00:00Z").text)
        }
        try setClock(fixture, to: "2027-02-10T12:00:00Z", restarting: restarting)
        #expect(try use(on: 31).words(of: 1) == ["correction"])
        try setClock(fixture, to: "2027-01-31T13:00:00Z", restarting: restarting)
        #expect(try use(on: 31).words(of: 1) == ["accepted"])
        try setClock(fixture, to: "2027-02-03T12:00:00Z", restarting: restarting)
        _ = try fixture.ledger.rate(try #require(Day("2027-02-03")), clock: fixture.clock)
        #expect(try fixture.rows("SELECT sealed_through FROM seal_progress") != ["-"])
        try setClock(fixture, to: "2027-02-04T12:00:00Z", restarting: restarting)
        #expect(try use(on: 29).words(of: 1) == ["correction"])
        #expect(try fixture.rows("SELECT month, devices FROM mau") == ["2027-01 1"])
        #expect(try fixture.rows("SELECT usage_day, posted_day FROM counted_device") == ["2027-01-31 2027-01-31"])
        try setClock(fixture, to: "2027-02-20T12:00:00Z", restarting: restarting)
        _ = try fixture.ledger.rate(try #require(Day("2027-02-20")), clock: fixture.clock)
        #expect(try fixture.rows("SELECT month, devices FROM mau") == ["2027-01 1"])
        #expect(try verified(fixture) == [])
    }

    @Test("Late usage of a month that was settled long ago goes on at the month's position")
    func positionsCarryOn() throws {
        let book = PriceBookText.withAllowance
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z", priceBook: book)
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(8, id: "a").text)
        try setClock(fixture, to: "2027-04-20T12:00:00Z")
        _ = try fixture.ledger.rate(try #require(Day("2027-04-20")), clock: fixture.clock)
        try setClock(fixture, to: "2027-01-10T13:00:00Z")
        _ = try fixture.ingest(EventLine.calls(8, id: "b").text)
        try setClock(fixture, to: "2027-04-21T12:00:00Z")
        _ = try fixture.ledger.rate(try #require(Day("2027-04-21")), clock: fixture.clock)
        #expect(
            try fixture.rows(
                "SELECT source, sum(quantity), sum(amount_micros) FROM ledger GROUP BY source ORDER BY source")
                == ["allowance 10 0", "overage 6 6000000"])
        #expect(try verified(fixture) == [])
    }
}

enum PriceBookText {
    /// Ten calls a month free, then one dollar each.
    static let withAllowance = """
        book: tiers
        effective: 2026-01-01
        currency: USD
        items:
          gateway_calls: { aggregation: sum, tiers: [ { up_to: 10, price: "0" }, { price: "1" } ] }
        features:
          mobile_gateway: { items: [ gateway_calls ] }
        """
}
