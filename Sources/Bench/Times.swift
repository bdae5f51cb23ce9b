// The days on which the workloads take place, all in one month that never changes.

import Quantities
import Workload

/// Days of January 2027, in UTC.
enum Times {
    /// When most of what a ledger holds was first seen: long settled when anything is measured.
    static let held = day(5)
    /// The last day that is settled before the clock starts.
    static let lastRated = day(18)
    static let yesterday = day(19)
    /// The day that is measured.
    static let today = day(20)

    static func day(_ number: Int) -> LocalDay {
        guard let day = Day(year: 2027, month: 1, day: 1) else { preconditionFailure("there is such a day") }
        return LocalDay(
            day + (number - 1), start: Instant(micros: micros(day + (number - 1))),
            end: Instant(micros: micros(day + number)), offsetMinutes: 0)
    }

    private static func micros(_ day: Day) -> Int64 { Int64(day.number) * 86_400_000_000 }
}

extension LocalDay {
    /// `--now` at the end of the day: nothing that the day brings is then in the future.
    var lastMoment: String { "\(day)T23:59:59.999Z" }
    var firstMoment: String { "\(day)T00:00:01Z" }
}
