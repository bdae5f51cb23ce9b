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
    /// The text that was probably meant by one that does not fit; nil where nobody can tell.
    var meant: @Sendable (String) -> String? = { _ in nil }
    /// As it stands in the file.
    let written: @Sendable (Value) -> String

    func read(_ text: String) throws(Misfit) -> Value {
        if let control = ShownText.firstUnfit(in: text) {
            throw Misfit("\(shown(text)) has the control character \(ShownText.name(control)); write \(hint)")
        }
        guard let value = try parse(text) else {
            guard let meant = meant(text), meant != text, try parse(meant) != nil else {
                throw Misfit("\(shown(text)) does not fit here; write \(hint)")
            }
            throw Misfit("\(shown(text)) does not fit here; did you mean \(meant)? Write \(hint)")
        }
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
        hint: "true or false", parse: { text in [true, false].first { "\($0)" == text } },
        meant: { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": "true"
            case "false", "no", "off", "0": "false"
            default: nil
            }
        },
        written: { "\($0)" })
}

extension Form<TimeOfDay?> {
    /// In quotes, for other readers of YAML take 00:10 for a number.
    static let timeOrOff = Form(
        hint: "HH:MM, from 00:00 to 23:59, or off",
        parse: { text in text == "off" ? .some(nil) : TimeOfDay(text).map(Optional.some) },
        meant: { text in
            if TimeOfDay("0\(text)") != nil { return "0\(text)" }
            return ["never", "no", "none", "false"].contains(text.lowercased()) ? "off" : text.lowercased()
        },
        written: { time in time.map { "\"\($0)\"" } ?? "off" })
}

extension Form<LogLevel> {
    static let level = Form(
        hint: joined(LogLevel.allCases.map(\.rawValue)),
        parse: { (text) throws(Misfit) in
            if let level = LogLevel(rawValue: text) { return level }
            let levels = LogLevel.allCases.map(\.rawValue)
            guard let nearest = nearest(to: text, of: levels) else { return nil }
            throw Misfit("\(shown(text)) is not a log level; did you mean \(nearest)? The levels are \(joined(levels))")
        },
        written: \.rawValue)
}

extension Form<Int> {
    /// - Parameter unit: what is counted, in the plural, where people may write it behind the number.
    static func count(_ range: ClosedRange<Int>, unit: String? = nil) -> Form {
        Form(
            hint: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in wholeNumber(text).map { Int($0) }.flatMap { range.contains($0) ? $0 : nil } },
            meant: { NumberText.meant(by: $0, unit: unit) },
            written: { "\($0)" })
    }

    private static let units = [(name: "GiB", shift: 30), (name: "MiB", shift: 20), (name: "KiB", shift: 10)]

    /// Whole bytes, or a whole number with a unit.
    static func size(_ range: ClosedRange<Int>) -> Form {
        Form(
            hint: "a size from \(text(ofSize: range.lowerBound)) to \(text(ofSize: range.upperBound)): bytes, like "
                + "65536, or whole KiB, MiB or GiB, like 64KiB or 64 KiB",
            parse: { text in bytes(text).flatMap { range.contains($0) ? $0 : nil } },
            meant: { text in
                // 16M, 16MB and 16mb are all written for 16MiB.
                let number = text.prefix { !$0.isLetter }
                let unit = units.first {
                    $0.name.first?.lowercased() == text.dropFirst(number.count).first?.lowercased()
                }
                return NumberText.meant(by: String(number)).map { $0 + (unit?.name ?? "") }
            },
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
