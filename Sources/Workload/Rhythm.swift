// When in the day the events arrive.

import Quantities

/// Spreads a number of events over a day, as many in each hour as is the habit, in order.
struct Rhythm {
    private let count: Double
    private let startMs: Int64
    private let hourMs: Double
    /// Which part of the events arrives before each hour, and all before the end.
    private let before: [Double]

    init(count: Int, on day: LocalDay) {
        self.count = Double(max(1, count))
        startMs = day.start.micros / 1_000
        hourMs = Double(day.end.micros - day.start.micros) / 1_000 / Double(Habit.hours.count)
        let total = Habit.hours.reduce(0, +)
        var before = [0.0]
        var sum = 0.0
        for events in Habit.hours {
            sum += events
            before.append(sum / total)
        }
        before[Habit.hours.count] = 1
        self.before = before
    }

    /// When the event at a place arrives, in milliseconds since 1970: not before that of the place before, and within the
    /// day.
    ///
    /// - Parameter jitter: random bits.
    @inline(__always)
    func arrivalMs(of place: Int, jitter: UInt32) -> Int64 {
        let part = (Double(place) + Double(jitter) / 4_294_967_296) / count
        var hour = 0
        while hour < Habit.hours.count - 1, before[hour + 1] <= part { hour += 1 }
        let inHour = (part - before[hour]) / (before[hour + 1] - before[hour])
        return startMs + Int64((Double(hour) + min(inHour, 0.999_999_99)) * hourMs)
    }
}
