// Days, months and instants: a day is a number since 1970-01-01, a month is year * 12 + (month - 1), an instant is
// microseconds since 1970.

import Foundation

package enum Dates {
    private static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        return calendar
    }()

    package static func day(year: Int, month: Int, day: Int) -> Int {
        let date = utc.date(from: DateComponents(year: year, month: month, day: day))!
        return Int((date.timeIntervalSince1970 / 86_400).rounded())
    }

    package static func parts(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let parts = utc.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
        return (parts.year!, parts.month!, parts.day!)
    }

    /// The day written "YYYY-MM-DD".
    package static func day(_ text: String) -> Int {
        let numbers = text.split(separator: "-").map { Int($0)! }
        return day(year: numbers[0], month: numbers[1], day: numbers[2])
    }

    /// "YYYY-MM-DD".
    package static func text(day: Int) -> String {
        let parts = parts(ofDay: day)
        return padded(parts.year, 4) + "-" + padded(parts.month, 2) + "-" + padded(parts.day, 2)
    }

    package static func month(ofDay day: Int) -> Int {
        let parts = parts(ofDay: day)
        return parts.year * 12 + parts.month - 1
    }

    /// "YYYY-MM".
    package static func text(month: Int) -> String {
        padded(month / 12, 4) + "-" + padded(month % 12 + 1, 2)
    }

    /// The same date so many months later; a date that does not exist becomes the first of the next month.
    package static func day(_ day: Int, monthsLater months: Int) -> Int {
        let parts = parts(ofDay: day)
        let month = parts.year * 12 + parts.month - 1 + months
        let wanted = self.day(year: month / 12, month: month % 12 + 1, day: parts.day)
        let exists = Dates.parts(ofDay: wanted).day == parts.day
        return exists ? wanted : self.day(year: (month + 1) / 12, month: (month + 1) % 12 + 1, day: 1)
    }

    /// The instant written "YYYY-MM-DDThh:mm:ss+hh:mm".
    package static func instant(_ text: String) -> Int64 {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int { Int(String(decoding: bytes[range], as: UTF8.self))! }
        let day = day(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let local = day * 86_400 + number(11..<13) * 3_600 + number(14..<16) * 60 + number(17..<19)
        let offset = number(20..<22) * 3_600 + number(23..<25) * 60
        let ahead = bytes[19] == UInt8(ascii: "+")
        return Int64(ahead ? local - offset : local + offset) * 1_000_000
    }

    /// The instant in UTC, with the microseconds when there are any.
    package static func text(instant: Int64) -> String {
        let (day, ofDay) = floorDivide(instant, 86_400_000_000)
        let (seconds, micros) = floorDivide(ofDay, 1_000_000)
        let time = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded(Int($0), 2) }.joined(separator: ":")
        return text(day: Int(day)) + "T" + time + (micros == 0 ? "" : "." + padded(Int(micros), 6)) + "Z"
    }

    static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = value % by
        return remainder < 0 ? (value / by - 1, remainder + by) : (value / by, remainder)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// The calendar dates of one time zone.
package struct LocalDates: Sendable {
    private let calendar: Calendar

    /// - Parameter timeZone: an IANA name that exists.
    package init(timeZone: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: timeZone)!
        self.calendar = calendar
    }

    /// The local calendar date of an instant.
    package func day(of instant: Int64) -> Int {
        let second = Dates.floorDivide(instant, 1_000_000).quotient
        let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(second)))
        return Dates.day(year: parts.year!, month: parts.month!, day: parts.day!)
    }

    /// The first instant whose local date is the day, or a later one when the zone skips the day.
    package func firstInstant(of day: Int) -> Int64 {
        var before = Int64(day) * 86_400 - 30 * 3_600
        var inside = Int64(day) * 86_400 + 30 * 3_600
        while inside - before > 1 {
            let middle = before + (inside - before) / 2
            if self.day(of: middle * 1_000_000) >= day { inside = middle } else { before = middle }
        }
        return inside * 1_000_000
    }
}
