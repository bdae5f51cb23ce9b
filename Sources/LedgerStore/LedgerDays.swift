// The ledger's local days around an instant: stored first instants, and those of the time zone for days not yet used.

package import Foundation
package import GRDB
package import Quantities

/// Keeps the calendar of the current day; all that finality, age and posting need lies within it.
package final class LedgerDays {
    private let properties: LedgerProperties
    private var current: (today: Day, calendar: DayCalendar)?

    package init(_ properties: LedgerProperties) { self.properties = properties }

    /// The local date of an instant and the calendar around it: back by the age limit, ahead by what finality needs.
    /// Days that are used for the first time are stored.
    package func days(around now: Instant, _ database: Database) throws -> (today: Day, calendar: DayCalendar) {
        if let current, current.calendar.latestDayBegun(by: now) == current.today { return current }
        let calendar = try load(around: now, database)
        guard let today = calendar.latestDayBegun(by: now) else {
            preconditionFailure("the calendar does not hold the instant that it was made for")
        }
        current = (today, calendar)
        return (today, calendar)
    }

    /// Forgets the days read: the transaction that may have stored them was rolled back.
    package func forget() { current = nil }

    private func load(around now: Instant, _ database: Database) throws -> DayCalendar {
        let date = Self.date(of: now, in: properties.timeZone)
        let first = date - (properties.finality.maxAgeDays + 4)
        let last = date + (properties.finality.finalAfterDays + 4)
        var segments = try Row.fetchAll(
            database, sql: "SELECT starts_at, day FROM day_start WHERE day BETWEEN ? AND ? ORDER BY starts_at",
            arguments: [first.number, last.number]
        ).map { DaySegment($0) }
        let stored = Set(segments.map(\.day))
        var missing: [DaySegment] = []
        var day = first
        while day <= last {
            guard !stored.contains(day) else {
                day = day + 1
                continue
            }
            var end = day
            while end < last, !stored.contains(end + 1) { end = end + 1 }
            missing += Self.segments(of: day...end, in: properties.timeZone)
            day = end + 1
        }
        for segment in missing where !stored.contains(segment.day) {
            try database.execute(
                sql: "INSERT INTO day_start (starts_at, day) VALUES (?, ?) ON CONFLICT (starts_at) DO NOTHING",
                arguments: [segment.start.micros, segment.day.number])
            segments.append(segment)
        }
        return DayCalendar(segments: segments.sorted { $0.start < $1.start })
    }

    /// The local date that a zone's clocks show at an instant.
    package static func date(of instant: Instant, in zone: TimeZone) -> Day {
        let second = Self.floor(instant.micros, 1_000_000)
        return Day(Int(floor(second + offset(at: second, in: zone), 86_400)))
    }

    /// The next date after a day that a zone's clocks show: two days on, where the zone skips one.
    package static func day(after day: Day, in zone: TimeZone) -> Day {
        guard let next = DayCalendar(segments: segments(of: day...day + 3, in: zone)).day(after: day) else {
            preconditionFailure("a date that does not end")
        }
        return next
    }

    /// The first instant after this one at which the local date changes.
    package static func nextChange(after instant: Instant, in zone: TimeZone) -> Instant {
        let day = date(of: instant, in: zone)
        guard let next = segments(of: day - 1...day + 3, in: zone).first(where: { $0.start > instant }) else {
            preconditionFailure("a date that does not end")
        }
        return next.start
    }

    /// Where each local date of a range begins, and where a clock that is set back returns to it.
    ///
    /// The zone's offset is looked at hour by hour and each change found to the second, so that no kind of change is
    /// left out: daylight saving, a new standard time, a day that is skipped.
    package static func segments(of days: ClosedRange<Day>, in zone: TimeZone) -> [DaySegment] {
        var segments: [DaySegment] = []
        // No zone is more than 15 hours off; a change may add a day.
        var second = Int64(days.lowerBound.number) * 86_400 - 40 * 3600
        let end = Int64(days.upperBound.number + 1) * 86_400 + 40 * 3600
        var offset = offset(at: second, in: zone)
        var day = floor(second + offset, 86_400)
        func advance(to target: Int64) {
            // Midnights under one offset.
            var next = (floor(second + offset, 86_400) + 1) * 86_400 - offset
            while next <= target {
                note(next, offset)
                next += 86_400
            }
            second = target
        }
        func note(_ at: Int64, _ offset: Int64) {
            let date = floor(at + offset, 86_400)
            guard date != day else { return }
            day = date
            segments.append(DaySegment(start: Instant(micros: at * 1_000_000), day: Day(Int(date))))
        }
        while second < end {
            let target = second + 3600
            let later = Self.offset(at: target, in: zone)
            if later == offset {
                advance(to: target)
                continue
            }
            var (low, high) = (second, target)
            while high - low > 1 {
                let middle = (low + high) / 2
                if Self.offset(at: middle, in: zone) == offset { low = middle } else { high = middle }
            }
            advance(to: high - 1)
            offset = Self.offset(at: high, in: zone)
            note(high, offset)
            second = high
        }
        return segments.filter { days.contains($0.day) }
    }

    private static func offset(at second: Int64, in zone: TimeZone) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second))))
    }

    private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        number >= 0 ? number / divisor : (number - divisor + 1) / divisor
    }
}

extension DayCalendar {
    /// All days that the ledger has used, with gaps where it has used none. Nil when it has used none at all.
    package static func stored(_ database: Database) throws -> DayCalendar? {
        let segments = try Row.fetchAll(database, sql: "SELECT starts_at, day FROM day_start ORDER BY starts_at")
            .map { DaySegment($0) }
        return segments.isEmpty ? nil : DayCalendar(segments: segments)
    }
}

extension DaySegment {
    fileprivate init(_ row: Row) { self.init(start: Instant(micros: row["starts_at"]), day: Day(row["day"])) }
}
