// The kinds of values that settings have: how each is read, and how it is written in the file.

import MarkedYAML
import Quantities

/// Why a text is no value of a setting, and what would do.
struct Misfit: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

struct Form<Value: Sendable>: Sendable {
    /// What would do, for messages and for the example: "true or false".
    let hint: String
    /// Nil, or with more to say a ``Misfit``, for what does not fit.
    let parse: @Sendable (String) throws(Misfit) -> Value?
    /// As it stands in the file.
    let written: @Sendable (Value) -> String

    func read(_ text: String) throws(Misfit) -> Value {
        if let control = ShownText.firstUnfit(in: text) {
            throw Misfit("\(shown(text)) has the control character \(ShownText.name(control)); write \(hint)")
        }
        guard let value = try parse(text) else { throw Misfit("\(shown(text)) does not fit here; write \(hint)") }
        return value
    }
}

extension Form<String> {
    static let path = Form(
        hint: "a path, like /var/lib/meterd/meterd.db", parse: { $0.allSatisfy(\.isWhitespace) ? nil : $0 },
        written: { $0 })
}

extension Form<ListenAddress> {
    static let address = Form(
        hint: ListenAddress.hint, parse: { (text) throws(Misfit) in try ListenAddress(text) },
        written: { $0.description })
}

extension Form<Bool> {
    static let flag = Form(
        hint: "true or false", parse: { text in [true, false].first { "\($0)" == text } }, written: { "\($0)" })
}

extension Form<TimeOfDay?> {
    /// In quotes, for other readers of YAML take 00:10 for a number.
    static let timeOrOff = Form(
        hint: "HH:MM, from 00:00 to 23:59, or off",
        parse: { text in text == "off" ? .some(nil) : TimeOfDay(text).map(Optional.some) },
        written: { time in time.map { "\"\($0)\"" } ?? "off" })
}

extension Form<LogLevel> {
    static let level = Form(
        hint: joined(LogLevel.allCases.map(\.rawValue)),
        parse: { (text) throws(Misfit) in
            if let level = LogLevel(rawValue: text) { return level }
            let levels = LogLevel.allCases.map(\.rawValue)
            guard let nearest = nearest(to: text.lowercased(), of: levels) else { return nil }
            throw Misfit("\(shown(text)) is no log level; did you mean \(nearest)? The levels are \(joined(levels))")
        },
        written: \.rawValue)
}

extension Form<Int> {
    static func count(_ range: ClosedRange<Int>) -> Form {
        Form(
            hint: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in wholeNumber(text).map { Int($0) }.flatMap { range.contains($0) ? $0 : nil } },
            written: { "\($0)" })
    }

    private static let units = [(name: "GiB", shift: 30), (name: "MiB", shift: 20), (name: "KiB", shift: 10)]

    /// Whole bytes, or a whole number with a unit.
    static func size(_ range: ClosedRange<Int>) -> Form {
        Form(
            hint: "a size from \(text(ofSize: range.lowerBound)) to \(text(ofSize: range.upperBound)): bytes, like "
                + "65536, or whole KiB, MiB or GiB, like 64KiB or 64 KiB",
            parse: { text in bytes(text).flatMap { range.contains($0) ? $0 : nil } },
            written: text(ofSize:))
    }

    private static func bytes(_ text: String) -> Int? {
        let unit = units.first { text.utf8.reversed().starts(with: $0.name.utf8.reversed()) }
        guard let unit else { return wholeNumber(text).map { Int($0) } }
        let digits = text.dropLast(unit.name.count)
        guard let number = wholeNumber(String(digits.last == " " ? digits.dropLast() : digits)) else { return nil }
        let (size, isTooLarge) = Int(number).multipliedReportingOverflow(by: 1 << unit.shift)
        return isTooLarge ? nil : size
    }

    /// `16MiB`: in the largest unit that leaves nothing over.
    private static func text(ofSize bytes: Int) -> String {
        let unit = units.first { bytes > 0 && bytes % (1 << $0.shift) == 0 }
        return unit.map { "\(bytes >> $0.shift)\($0.name)" } ?? "\(bytes)"
    }
}
