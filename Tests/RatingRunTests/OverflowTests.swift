// An amount that no 64-bit number holds stops the run with a word that says whose it is.

import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Testing

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
