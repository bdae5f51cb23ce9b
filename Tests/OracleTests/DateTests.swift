// Days, months and zones as the rules need them.

import Oracle
import TestSupport
import Testing

@Suite("Dates", .computing)
struct DateTests {
    @Test(
        "a term ends on the same date, or on the first of the next month",
        arguments: [
            ("2027-01-15", 12, "2028-01-15"),
            ("2028-02-29", 12, "2029-03-01"),
            ("2027-01-31", 1, "2027-03-01"),
            ("2028-01-30", 1, "2028-03-01"),
            ("2027-12-31", 1, "2028-01-31"),
            ("2027-03-31", 1, "2027-05-01"),
        ])
    func termsEnd(start: String, months: Int, end: String) {
        #expect(Dates.text(day: Dates.day(Dates.day(start), monthsLater: months)) == end)
    }

    @Test(
        "a day begins where its zone says",
        arguments: [
            ("Asia/Shanghai", "2027-01-01", "2027-01-01T00:00:00+08:00"),
            ("America/New_York", "2027-11-08", "2027-11-08T00:00:00-05:00"),
            // Midnight is skipped.
            ("America/Havana", "2027-03-14", "2027-03-14T01:00:00-04:00"),
            // Midnight happens twice: the day begins the first time.
            ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),
            ("Atlantic/Azores", "2027-10-31", "2027-10-31T00:00:00+00:00"),
            // The hour before midnight happens twice.
            ("Asia/Beirut", "2027-10-31", "2027-10-31T00:00:00+02:00"),
            // The day before never was.
            ("Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00"),
            ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
        ])
    func daysBegin(zone: String, day: String, instant: String) {
        let local = LocalDates(timeZone: zone)
        let first = local.firstInstant(of: Dates.day(day))
        #expect(first == Dates.instant(instant))
        #expect(local.day(of: first) >= Dates.day(day))
        #expect(local.day(of: first - 1) < Dates.day(day))
    }
}
