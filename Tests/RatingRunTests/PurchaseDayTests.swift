// The day of a purchase, when nothing was used yet (Billing rules, sections 6 and 9).

import GRDB
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import TestSupport
import Testing

@Suite("A day with nothing but a purchase", .computing)
struct PurchaseDayTests {
    private func purchase(_ fixture: LedgerFixture) throws {
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ledger.recordGrant(
            GrantOrder(
                code: LedgerFixture.code("R-1"), tenant: LedgerFixture.code("acme"),
                terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(1000)),
                purchasedAt: fixture.now, price: Money(micros: 60_000_000)), clock: fixture.clock)
    }

    private func bills(_ fixture: LedgerFixture) throws -> [String] {
        try fixture.ledger.file.read { database in
            try Row.fetchAll(database, sql: "SELECT day, status, due_day FROM bill ORDER BY day").map { row in
                [row["day"] as String, row["status"], row["due_day"] ?? "-"].joined(separator: " ")
            }
        }
    }

    @Test("is a draft until it is final, unrated until it is settled, then final and due like any other")
    func bill() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try purchase(fixture)
        let lines: [(now: String, rated: String?, bill: String)] = [
            ("2027-01-10T12:00:00Z", nil, "2027-01-10 draft -"),
            ("2027-01-11T12:00:00Z", "2027-01-11", "2027-01-10 draft -"),
            ("2027-01-13T12:00:00Z", nil, "2027-01-10 unrated -"),
            ("2027-01-13T12:00:00Z", "2027-01-10", "2027-01-10 final 2027-01-28"),
            ("2027-01-20T12:00:00Z", "2027-01-20", "2027-01-10 final 2027-01-28"),
        ]
        for line in lines {
            fixture.now = try LedgerFixture.instant(line.now)
            if let rated = line.rated {
                _ = try fixture.ledger.rate(#require(Day(rated)), clock: fixture.clock)
            } else {
                // Statuses go by the latest recorded instant.
                try fixture.ledger.recordInstant(clock: fixture.clock)
            }
            #expect(try bills(fixture) == [line.bill], "\(line)")
        }
    }

    @Test("settles late, and is due by when it was settled")
    func settledLate() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try purchase(fixture)
        fixture.now = try LedgerFixture.instant("2027-02-10T12:00:00Z")
        _ = try fixture.ledger.rate(#require(Day("2027-02-01")), clock: fixture.clock)
        #expect(try bills(fixture) == ["2027-01-10 final 2027-02-25"])
    }
}
