// Tiers, versions and rounding: what uncovered usage costs.

import Quantities
import Rating
import Testing

@Suite("Prices (Billing rules, sections 3 and 7)")
struct PricingTests {
    @Test("Tiers are graduated over the month's uncovered quantity, bounds inclusive, anew on the first of the month")
    func graduated() throws {
        let book = history(book(["calls": tiers([(10, "1"), (30, "0.5"), (nil, "0.1")])]))
        #expect(
            try Rater.lines(
                book, [], [.on("2027-01-05", 10), .on("2027-01-06", 25), .on("2027-01-07", 1), .on("2027-02-01", 11)])
                == [
                    "2027-01-05 overage tier 1: 10 = 10.00", "2027-01-06 overage tier 2: 20 = 10.00",
                    "2027-01-06 overage tier 3: 5 = 0.50", "2027-01-07 overage tier 3: 1 = 0.10",
                    "2027-02-01 overage tier 1: 10 = 10.00", "2027-02-01 overage tier 2: 1 = 0.50",
                ])
    }

    @Test("All apps climb the tiers together; what a grant covers does not climb")
    func position() throws {
        let book = history(book(["calls": tiers([(10, "1"), (nil, "0.5")])]))
        #expect(
            try Rater.lines(
                book, [.package("p", 5)], [.on("2027-01-05", 8, app: "a"), .on("2027-01-05", 9, app: "b")]
            ) == [
                "2027-01-05 a package p: 5", "2027-01-05 a overage tier 1: 3 = 3.00",
                "2027-01-05 b overage tier 1: 7 = 7.00", "2027-01-05 b overage tier 2: 2 = 1.00",
            ])
    }

    @Test("A first tier of price 0 without a bound is no allowance, and a free middle tier is overage")
    func freeTiers() throws {
        let gratis = history(book(["calls": tiers([(nil, "0")])]))
        #expect(try Rater.lines(gratis, [], [.on("2027-01-05", 3)]) == ["2027-01-05 overage tier 1: 3"])
        let middle = history(book(["calls": tiers([(2, "1"), (4, "0"), (nil, "1")])]))
        #expect(
            try Rater.lines(middle, [], [.on("2027-01-05", 5)]) == [
                "2027-01-05 overage tier 1: 2 = 2.00", "2027-01-05 overage tier 2: 2",
                "2027-01-05 overage tier 3: 1 = 1.00",
            ])
    }

    @Test("The usage day's version prices; the tier position carries on; the first version prices earlier days too")
    func versions() throws {
        let books = history(
            book(["calls": tiers([(10, "1"), (nil, "0.5")])], from: "2027-01-05"),
            book(["calls": tiers([(20, "2"), (nil, "0.1")])], from: "2027-01-10"))
        #expect(
            try Rater.lines(
                books, [],
                [
                    .on("2027-01-01", 4), .on("2027-01-09", 8), .on("2027-01-10", 9),
                    .late("2027-01-09", posted: "2027-01-12", 1),
                ]
            ) == [
                "2027-01-01 overage tier 1: 4 = 4.00", "2027-01-09 overage tier 1: 6 = 6.00",
                "2027-01-09 overage tier 2: 2 = 1.00", "2027-01-10 overage tier 1 version 2: 8 = 16.00",
                "2027-01-10 overage tier 2 version 2: 1 = 0.10", "2027-01-12 of 2027-01-09 overage tier 2: 1 = 0.50",
            ])
    }

    @Test("An allowance that a new version lowers below the position is used up; one that it raises opens again")
    func allowanceOverVersions() throws {
        let books = history(
            book(["calls": tiers([(10, "0"), (nil, "1")])]),
            book(["calls": tiers([(5, "0"), (nil, "1")])], from: "2027-01-10"),
            book(["calls": tiers([(20, "0"), (nil, "1")])], from: "2027-01-15"))
        #expect(
            try Rater.lines(books, [], [.on("2027-01-05", 8), .on("2027-01-10", 3), .on("2027-01-15", 10)]) == [
                "2027-01-05 allowance tier 1: 8", "2027-01-10 overage tier 2 version 2: 3 = 3.00",
                "2027-01-15 allowance tier 1 version 3: 9", "2027-01-15 overage tier 2 version 3: 1 = 1.00",
            ])
    }

    @Test("The list prices: a device is 0.03, a call is 15 micro-units, not a started block of 10,000")
    func listPrices() throws {
        let books = history(
            book(["calls": tiers([(nil, "0.15")], per: 10_000), "devices": tiers([(nil, "0.03")])]))
        #expect(
            try Rater.lines(
                books, [], [.on("2027-01-05", 1), .on("2027-01-06", 9_999), .on("2027-01-06", 1_500, item: "devices")]
            ) == [
                "2027-01-05 overage tier 1: 1 = 0.000015", "2027-01-06 overage tier 1: 9999 = 0.149985",
                "2027-01-06 devices overage tier 1: 1500 = 45.00",
            ])
    }

    @Test("A month's entries add up to the rounded month, however the days are split")
    func rounding() throws {
        // A third of a micro-unit, nearly: nine of them are 2.999997.
        let books = history(book(["calls": tiers([(nil, "0.000000333333")])]))
        let days = (1...9).map { Usage.on("2027-01-0\($0)", 1) }
        let split = try Rater.lines(books, [], days).map { $0.hasSuffix("0.000001") }
        #expect(split.filter { $0 }.count == 3)
        #expect(try Rater.lines(books, [], [.on("2027-01-09", 9)]) == ["2027-01-09 overage tier 1: 9 = 0.000003"])
        // Half a micro-unit rounds to the even one: 0, 1 (1.0), 2 (1.5), 2 (2.0), 2 (2.5).
        let halves = history(book(["calls": tiers([(nil, "0.0000005")])]))
        let lines = try Rater.lines(halves, [], (1...5).map { Usage.on("2027-01-0\($0)", 1) })
        #expect(lines.map { $0.hasSuffix(" = 0.000001") } == [false, true, true, false, false])
    }

    @Test("A price beyond 64 bits is an error")
    func overflow() throws {
        let books = history(book(["calls": tiers([(nil, "999999999")])]))
        #expect(throws: Overflow.self) { try Rater.lines(books, [], [.on("2027-01-05", 1_000_000_000_000)]) }
        #expect(UnitPrice(price: Decimal12(units: -1), per: 1) == nil)
        #expect(UnitPrice(price: Decimal12(units: 1), per: 0) == nil)
        #expect(UnitPrice(price: Decimal12(units: 1), per: 20) == nil)
        #expect(UnitPrice(price: Decimal12(units: 1), per: 10_000_000_000) == nil)
        #expect(UnitPrice(price: Decimal12(units: 1), per: 1_000_000_000) != nil)
    }
}

