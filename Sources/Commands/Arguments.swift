// Reading the words of a command line. The argument parser names the option and what was given; the message here says
// what to write instead.

import ArgumentParser
import EventCodec
import Quantities

enum Arguments {
    // MARK: Times and days

    static func instant(_ text: String) throws -> Instant {
        guard let micros = RFC3339.parse(text) else {
            if RFC3339.namesNoSuchDay(text) { throw ValidationError("there is no such day in the calendar") }
            throw ValidationError(advice(onInstant: text))
        }
        return Instant(micros: micros)
    }

    private static func advice(onInstant text: String) -> String {
        if let day = Day(text) {
            return "this is a day; write an instant of it with its offset, like \(day)T12:00:00+08:00"
        }
        if RFC3339.parse(text + "Z") != nil {
            return "the offset is missing; add it, like \(text)+08:00, or Z for UTC"
        }
        if let number = Int64(text), let seconds = [10: 1, 13: 1_000][text.utf8.count].map({ number / $0 }) {
            return
                "seconds or milliseconds since 1970 are not taken; write RFC 3339: \(Instant(micros: seconds * 1_000_000))"
        }
        return "write RFC 3339 with an offset, like 2027-01-10T12:00:00+08:00"
    }

    static func day(_ text: String) throws -> DayReference {
        guard let day = DayReference(text) else { throw ValidationError(DayReference.advice(on: text)) }
        return day
    }

    static func month(_ text: String) throws -> Month {
        guard let month = Month(text) else { throw ValidationError(Month.advice(on: text)) }
        return month
    }

    // MARK: Codes

    static func code(_ text: String) throws -> Code {
        guard let code = Code(text) else { throw ValidationError(Code.rule) }
        return code
    }

    // MARK: Numbers

    /// Reads whole numbers within bounds.
    ///
    /// - Parameter unit: what they count, in the plural, where people may write it behind the number: `days`.
    static func whole<Number: FixedWidthInteger & Sendable>(
        _ range: ClosedRange<Number>, unit: String? = nil
    ) -> @Sendable (String) throws -> Number {
        { text in
            guard let digits = NumberText.digits(text) else {
                guard let meant = NumberText.meant(by: text, unit: unit) else {
                    throw ValidationError("write a whole number from \(range.lowerBound) to \(range.upperBound)")
                }
                throw ValidationError("write \(NumberText.forms(of: meant))")
            }
            guard let number = Number(digits), range.contains(number) else {
                throw ValidationError("choose \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    /// Reads the number of an event in quarantine.
    static func quarantineNumber(_ text: String) throws -> Int64 {
        let numbers = text.split(separator: ",").map(String.init)
        if numbers.count > 1, numbers.allSatisfy({ NumberText.digits($0) != nil }) {
            throw ValidationError("separate the numbers with spaces: \(numbers.joined(separator: " "))")
        }
        guard let number = NumberText.digits(text).flatMap({ Int64($0) }), number > 0 else {
            throw ValidationError("write a number that 'meterd quarantine list' shows, like 3")
        }
        return number
    }

    /// Reads decimal numbers within bounds.
    ///
    /// - Parameter hint: what may be written, with an example.
    static func decimal(
        _ range: ClosedRange<Double>, _ hint: String
    ) -> @Sendable (String) throws -> Double {
        { text in
            guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }),
                let number = Double(text),
                range.contains(number)
            else {
                let meant = NumberText.prices(meantBy: text).filter {
                    Double($0).map(range.contains) == true && $0 != text
                }
                throw ValidationError(meant.isEmpty ? hint : "write \(meant.joined(separator: " or "))")
            }
            return number
        }
    }

    static func price(_ text: String) throws -> Money {
        let text = NumberText.hasSoundUnderscores(text) ? text.replacing("_", with: "") : text
        guard let price = Money(decimal: text) else {
            if Money.isBeyondBounds(decimal: text) {
                throw ValidationError("a price is at most \(Money(micros: .max)) currency units")
            }
            let meant = NumberText.prices(meantBy: text).filter { $0 != text && Money(decimal: $0) != nil }
            throw ValidationError(
                meant.isEmpty
                    ? "write currency units with no more decimals than the currency has, like 55440 or 12.50"
                    : "write \(meant.joined(separator: " or "))")
        }
        guard price >= .zero else { throw ValidationError("a price can't be negative; 0 is the least") }
        return price
    }
}
