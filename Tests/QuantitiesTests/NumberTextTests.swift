// Numbers and days as people write them: which are taken, and what is offered for the others.

import Quantities
import Testing

@Suite("A number as people write it")
struct NumberTextTests {
    @Test(
        "is digits, which single underscores may group",
        arguments: [
            ("0", "0"), ("10000", "10000"), ("10_000", "10000"), ("1_0", "10"), ("007", "007"), ("_1", nil),
            ("1_", nil),
            ("1__0", nil), ("", nil), ("-1", nil), ("+1", nil), ("1.5", nil), ("10,000", nil), ("１０", nil),
            ("1\u{0}", nil),
        ] as [(String, String?)])
    func digits(text: String, digits: String?) {
        #expect(NumberText.digits(text) == digits)
    }

    @Test(
        "that is written in another way is recognized where it can mean only one number",
        arguments: [
            ("10,000", "10000"), ("1,000,000", "1000000"), ("10 000", "10000"), ("10'000", "10000"),
            ("1.000.000", "1000000"), ("10_000", "10000"), ("1e6", "1000000"), ("1E6", "1000000"), ("1.5e3", "1500"),
            ("1e+2", "100"), ("10k", "10000"), ("1.5M", "1500000"), ("3.0", "3"), ("+7", "7"), (" 12 ", "12"),
            ("0e5", "0"),
            ("1.000", nil), ("0,15", nil), ("10,00", nil), ("1,0000", nil), ("1.5", nil), ("1e-3", nil),
            ("1.25e1", nil),
            ("1e19", nil), ("e3", nil), ("k", nil), ("ten", nil), ("", nil), ("-5", nil), ("0x10", nil), ("3d", nil),
            ("1,000,00", nil),
        ] as [(String, String?)])
    func meant(text: String, meant: String?) {
        #expect(NumberText.meant(by: text) == meant)
    }

    @Test("may have its unit behind it, and no other")
    func units() {
        for text in ["3d", "3 d", "3days", "3 days", "3 day"] {
            #expect(NumberText.meant(by: text, unit: "days") == "3", "\(text)")
        }
        #expect(NumberText.meant(by: "30s", unit: "seconds") == "30")
        #expect(NumberText.meant(by: "3w", unit: "days") == nil)
        #expect(NumberText.meant(by: "d", unit: "days") == nil)
    }

    @Test("is shown as it is best read")
    func forms() {
        #expect(NumberText.forms(of: "100") == "100")
        #expect(NumberText.forms(of: "1000") == "1000")
        #expect(NumberText.forms(of: "10000") == "10000 or 10_000")
        #expect(NumberText.forms(of: "1000000") == "1000000 or 1_000_000")
    }

    @Test(
        "and is a price gives all the prices that it can mean",
        arguments: [
            ("0,15", ["0.15"]), ("0.15", ["0.15"]), (".15", ["0.15"]), ("5.", ["5.0"]), ("$0.15", ["0.15"]),
            ("0.15 USD", ["0.15"]), ("USD 12", ["12"]), ("€5", ["5"]), ("1,000.50", ["1000.50"]),
            ("1.000,50", ["1000.50"]),
            ("10,000", ["10000", "10.000"]), ("1,000,000", ["1000000"]), ("1.000.000", ["1000000"]),
            ("1,234,567.89", ["1234567.89"]), ("1.234.567,89", ["1234567.89"]), ("55 440", ["55440"]),
            ("55_440", ["55440"]),
            ("1e-3", []), ("free", []), ("", []), ("-5", []), ("1,2,3", []), ("1,2.3,4", []), (",", []), (".", []),
        ] as [(String, [String])])
    func prices(text: String, meant: [String]) {
        #expect(NumberText.prices(meantBy: text) == meant)
    }
}

@Suite("A day as people write it")
struct DayReferenceTests {
    @Test("is a date, today or yesterday")
    func reading() {
        let tenth = Day("2027-01-10")
        #expect(DayReference("2027-01-10")?.date == tenth)
        #expect(DayReference("today") == .today && DayReference("yesterday") == .yesterday)
        for text in ["Today", "tomorrow", "now", "2027-1-10", "2027-02-30", "", "today "] {
            #expect(DayReference(text) == nil, "\(text)")
        }
    }

    @Test("is counted from the day that it is told is today, which it asks for only when it needs it")
    func counting() throws {
        let march = try #require(Day("2028-03-01"))
        #expect(DayReference.today.day { march } == march)
        #expect(DayReference.yesterday.day { march }.description == "2028-02-29")
        #expect(DayReference.date(march).day { preconditionFailure("nobody needs to know") } == march)
        #expect(["today", "yesterday", "2028-03-01"].compactMap { DayReference($0)?.description }.count == 3)
    }

    @Test(
        "is offered for what is written in another way",
        arguments: [
            ("Today", "did you mean today?"), ("yesterdy", "did you mean yesterday?"),
            ("2027/1/9", "write a day as YYYY-MM-DD: 2027-01-09"),
            ("20270109", "write a day as YYYY-MM-DD: 2027-01-09"),
            ("2027.01.09", "write a day as YYYY-MM-DD: 2027-01-09"),
            ("2027-02-30", "there is no such day in the calendar"),
            ("09.01.2027", "write a day as YYYY-MM-DD, like 2027-01-10, or today or yesterday"),
            ("1/9/2027", "write a day as YYYY-MM-DD, like 2027-01-10, or today or yesterday"),
            ("", "write a day as YYYY-MM-DD, like 2027-01-10, or today or yesterday"),
        ])
    func advice(text: String, advice: String) {
        #expect(DayReference.advice(on: text) == advice)
    }

    @Test(
        "and a month likewise",
        arguments: [
            ("2027-13", "there is no such month in the calendar"), ("2027-1", "write a month as YYYY-MM: 2027-01"),
            ("2027/01", "write a month as YYYY-MM: 2027-01"), ("202701", "write a month as YYYY-MM: 2027-01"),
            ("2027-01-10", "write the month alone, as YYYY-MM: 2027-01"),
            ("January", "write a month as YYYY-MM, like 2027-01"),
            ("01/2027", "write a month as YYYY-MM, like 2027-01"),
        ])
    func monthAdvice(text: String, advice: String) {
        #expect(Month.advice(on: text) == advice)
    }
}
