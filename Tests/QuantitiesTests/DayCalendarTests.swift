// Which day an instant belongs to where clocks do odd things: days of 23 and 25 hours, skipped and repeated dates.

import Quantities
import Testing

@Suite("The calendar of day starts (Billing rules, section 1)")
struct DayCalendarTests {
    /// Segments written as (start in hours, day).
    private func calendar(_ segments: [(Int, Int)]) -> DayCalendar {
        DayCalendar(segments: segments.map { DaySegment(start: hour($0.0), day: Day($0.1)) })
    }

    private func hour(_ hours: Int, micros: Int64 = 0) -> Instant {
        Instant(micros: Int64(hours) * 3_600_000_000 + micros)
    }

    @Test("An instant belongs to the segment that holds it; outside of all segments it belongs to none")
    func plainDays() {
        let calendar = calendar([(0, 10), (24, 11), (48, 12), (72, 13)])
        let table: [(Instant, Int?)] = [
            (hour(0, micros: -1), nil), (hour(0), 10), (hour(24, micros: -1), 10), (hour(24), 11), (hour(47), 11),
            (hour(72, micros: -1), 12), (hour(72), nil), (hour(500), nil),
        ]
        for (instant, day) in table {
            #expect(calendar.day(of: instant) == day.map { Day($0) }, "\(instant)")
            #expect(calendar.latestDayBegun(by: instant) == day.map { Day($0) }, "\(instant)")
        }
        #expect(calendar.firstDay == Day(10) && calendar.lastDay == Day(13))
    }

    @Test("Days of 23 and 25 hours end where the next one starts")
    func shortAndLongDays() {
        let calendar = calendar([(0, 10), (23, 11), (48, 12), (72, 13)])
        #expect(calendar.day(of: hour(23, micros: -1)) == Day(10))
        #expect(calendar.day(of: hour(23)) == Day(11))
        #expect(calendar.day(of: hour(48, micros: -1)) == Day(11))
        #expect(calendar.day(of: hour(48)) == Day(12))
    }

    @Test("A day that the zone skips has no instant; its first instant is that of the next day")
    func skippedDay() {
        let calendar = calendar([(0, 10), (24, 12), (48, 13)])
        #expect(calendar.day(of: hour(24, micros: -1)) == Day(10))
        #expect(calendar.day(of: hour(24)) == Day(12))
        #expect(calendar.firstInstant(of: Day(11)) == hour(24))
        #expect(calendar.firstInstant(of: Day(12)) == hour(24))
        #expect(calendar.firstInstant(of: Day(14)) == nil)
    }

    @Test("Where clocks return to the day before, usage belongs to the date they show, and no day opens again")
    func repeatedDate() {
        // Day 11 begins at 24:00; a minute of it later (here an hour) the clock shows day 10 again for an hour.
        let calendar = calendar([(0, 10), (24, 11), (25, 10), (26, 11), (50, 12), (74, 13)])
        let table: [(Int, shown: Int, begun: Int)] = [
            (23, 10, 10), (24, 11, 11), (25, 10, 11), (26, 11, 11), (50, 12, 12),
        ]
        for (at, shown, begun) in table {
            #expect(calendar.day(of: hour(at)) == Day(shown), "hour \(at)")
            #expect(calendar.latestDayBegun(by: hour(at)) == Day(begun), "hour \(at)")
        }
        #expect(calendar.firstInstant(of: Day(11)) == hour(24))
    }
}

@Suite("Finality and posting days (Billing rules, section 4)")
struct FinalityTests {
    @Test(
        "The posting day is the latest of the usage day, the earliest open day, and the day after the last closed one")
    func postingDays() {
        // N, usage day, arrival day, closed through, expected posting day
        let table: [(Int, Int, Int, Int?, Int)] = [
            (3, 10, 10, nil, 10),  // on time
            (3, 11, 10, nil, 11),  // minutes ahead, over midnight
            (3, 8, 10, nil, 8),  // the earliest day that is still open
            (3, 7, 10, nil, 8),  // a correction
            (3, -20, 10, nil, 8),
            (3, 7, 10, 7, 8),  // closed as far as the clock says: nothing changes
            (3, 8, 10, 5, 8),
            (3, 8, 10, 8, 9),  // closed further than the clock says
            (3, 10, 10, 12, 13),  // the clock was set back: a closed day never opens
            (3, 14, 10, 12, 14),
            (1, 10, 10, nil, 10), (1, 9, 10, nil, 10),  // final at midnight
            (31, 10, 40, nil, 10), (31, 9, 40, nil, 10),
        ]
        for (n, usage, arrival, closed, posting) in table {
            let rule = FinalityRule(finalAfterDays: n, maxAgeDays: 35)
            let found = rule.postingDay(
                usageDay: Day(usage), today: Day(arrival), closedThrough: closed.map { Day($0) })
            #expect(found == Day(posting), "N \(n), usage \(usage), arrival \(arrival), closed \(closed ?? -1)")
            #expect(found >= rule.earliestOpenDay(today: Day(arrival), closedThrough: closed.map { Day($0) }))
        }
    }

    @Test("A day is final from the first instant of the day N days later on, and then takes no usage")
    func finality() {
        for n in 1...31 {
            let rule = FinalityRule(finalAfterDays: n, maxAgeDays: 35)
            for today in 0..<40 {
                #expect(rule.isFinal(Day(0), today: Day(today)) == (today >= n))
                let isOpen = rule.postingDay(usageDay: Day(0), today: Day(today), closedThrough: nil) == Day(0)
                #expect(isOpen == !rule.isFinal(Day(0), today: Day(today)))
            }
        }
    }

    @Test("Identities are held through their arrival date plus the age limit plus one day")
    func heldArrivals() {
        let rule = FinalityRule(finalAfterDays: 3, maxAgeDays: 35)
        #expect(rule.earliestHeldArrival(today: Day(136)) == Day(100))
    }

    @Test("A device's places are ordered by posting day, then by usage day")
    func places() {
        func place(_ posting: Int, _ usage: Int) -> CountingPlace {
            CountingPlace(postingDay: Day(posting), usageDay: Day(usage))
        }
        let sorted = [place(3, 3), place(4, 1), place(4, 2), place(4, 4), place(5, 1)]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted.map(\.isOnTime) == [true, false, false, true, false])
    }
}
