// What is paid is paid in whole minor units of the ledger's currency, and a ledger keeps its currency.

import Foundation
import GRDB
import LedgerFixture
import LedgerStore
import Operations
import PriceBookFile
import Quantities
import Rating
import TestSupport
import Testing
import Verification

@Suite("Prices paid (Billing rules, section 5)", .computing)
struct PricesPaidTests {
    private func ledger(currency: String) throws -> LedgerFixture {
        let fixture = try LedgerFixture(
            priceBook: PriceBookFile.builtIn.replacingOccurrences(of: "currency: USD", with: "currency: \(currency)"))
        try fixture.addTenant("acme", apps: ["shop"])
        return fixture
    }

    private func record(_ price: String, as code: String, _ fixture: LedgerFixture) throws {
        let paid: Money = try #require(Money(decimal: price))
        let order = GrantOrder(
            code: LedgerFixture.code(code), tenant: LedgerFixture.code("acme"),
            terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(5)),
            purchasedAt: fixture.now, price: paid)
        _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
    }

    @Test(
        "A price finer than the minor unit is refused with the nearest ones that can be paid",
        arguments: [
            ("USD", "10.555555", "amounts in USD have at most 2 decimals; the nearest are 10.55 and 10.56"),
            ("USD", "0.001", "amounts in USD have at most 2 decimals; the nearest are 0.00 and 0.01"),
            ("JPY", "100.5", "amounts in JPY have no decimals; the nearest are 100 and 101"),
            ("KWD", "7.0005", "amounts in KWD have at most 3 decimals; the nearest are 7.000 and 7.001"),
            ("CLF", "1.99999", "amounts in CLF have at most 4 decimals; the nearest are 1.9999 and 2.0000"),
            (
                "USD", "9223372036854.775807",
                "amounts in USD have at most 2 decimals; the nearest is 9223372036854.77"
            ),
        ])
    func tooFine(currency: String, price: String, words: String) throws {
        let fixture = try ledger(currency: currency)
        let error = #expect(throws: LedgerError.self) { try record(price, as: "G", fixture) }
        #expect(error?.description == "--price \(price): \(words)")
        #expect(try fixture.rows("SELECT count(*) FROM \"grant\"") == ["0"])
        #expect(try fixture.rows("SELECT count(*) FROM ledger") == ["0"])
    }

    @Test(
        "A price in whole minor units is taken, however many zeros it is written with",
        arguments: [
            ("USD", "10.55"), ("USD", "10.550000"), ("USD", "0"), ("JPY", "100"), ("JPY", "100.000"), ("KWD", "7.001"),
            ("CLF", "1.9999"), ("XCG", "0.01"),
        ])
    func payable(currency: String, price: String) throws {
        let fixture = try ledger(currency: currency)
        try record(price, as: "G", fixture)
        _ = try fixture.ledger.voidGrant(LedgerFixture.code("G"), clock: fixture.clock)
        #expect(try fixture.rows("SELECT sum(amount_micros), count(*) FROM ledger") == ["0 2"])
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("A ledger whose currency is withdrawn later is read, rated and given new prices as before")
    func withdrawnLater() throws {
        let fixture = try ledger(currency: "EUR")
        // As if it had been made when the lev was still a currency.
        let guards = try fixture.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE UPDATE%'")
        let made = try fixture.rows(
            "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE UPDATE%'")
        for name in guards { try fixture.execute("DROP TRIGGER \(name)") }
        try fixture.execute(
            """
            UPDATE ledger_property SET currency = 'BGN';
            UPDATE price_book_version SET yaml = replace(yaml, 'currency: EUR', 'currency: BGN');
            """)
        for sql in made { try fixture.execute(sql) }
        try fixture.reopen()
        _ = try fixture.ingest(EventLine.calls(20_000, id: "1").text)
        let day = try #require(Day("2027-01-10"))
        _ = try fixture.ledger.rate(day, clock: fixture.clock)
        #expect(try fixture.rows("SELECT amount_micros, currency FROM ledger") == ["300000 BGN"])
        try record("1.95", as: "G", fixture)
        let next = PriceBookFile.builtIn.replacingOccurrences(
            of: "effective: 2026-01-01", with: "effective: 2027-01-11")
        func apply(_ currency: String) throws -> ApplyPriceBook.Answer {
            let yaml = next.replacingOccurrences(of: "currency: USD", with: "currency: \(currency)")
            return try ApplyPriceBook(yaml: yaml).perform(on: fixture.ledger, clock: fixture.clock)
        }
        guard case .applied = try apply("BGN") else {
            Issue.record("the book in the ledger's own currency was not applied")
            return
        }
        // Of another withdrawn one the file is told what is wrong with it.
        let problems = #expect(throws: PriceBookProblems.self) { try apply("HRK") }
        #expect(problems.map { "\($0)".contains("write EUR, which took the place of HRK") } == true)
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }
}
