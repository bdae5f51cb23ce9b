// Which day's rating is due at an instant: the day before, once the set time of the local day has come.

import EventCodec
import Foundation
import Quantities
import Serving
import Settings
import Testing

@Suite("The nightly rating is due")
struct DayDueTests {
    private static let cases: [(zone: String, now: String, rateAt: (hour: Int, minute: Int), due: String)] = [
        // 00:10 in Shanghai is 16:10 UTC of the day before.
        ("Asia/Shanghai", "2027-01-10T16:09:59Z", (0, 10), "2027-01-09"),
        ("Asia/Shanghai", "2027-01-10T16:10:00Z", (0, 10), "2027-01-10"),
        ("Asia/Shanghai", "2027-01-11T15:59:59Z", (0, 10), "2027-01-10"),
        ("Asia/Shanghai", "2027-01-10T16:00:00Z", (0, 0), "2027-01-10"),
        ("America/New_York", "2027-03-01T04:59:59Z", (0, 0), "2027-02-27"),
        ("America/New_York", "2027-03-01T05:00:00Z", (0, 0), "2027-02-28"),
        // Clocks go forward on 14 March at 02:00, so 02:30 never comes; 03:00 EDT is after it.
        ("America/New_York", "2027-03-14T06:59:59Z", (2, 30), "2027-03-12"),
        ("America/New_York", "2027-03-14T07:00:00Z", (2, 30), "2027-03-13"),
        // Clocks go back on 7 November at 02:00: 01:30 comes twice; what was due once stays due.
        ("America/New_York", "2027-11-07T05:30:00Z", (1, 30), "2027-11-06"),
        ("America/New_York", "2027-11-07T06:30:00Z", (1, 30), "2027-11-06"),
        ("UTC", "2027-01-01T23:59:00Z", (23, 59), "2026-12-31"),
        ("UTC", "2027-01-01T23:58:59Z", (23, 59), "2026-12-30"),
    ]

    @Test("once the local time of day has come, also where clocks are changed", arguments: cases)
    func due(zone: String, now: String, rateAt: (hour: Int, minute: Int), due: String) throws {
        let day = NightlyRating.dayDue(
            at: Instant(micros: try #require(RFC3339.parse(now))),
            TimeOfDay(hour: rateAt.hour, minute: rateAt.minute), in: try #require(TimeZone(identifier: zone)))
        #expect(day == Day(due))
    }
}
