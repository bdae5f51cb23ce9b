// Which local day an instant belongs to, from stored first instants alone: pure code that knows no time zone.

/// Microseconds since 1970-01-01T00:00:00Z.
package struct Instant: Hashable, Comparable, Codable, Sendable {
    package let micros: Int64

    package init(micros: Int64) { self.micros = micros }

    package static func < (left: Instant, right: Instant) -> Bool { left.micros < right.micros }
    package static func + (instant: Instant, seconds: Int) -> Instant {
        Instant(micros: instant.micros + Int64(seconds) * 1_000_000)
    }
}

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC, with as much of a fraction as there is: `2027-01-10T04:00:00.123Z`.
    package var description: String {
        let microsPerDay: Int64 = 86_400_000_000
        let day = micros >= 0 ? micros / microsPerDay : (micros - microsPerDay + 1) / microsPerDay
        let rest = micros - day * microsPerDay
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let seconds = rest / 1_000_000
        var text = "\(Day(Int(day)))T\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        if rest % 1_000_000 != 0 {
            var fraction = String(rest % 1_000_000 + 1_000_000).dropFirst()
            while fraction.last == "0" { fraction.removeLast() }
            text += ".\(fraction)"
        }
        return text + "Z"
    }
}

/// From `start` on, the local date is `day` (until the next segment starts).
package struct DaySegment: Hashable, Sendable {
    package let start: Instant
    package let day: Day

    package init(start: Instant, day: Day) {
        self.start = start
        self.day = day
    }
}

/// A stretch of a ledger's local time (Billing rules, section 1).
///
/// Nearly always one segment a day. A day that the zone skips has none; where a clock that is set back returns to the
/// day before, the days interleave, and each instant still belongs to the date that its clocks showed.
package struct DayCalendar: Sendable {
    private let segments: [DaySegment]

    /// - Parameter segments: ascending by start, without gaps between the first and the last, but for
    ///   ``dayOutsideGaps(of:)``.
    package init(segments: [DaySegment]) {
        precondition(!segments.isEmpty && zip(segments, segments.dropFirst()).allSatisfy { $0.start < $1.start })
        self.segments = segments
    }

    /// The last day of the stretch; nothing is known of what lies behind it.
    package var lastDay: Day { segments[segments.count - 1].day }
    package var firstDay: Day { segments[0].day }

    /// The next date that the stretch's clocks show after a day: two days on, where the zone skips one.
    package func day(after day: Day) -> Day? { segments.lazy.map(\.day).filter { $0 > day }.min() }

    /// The local date at an instant, or nil outside the stretch (the last day counts as outside: its end is unknown).
    package func day(of instant: Instant) -> Day? { segment(of: instant)?.segment.day }

    /// The local date at an instant, of a stretch that may have gaps. Nil in a gap, and on the date before it: where it ends
    /// is not known.
    package func dayOutsideGaps(of instant: Instant) -> Day? {
        let index = index(of: instant)
        guard index >= 0, index < segments.count - 1, segments[index + 1].day == segments[index].day + 1 else {
            return nil
        }
        return segments[index].day
    }

    /// The segment that holds an instant and where it ends, or nil outside the stretch as ``day(of:)`` has it.
    package func segment(of instant: Instant) -> (segment: DaySegment, end: Instant)? {
        let index = index(of: instant)
        guard index >= 0, index < segments.count - 1 else { return nil }
        return (segments[index], segments[index + 1].start)
    }

    /// The latest local date that has begun by an instant: a date that a clock set back has returned from stays begun.
    /// Finality and arrival go by it, so that no day is open again once it was final (Billing rules, section 4).
    package func latestDayBegun(by instant: Instant) -> Day? {
        let index = index(of: instant)
        guard index >= 0, index < segments.count - 1 else { return nil }
        var latest = segments[index].day
        // A clock is never set back by more than a day: a few segments tell.
        for earlier in segments[max(0, index - 3)..<index] { latest = max(latest, earlier.day) }
        return latest
    }

    /// The first instant of a local date; for a date that the zone skips, that of the next one.
    package func firstInstant(of day: Day) -> Instant? {
        segments.first { $0.day >= day }?.start
    }

    /// The index of the segment that holds the instant; -1 before the first.
    private func index(of instant: Instant) -> Int {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].start <= instant { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
