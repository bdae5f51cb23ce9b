// A day as people write it: a date, or a word that the ledger's clock makes a date of.

/// `2027-01-10`, `today` or `yesterday`.
package enum DayReference: Hashable, Sendable, CustomStringConvertible {
    case date(Day)
    case today
    /// The date before today's.
    case yesterday

    /// Returns nil for any other text; ``Day/rule(brokenBy:)`` tells why.
    package init?(_ text: String) {
        switch text {
        case "today": self = .today
        case "yesterday": self = .yesterday
        default:
            guard let day = Day(text) else { return nil }
            self = .date(day)
        }
    }

    package static let words = ["today", "yesterday"]

    /// The day itself where a date was written.
    package var date: Day? {
        if case .date(let day) = self { return day }
        return nil
    }

    /// - Parameter today: asked only where the day is not a date already.
    package func day(_ today: () throws -> Day) rethrows -> Day {
        switch self {
        case .date(let day): day
        case .today: try today()
        case .yesterday: try today() - 1
        }
    }

    /// As it is written.
    package var description: String {
        switch self {
        case .date(let day): "\(day)"
        case .today: "today"
        case .yesterday: "yesterday"
        }
    }
}

extension DayReference {
    /// What to write instead of a text that is no such day.
    package static func advice(on text: String) -> String {
        if Day.isNoSuchDay(text) { return "there is no such day in the calendar" }
        if let day = Day(loosely: text) { return "write a day as YYYY-MM-DD: \(day)" }
        if let word = nearest(to: text, of: words) { return "did you mean \(word)?" }
        return "write a day as YYYY-MM-DD, like 2027-01-10, or today or yesterday"
    }
}

extension Day {
    /// The day that a text means which begins with the year and is written in another way: `2027/1/10`, `20270110`.
    package init?(loosely text: String) {
        var parts = text.split(omittingEmptySubsequences: false) { "-/. ".contains($0) }.map(String.init)
        if parts.count == 1, text.utf8.count == 8 {
            parts = [String(text.prefix(4)), String(text.dropFirst(4).prefix(2)), String(text.suffix(2))]
        }
        guard parts.count == 3, parts[0].utf8.count == 4,
            parts.dropFirst().allSatisfy({ (1...2).contains($0.utf8.count) })
        else { return nil }
        let padded = parts.map { $0.utf8.count == 1 ? "0\($0)" : $0 }
        self.init(padded.joined(separator: "-"))
    }
}

extension Month {
    /// What to write instead of a text that is no month.
    package static func advice(on text: String) -> String {
        if isNoSuchMonth(text) { return "there is no such month in the calendar" }
        if let day = Day(loosely: text) { return "write the month alone, as YYYY-MM: \(day.month)" }
        if let day = Day(loosely: "\(text)/1") ?? Day(loosely: "\(text)01") {
            return "write a month as YYYY-MM: \(day.month)"
        }
        return "write a month as YYYY-MM, like 2027-01"
    }
}
