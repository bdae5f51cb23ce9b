// Dates and months against Foundation's calendar, and the dates that do not exist.

import Foundation
import Quantities
import Seeded
import Testing

@Suite("Days and months")
struct DayTests {
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private func day(_ text: String) -> Day {
        guard let day = Day(text) else { preconditionFailure("'\(text)' is no day") }
        return day
    }

    @Test("that another process sends are refused where nothing can be computed with them")
    func decoding() throws {
        let decoder = JSONDecoder()
        #expect(try decoder.decode(Day.self, from: Data(#"{"number":20000}"#.utf8)) == Day(20_000))
        #expect(try decoder.decode(Day.self, from: JSONEncoder().encode(day("9999-12-31"))) == day("9999-12-31"))
        for number in ["9223372036854775807", "-9223372036854775808", "-100000000", "3652426"] {
            #expect(throws: DecodingError.self, "\(number)") {
                try decoder.decode(Day.self, from: Data("{\"number\":\(number)}".utf8))
            }
        }
    }

    @Test("are those of Foundation's calendar, from 1600 to 2400")
    func againstFoundation() throws {
        var chance = SeededGenerator(seed: 1)
        // Foundation's calendar is Julian before 1582.
        let first = day("1600-01-01").number
        let last = day("2400-12-31").number
        let numbers = (0..<5_000).map { _ in Int.random(in: first...last, using: &chance) } + [first, -1, 0, 1, last]
        for number in numbers {
            let date = Date(timeIntervalSince1970: Double(number) * 86_400)
            let parts = Self.calendar.dateComponents([.year, .month, .day], from: date)
            let day = Day(number)
            #expect(day.civil.year == parts.year && day.civil.month == parts.month && day.civil.day == parts.day)
            #expect(Day(year: day.civil.year, month: day.civil.month, day: day.civil.day) == day)
            #expect(Day(day.description) == day)
            #expect(Month(day.month.description) == day.month)
            #expect(day.month.first <= day && day <= day.month.last)
            let length = try #require(Self.calendar.range(of: .day, in: .month, for: date)).count
            #expect(day.month.length == length && day.month.last - day.month.first + 1 == length)
        }
    }

    @Test("follow one another without a gap, also over the year 0 and negative ones")
    func succession() {
        for start in [day("0001-01-01").number - 800, day("1899-12-01").number, day("2099-12-01").number] {
            for number in start..<start + 1_600 {
                let (today, tomorrow) = (Day(number), Day(number + 1))
                let isLast = today == today.month.last
                #expect(tomorrow.month == (isLast ? today.month.next : today.month))
                #expect(tomorrow.civil.day == (isLast ? 1 : today.civil.day + 1))
            }
        }
    }

    @Test(
        "Months later it is the same date; one that does not exist is the first of the next month (section 5)",
        arguments: [
            ("2027-01-15", 1, "2027-02-15"), ("2027-01-31", 1, "2027-03-01"), ("2027-01-30", 1, "2027-03-01"),
            ("2027-01-29", 1, "2027-03-01"), ("2027-01-28", 1, "2027-02-28"), ("2028-01-29", 1, "2028-02-29"),
            ("2028-01-30", 1, "2028-03-01"), ("2027-03-31", 1, "2027-05-01"), ("2027-11-30", 1, "2027-12-30"),
            ("2027-12-31", 1, "2028-01-31"), ("2027-01-01", 12, "2028-01-01"), ("2028-02-29", 12, "2029-03-01"),
            ("2027-02-28", 12, "2028-02-28"), ("2096-02-29", 48, "2100-03-01"), ("2027-03-31", -1, "2027-03-01"),
            ("2027-12-31", 2, "2028-03-01"), ("2027-05-05", 0, "2027-05-05"), ("2027-01-05", -1, "2026-12-05"),
        ])
    func monthsLater(from: String, months: Int, to: String) {
        #expect(day(from).adding(months: months) == day(to))
    }

    @Test("Texts that are no date are none")
    func badTexts() {
        for text in [
            "2027-02-29", "2100-02-29", "2027-13-01", "2027-00-01", "2027-01-00", "2027-01-32", "2027-04-31",
            "2027-1-1",
            "27-01-01", "2027/01/01", "2027-01-01 ", " 2027-01-01", "+027-01-01", "-027-01-01", "2027-01", "",
            "2027-01-01T00:00:00Z", "٢٠٢٧-٠١-٠١", "2027-01-0a", "12027-01-01", "2027--1-01",
        ] {
            #expect(Day(text) == nil, "\(text)")
        }
        #expect(day("2028-02-29").description == "2028-02-29")
        #expect(day("2000-02-29").description == "2000-02-29")
        for text in ["2027-13", "2027-00", "2027-1", "2027", "2027-01-01", "", "2027-+1"] {
            #expect(Month(text) == nil, "\(text)")
        }
    }

    @Test("An instant is written in UTC with as much of a fraction as there is")
    func instants() {
        let table: [(Int64, String)] = [
            (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (500_000, "1970-01-01T00:00:00.5Z"), (123_000, "1970-01-01T00:00:00.123Z"),
            (86_399_999_999, "1970-01-01T23:59:59.999999Z"), (-86_400_000_000, "1969-12-31T00:00:00Z"),
            (1_799_553_600_123_000, "2027-01-10T04:00:00.123Z"),
        ]
        for (micros, text) in table { #expect(Instant(micros: micros).description == text) }
    }
}
