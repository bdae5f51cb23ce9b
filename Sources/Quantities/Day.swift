// Local calendar dates and months as numbers, with the arithmetic that billing needs. No zone, no clock.

/// A calendar date, as the number of days since 1970-01-01.
package struct Day: Hashable, Comparable, Codable, BitwiseCopyable, Sendable {
    package let number: Int

    package init(_ number: Int) { self.number = number }

    /// Reads a day that another process has sent.
    ///
    /// - Throws: `DecodingError` for a number beyond ten thousand years, with which nothing can be computed.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int.self, forKey: .number)
        guard (-3_652_425...3_652_425).contains(number) else {
            throw DecodingError.dataCorruptedError(
                forKey: .number, in: container, debugDescription: "\(number) is not the number of a day")
        }
    }

    /// The date, or nil where the month has no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...Month(year: year, month: month).length).contains(day) else { return nil }
        number = Self.number(year: year, month: month, day: day)
    }

    package static func < (left: Day, right: Day) -> Bool { left.number < right.number }
    package static func + (day: Day, days: Int) -> Day { Day(day.number + days) }
    package static func - (day: Day, days: Int) -> Day { Day(day.number - days) }
    package static func - (left: Day, right: Day) -> Int { left.number - right.number }

    package var month: Month {
        let date = civil
        return Month(year: date.year, month: date.month)
    }

    /// The same date so many months later; one that does not exist becomes the first of the month after it
    /// (Billing rules, section 5).
    package func adding(months: Int) -> Day {
        let date = civil
        let target = Month(number: Month(year: date.year, month: date.month).number + months)
        return Day(year: target.year, month: target.month, day: date.day) ?? target.next.first
    }

    /// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counted in eras of 400 years that begin
    /// on 1 March, so that the leap day is the last of its year.
    fileprivate static func number(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package var civil: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Day {
    /// Whether a text has the form YYYY-MM-DD and no calendar has that day: 2026-11-31.
    package static func isNoSuchDay(_ text: String) -> Bool {
        numbers(in: text, digits: [4, 2, 2]) != nil && Day(text) == nil
    }
}

extension Day: CustomStringConvertible {
    /// `2027-01-31`.
    package var description: String {
        let date = civil
        return padded(date.year, to: 4) + "-" + padded(date.month, to: 2) + "-" + padded(date.day, to: 2)
    }

    /// Reads `YYYY-MM-DD`; nil for anything else and for dates that do not exist.
    package init?(_ text: String) {
        guard let parts = numbers(in: text, digits: [4, 2, 2]) else { return nil }
        self.init(year: parts[0], month: parts[1], day: parts[2])
    }
}

/// A calendar month, as the number of months since January of the year 0.
package struct Month: Hashable, Comparable, Sendable {
    package let number: Int

    package init(number: Int) { self.number = number }
    package init(year: Int, month: Int) { number = year * 12 + month - 1 }

    package static func < (left: Month, right: Month) -> Bool { left.number < right.number }

    package var year: Int { (number >= 0 ? number : number - 11) / 12 }
    package var month: Int { number - year * 12 + 1 }
    package var next: Month { Month(number: number + 1) }
    package var first: Day { Day(Day.number(year: year, month: month, day: 1)) }
    package var last: Day { next.first - 1 }

    /// How many days the month has.
    package var length: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Month: CustomStringConvertible {
    /// `2027-01`.
    package var description: String { "\(padded(year, to: 4))-\(padded(month, to: 2))" }

    /// Reads `YYYY-MM`.
    package init?(_ text: String) {
        guard let parts = numbers(in: text, digits: [4, 2]), (1...12).contains(parts[1]) else { return nil }
        self.init(year: parts[0], month: parts[1])
    }

    /// Whether a text is written as a month, and there is none of that number.
    package static func isNoSuchMonth(_ text: String) -> Bool {
        numbers(in: text, digits: [4, 2]) != nil && Month(text) == nil
    }
}

private func padded(_ number: Int, to width: Int) -> String {
    var text = String(number)
    while text.utf8.count < width { text = "0" + text }
    return text
}

/// The numbers of a text of digit groups joined by hyphens, each of exactly the given width.
private func numbers(in text: String, digits: [Int]) -> [Int]? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == digits.count else { return nil }
    var numbers: [Int] = []
    for (part, width) in zip(parts, digits) {
        guard part.utf8.count == width, part.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(part) else {
            return nil
        }
        numbers.append(number)
    }
    return numbers
}
