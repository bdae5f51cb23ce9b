// The day starts of real time zones against Foundation's calendar, hour by hour.

import Foundation
import LedgerStore
import Quantities
import Testing

@Suite("Where the days of a time zone begin (Billing rules, section 1)")
struct LedgerDaysTests {
    private func zone(_ name: String) throws -> TimeZone { try #require(TimeZone(identifier: name)) }

    private func day(_ text: String) -> Day {
        guard let day = Day(text) else { preconditionFailure("'\(text)' is no day") }
        return day
    }

    private static let zones: [(String, [Int])] = [
        ("Asia/Shanghai", [1986, 1991, 2027]), ("UTC", [2027]), ("America/New_York", [1974, 2007, 2027]),
        ("Pacific/Apia", [2011, 2012]), ("Pacific/Kwajalein", [1993]), ("Pacific/Kiritimati", [1994, 1995]),
        ("America/St_Johns", [1988, 2006, 2010, 2011]), ("Australia/Lord_Howe", [1985, 2027]),
        ("America/Havana", [2012, 2027]), ("Atlantic/Azores", [1992, 2027]), ("Asia/Beirut", [2022, 2027]),
        ("America/Sao_Paulo", [2017, 2018]), ("Asia/Tehran", [2021]), ("Africa/Cairo", [2014, 2024]),
        ("Africa/Casablanca", [2018, 2027]), ("Asia/Gaza", [2012, 2023]), ("America/Asuncion", [2023]),
        ("America/Santiago", [2027]), ("Asia/Kathmandu", [1985, 1986]), ("Asia/Kolkata", [2027]),
        ("Pacific/Chatham", [2027]), ("Antarctica/Troll", [2027]), ("America/Scoresbysund", [2024]),
        ("America/Caracas", [2007, 2016]), ("Asia/Pyongyang", [2015, 2018]), ("Europe/Moscow", [2011, 2014]),
        ("Europe/Istanbul", [2016]), ("Africa/Monrovia", [1972]), ("Antarctica/Casey", [2010, 2020]),
        ("America/Godthab", [2023]), ("Europe/London", [1971, 2027]), ("Asia/Amman", [2022]),
        ("Pacific/Fakaofo", [2011]), ("Africa/Juba", [2021]), ("America/Danmarkshavn", [1996]),
    ]

    @Test("agrees with Foundation's calendar in every hour of the year, and to the second", arguments: zones)
    func againstFoundation(name: String, years: [Int]) throws {
        let zone = try zone(name)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        func date(_ second: Int64) -> Day? {
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(second)))
            guard let year = parts.year, let month = parts.month, let day = parts.day else { return nil }
            return Day(year: year, month: month, day: day)
        }
        for year in years {
            let days = day("\(year - 1)-12-29")...day("\(year + 1)-01-03")
            let segments = LedgerDays.segments(of: days, in: zone)
            let held = DayCalendar(segments: segments)
            // To the second, at every start.
            for segment in segments {
                let second = segment.start.micros / 1_000_000
                #expect(date(second) == segment.day, "\(name), \(segment)")
                #expect(date(second - 1) != segment.day, "\(name), \(segment)")
            }
            // In every half hour, one second before and after.
            let first = Int64(day("\(year)-01-01").number) * 86_400
            var wrong: [Int64] = []
            for half in 0..<Int64(366 * 48) {
                let second = first + half * 1_800 + 1
                let instant = Instant(micros: second * 1_000_000 + 999_999)
                if held.day(of: instant) != date(second) || LedgerDays.date(of: instant, in: zone) != date(second) {
                    wrong.append(second)
                }
            }
            #expect(wrong == [], "\(name), \(year)")
        }
    }

    private func starts(_ name: String, _ days: ClosedRange<Day>) throws -> [String] {
        LedgerDays.segments(of: days, in: try zone(name)).map { "\($0.day) \($0.start)" }
    }

    @Test("Apia has no 30 December 2011")
    func apia() throws {
        #expect(
            try starts("Pacific/Apia", day("2011-12-29")...day("2012-01-01")) == [
                "2011-12-29 2011-12-29T10:00:00Z", "2011-12-31 2011-12-30T10:00:00Z",
                "2012-01-01 2011-12-31T10:00:00Z",
            ])
        #expect(try starts("Pacific/Apia", day("2011-12-30")...day("2011-12-30")) == [])
    }

    @Test("St. John's set its clocks back a minute after midnight, to the day before")
    func stJohns() throws {
        #expect(
            try starts("America/St_Johns", day("2010-11-06")...day("2010-11-08")) == [
                "2010-11-06 2010-11-06T02:30:00Z", "2010-11-07 2010-11-07T02:30:00Z",
                "2010-11-06 2010-11-07T02:31:00Z", "2010-11-07 2010-11-07T03:30:00Z",
                "2010-11-08 2010-11-08T03:30:00Z",
            ])
    }

    @Test(
        "Havana's summer begins at midnight: the day starts at one o'clock; in autumn midnight comes twice, a day once"
    )
    func havana() throws {
        #expect(
            try starts("America/Havana", day("2027-03-14")...day("2027-03-15")) == [
                "2027-03-14 2027-03-14T05:00:00Z", "2027-03-15 2027-03-15T04:00:00Z",
            ])
        #expect(
            try starts("America/Havana", day("2027-11-07")...day("2027-11-08")) == [
                "2027-11-07 2027-11-07T04:00:00Z", "2027-11-08 2027-11-08T05:00:00Z",
            ])
    }

    @Test("The Azores set their clocks back from one o'clock to midnight: the day has begun and is not left")
    func azores() throws {
        #expect(
            try starts("Atlantic/Azores", day("2027-10-31")...day("2027-11-01")) == [
                "2027-10-31 2027-10-31T00:00:00Z", "2027-11-01 2027-11-01T01:00:00Z",
            ])
    }

    @Test("Asked for in pieces, days begin where they do when asked for at once", arguments: zones.map(\.0))
    func pieces(name: String) throws {
        let whole = day("2010-10-20")...day("2011-01-10")
        let segments = LedgerDays.segments(of: whole, in: try zone(name))
        var pieces: [DaySegment] = []
        for number in whole.lowerBound.number...whole.upperBound.number {
            pieces += LedgerDays.segments(of: Day(number)...Day(number), in: try zone(name))
        }
        #expect(Set(pieces) == Set(segments) && pieces.count == segments.count)
    }
}