@Suite("Versions of a price book (Billing rules, section 3)")
struct VersionTests {
    @Test("A later one takes effect on an open day after every earlier one's, and keeps items and prices")
    func objections() {
        let first = book(["calls": tiers([(nil, "1")])], from: "2027-01-05")
        let history = history(first)
        func check(_ next: PriceBook) -> VersionObjection? {
            do {
                try history.check(next: next, earliestOpenDay: day("2027-01-10"))
                return nil
            } catch {
                return error
            }
        }
        let same = tiers([(nil, "1")])
        #expect(check(book(["calls": same], from: "2027-01-10")) == nil)
        #expect(check(book(["calls": .free, "more": same], from: "2027-02-01")) == nil)
        #expect(
            check(book(["calls": same], from: "2027-01-05"))
                == .effectiveDayNotAfter(day("2027-01-05"), earlier: day("2027-01-05")))
        #expect(
            check(book(["calls": same], from: "2027-01-09"))
                == .effectiveDayNotOpen(day("2027-01-09"), earliestOpen: day("2027-01-10")))
        #expect(check(book(["more": same], from: "2027-01-10")) == .itemRemoved(named("calls")))
        #expect(check(book(["calls": .none], from: "2027-01-10")) == .priceRemoved(named("calls")))
    }
}
