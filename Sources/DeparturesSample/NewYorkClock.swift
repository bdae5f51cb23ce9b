// What offset New York's clocks have at a local time.

import Foundation

/// The offsets of New York's local times; a lookup for each new hour only, since its clocks change
/// on the full hour (ever since they first agreed on an hour, in 1883).
struct NewYorkClock {
    static let zoneName = "America/New_York"
    private static let secondsPerDay = 86_400

    private let zone: TimeZone
    private var utc = Calendar(identifier: .gregorian)
    /// By date and hour, `2013-01-01T05`.
    private var offsets: [ArraySlice<UInt8>: String] = [:]

    init?() {
        guard let zone = TimeZone(identifier: Self.zoneName) else { return nil }
        self.zone = zone
        utc.timeZone = .gmt
    }

    /// The offset of a local time such as `2013-01-01T05:15:00`, like `-05:00`; of the two that an hour repeated in
    /// autumn has, the first.
    mutating func offset(at time: ArraySlice<UInt8>) throws(Problem) -> String {
        guard Self.hasShape(time), time[time.startIndex + 14] < 54, time[time.startIndex + 17] < 54 else {
            throw Problem("'\(shown(time))' is no time such as 2013-01-01T05:15:00")
        }
        let hour = time.prefix(13)
        if let known = offsets[hour] { return known }
        guard let local = secondsIfUTC(hour) else {
            throw Problem("'\(shown(time))' is no date and hour of the calendar")
        }
        // The greater offset is the earlier instant.
        let candidates = [local - Self.secondsPerDay, local + Self.secondsPerDay].map(secondsFromGMT)
        guard let offset = candidates.sorted(by: >).first(where: { secondsFromGMT(local - $0) == $0 }) else {
            throw Problem("\(shown(time)) does not exist in New York: the clocks are set forward over it")
        }
        let minutes = abs(offset) / 60
        let text = String(format: "%@%02d:%02d", offset < 0 ? "-" : "+", minutes / 60, minutes % 60)
        offsets[ArraySlice(Array(hour))] = text
        return text
    }

    private func secondsFromGMT(_ second: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second)))
    }

    /// Digits where `0000-00-00T00:00:00` has zeros, the same signs elsewhere.
    private static func hasShape(_ time: ArraySlice<UInt8>) -> Bool {
        let shape = "0000-00-00T00:00:00".utf8
        return time.count == shape.count
            && zip(time, shape).allSatisfy { $1 == 48 ? (48...57).contains($0) : $0 == $1 }
    }

    /// Seconds since 1970 of `2013-01-01T05` as if it were UTC, nil where the calendar has no such date or hour.
    private func secondsIfUTC(_ hour: ArraySlice<UInt8>) -> Int? {
        let numbers = hour.split { $0 == 45 || $0 == 84 }.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        let components = DateComponents(
            calendar: utc, year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3])
        guard components.isValidDate, let date = components.date else { return nil }
        return Int(date.timeIntervalSince1970)
    }
}
