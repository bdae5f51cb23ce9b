// When a day takes no more usage, and on which day's bill usage falls: sections 2 and 4 of the billing rules.

/// The finality properties of a ledger, set when it is made (Billing rules, section 4).
package struct FinalityRule: Hashable, Sendable {
    /// N: day D is final from the first instant of D + N on. 1 to 31.
    package let finalAfterDays: Int
    /// How many local dates usage may be old when it arrives.
    package let maxAgeDays: Int

    package init(finalAfterDays: Int, maxAgeDays: Int) {
        self.finalAfterDays = finalAfterDays
        self.maxAgeDays = maxAgeDays
    }

    /// How far ahead of its arrival usage may lie, in seconds.
    package static let futureToleranceSeconds = 600

    /// The earliest day that still takes usage: N - 1 days before the day of arrival, and after every closed day.
    package func earliestOpenDay(today: Day, closedThrough: Day?) -> Day {
        let open = today - (finalAfterDays - 1)
        guard let closedThrough else { return open }
        return max(open, closedThrough + 1)
    }

    /// The day whose bill usage enters: its own day, or the earliest one that is open.
    package func postingDay(usageDay: Day, today: Day, closedThrough: Day?) -> Day {
        max(usageDay, earliestOpenDay(today: today, closedThrough: closedThrough))
    }

    /// How many days usage from before a date can still be posted on, from that date on: it may be the age limit old when
    /// it arrives, and is then posted N - 1 days back.
    package var correctionDays: Int { max(0, maxAgeDays - finalAfterDays + 1) }

    /// The first posting day that no usage from before a date can enter by the clock: the later of the date and
    /// date + age limit - N + 1 (Billing rules, section 5).
    package func firstDayWithoutUsage(before date: Day) -> Day { date + correctionDays }

    /// The most usage months that the bills of one month can hold: those of the month's days, and of the days before them
    /// as far as the age limit goes.
    package var usageMonthsOfPostingMonth: Int { maxAgeDays / 28 + 3 }

    package func isFinal(_ day: Day, today: Day) -> Bool { day + finalAfterDays <= today }

    /// The first arrival day whose identities are still held on a day: an identity is held through its arrival date
    /// plus the age limit plus one day (Billing rules, section 2).
    package func earliestHeldArrival(today: Day) -> Day { today - (maxAgeDays + 1) }
}

/// Where a device counts: the smallest of these of its events in a month (Billing rules, section 2).
package struct CountingPlace: Hashable, Comparable, BitwiseCopyable, Sendable {
    package let postingDay: Day
    package let usageDay: Day

    package init(postingDay: Day, usageDay: Day) {
        self.postingDay = postingDay
        self.usageDay = usageDay
    }

    /// Usage that enters the bill of its own day. Only such usage makes a device active on a day.
    package var isOnTime: Bool { postingDay == usageDay }

    package static func < (left: CountingPlace, right: CountingPlace) -> Bool {
        (left.postingDay, left.usageDay) < (right.postingDay, right.usageDay)
    }
}
