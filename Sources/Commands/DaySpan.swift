// From which day through which: the options of every command that lists by day, and of those that list by month.

import ArgumentParser
import Quantities

/// `--from`, `--to` and `--month`. Which days they are of, each command's help says.
struct DaySpan: ParsableArguments {
    @Option(
        help: ArgumentHelp("From this day on: YYYY-MM-DD, today or yesterday.", valueName: "day"),
        transform: Arguments.day)
    var from: DayReference?

    @Option(
        help: ArgumentHelp("Through this day: YYYY-MM-DD, today or yesterday.", valueName: "day"),
        transform: Arguments.day)
    var to: DayReference?

    @Option(help: ArgumentHelp("The days of this month, YYYY-MM.", valueName: "month"), transform: Arguments.month)
    var month: Month?

    var isEmpty: Bool { from == nil && to == nil && month == nil }

    func validate() throws {
        guard month == nil || (from == nil && to == nil) else {
            throw ValidationError("--month is a span of its own; leave out --from and --to, or --month")
        }
        // Of days that only the ledger's clock knows nothing can be said yet.
        if let from = from?.date, let to = to?.date, from > to {
            throw ValidationError(Self.isEmpty("\(from)", "\(to)"))
        }
    }

    /// The first and the last day, nil where the span is open.
    ///
    /// - Parameter today: the ledger's local date, asked only where it is needed.
    /// - Throws: ``WrongUsage`` when no day is in between.
    func days(today: () throws -> Day) throws -> (first: Day?, last: Day?) {
        if let month { return (month.first, month.last) }
        let first = try from.map { try $0.day(today) }
        let last = try to.map { try $0.day(today) }
        if let from, let to, let first, let last, first > last {
            throw WrongUsage(Self.isEmpty(Self.told(from, first), Self.told(to, last)))
        }
        return (first, last)
    }

    private static func isEmpty(_ from: String, _ to: String) -> String {
        "--from \(from) is after --to \(to), so there is no day to show; exchange the two"
    }

    private static func told(_ reference: DayReference, _ day: Day) -> String {
        reference.date == nil ? "\(reference) (\(day))" : "\(day)"
    }
}

/// `--month`, or `--from` and `--to`, of commands that list by month.
struct MonthSpan: ParsableArguments {
    @Option(help: ArgumentHelp("Only this month, YYYY-MM.", valueName: "month"), transform: Arguments.month)
    var month: Month?

    @Option(help: ArgumentHelp("From this month on, YYYY-MM.", valueName: "month"), transform: Arguments.month)
    var from: Month?

    @Option(help: ArgumentHelp("Through this month, YYYY-MM.", valueName: "month"), transform: Arguments.month)
    var to: Month?

    var first: Month? { month ?? from }
    var last: Month? { month ?? to }

    func validate() throws {
        guard month == nil || (from == nil && to == nil) else {
            throw ValidationError("--month is a span of its own; leave out --from and --to, or --month")
        }
        if let from, let to, from > to {
            throw ValidationError("--from \(from) is after --to \(to), so there is no month to show; exchange the two")
        }
    }
}
