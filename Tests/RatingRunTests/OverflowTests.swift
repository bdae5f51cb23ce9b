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
}
