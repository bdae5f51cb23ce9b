// Instants from text: RFC 3339 date-times to microseconds, without a calendar library.

/// RFC 3339 date-times.
package enum RFC3339 {
    private static let microsPerSecond: Int64 = 1_000_000
    private static let secondsPerDay: Int64 = 86_400

    /// Microseconds since 1970-01-01T00:00:00Z, or `nil` for anything but a full date-time with an offset: a real date
    /// of the years 0001 to 9999, `T` (not a space), at least seconds, then `Z` or ±hh:mm, either letter in either case.
    /// Digits beyond the microsecond are cut off. Second 60 is taken only at 23:59:60 UTC, as the last microsecond of
    /// that minute, so that it stays in its day.
    package static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count >= 20, let start = text.baseAddress else { return nil }
        let end = start + text.count
        guard let century = pair(start), let yearOfCentury = pair(start + 2), start[4] == UInt8(ascii: "-"),
            let month = pair(start + 5), start[7] == UInt8(ascii: "-"), let day = pair(start + 8),
            start[10] | 0x20 == UInt8(ascii: "t"), let hour = pair(start + 11), start[13] == UInt8(ascii: ":"),
            let minute = pair(start + 14), start[16] == UInt8(ascii: ":"), let second = pair(start + 17)
        else { return nil }
        let year = century * 100 + yearOfCentury
        guard year >= 1, 1...12 ~= month, day >= 1, day <= daysIn(month: month, year: year), hour <= 23, minute <= 59,
            second <= 60
        else { return nil }

        var at = start + 19
        guard let fractionMicros = fraction(&at, end), let offset = offsetMinutes(at, end) else { return nil }
        let minuteOfDay = hour * 60 + minute - offset
        let minuteStart = days(year: year, month: month, day: day) * secondsPerDay + minuteOfDay * 60
        if second == 60 {
            guard (minuteOfDay + 1440) % 1440 == 1439 else { return nil }
            return (minuteStart + 60) * microsPerSecond - 1
        }
        return (minuteStart + second) * microsPerSecond + fractionMicros
    }

    /// As `parse` of the bytes.
    package static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { parse($0) }
    }

    /// Whether all that is wrong with a text is its date, which is no day of the calendar: 2026-11-31T12:00:00Z.
    package static func namesNoSuchDay(_ text: String) -> Bool {
        var bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[5].isDigit, bytes[6].isDigit, bytes[7] == UInt8(ascii: "-"), bytes[8].isDigit,
            bytes[9].isDigit, parse(text) == nil
        else { return false }
        bytes.replaceSubrange(5..<10, with: "01-01".utf8)
        return bytes.withUnsafeBufferPointer { parse($0) != nil }
    }

    // MARK: Numbers that stand for times

    /// The time that somebody meant who counts from 1970 on, and what he counts: the number of digits tells, for times
    /// from 1973 to 5138.
    ///
    /// - Parameter text: a JSON number or the text of a string.
    /// - Returns: nil for what is no such number.
    static func meant(byNumber text: Bytes) -> (time: String, unit: String)? {
        guard 9...19 ~= text.count, text.buffer.allSatisfy(\.isDigit), let number = Int64(text.string) else {
            return nil
        }
        switch text.count {
        case 9...11: return (self.text(micros: number * microsPerSecond), "seconds")
        case 12...14: return (self.text(micros: number * 1_000), "milliseconds")
        case 15...17: return (self.text(micros: number), "microseconds")
        default: return (self.text(micros: number / 1_000), "nanoseconds")
        }
    }

    /// A time after 1970 in UTC, with as much of a fraction as there is.
    private static func text(micros: Int64) -> String {
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let (seconds, fraction) = micros.quotientAndRemainder(dividingBy: microsPerSecond)
        let (day, second) = seconds.quotientAndRemainder(dividingBy: secondsPerDay)
        // The reverse of `days(year:month:day:)`.
        let shifted = day + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        var text = "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2))"
        text += "T\(digits(second / 3_600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))"
        if fraction > 0 {
            var decimals = digits(fraction, 6)
            while decimals.last == "0" { decimals.removeLast() }
            text += "." + decimals
        }
        return text + "Z"
    }

    // MARK: Reading

    @inline(__always)
    private static func pair(_ at: UnsafePointer<UInt8>) -> Int64? {
        guard at[0].isDigit, at[1].isDigit else { return nil }
        return Int64(at[0] &- 48) &* 10 &+ Int64(at[1] &- 48)
    }

    /// Microseconds of the optional fraction, which is passed; `nil` for a dot without digits.
    @inline(__always)
    private static func fraction(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int64? {
        guard at < end, at.pointee == UInt8(ascii: ".") else { return 0 }
        at += 1
        var (micros, weight): (Int64, Int64) = (0, 100_000)
        let first = at
        while at < end, at.pointee.isDigit {
            micros += Int64(at.pointee - 48) * weight
            weight /= 10
            at += 1
        }
        return at > first ? micros : nil
    }

    /// Minutes east of UTC of the offset that must be all that is left.
    @inline(__always)
    private static func offsetMinutes(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int64? {
        if end - at == 1, at.pointee | 0x20 == UInt8(ascii: "z") { return 0 }
        guard end - at == 6, at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-"),
            let hours = pair(at + 1),
            at[3] == UInt8(ascii: ":"), let minutes = pair(at + 4), hours <= 23, minutes <= 59
        else { return nil }
        let offset = hours * 60 + minutes
        return at.pointee == UInt8(ascii: "+") ? offset : -offset
    }

    // MARK: The proleptic Gregorian calendar

    @inline(__always)
    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return 30 + (month + month >> 3) & 1
    }

    /// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year, in eras of
    /// 400 years, which all have 146,097 days.
    @inline(__always)
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year  // never negative: years begin at 1
        let (era, yearOfEra) = marchYear.quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
