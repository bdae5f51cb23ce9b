// Amounts in whole micro-units of the ledger's currency, and the exact sums that they are rounded from.

/// An amount in micro-units (10⁻⁶) of the ledger's currency (Billing rules, section 7).
package struct Money: Hashable, Comparable, Codable, Sendable {
    package let micros: Int64

    package init(micros: Int64) { self.micros = micros }

    package static let zero = Money(micros: 0)

    package static func < (left: Money, right: Money) -> Bool { left.micros < right.micros }

    /// - Throws: ``Overflow``.
    package static func + (left: Money, right: Money) throws(Overflow) -> Money {
        let (sum, overflow) = left.micros.addingReportingOverflow(right.micros)
        guard !overflow else { throw Overflow("the amount \(left) + \(right)") }
        return Money(micros: sum)
    }

    /// - Throws: ``Overflow``.
    package static func - (left: Money, right: Money) throws(Overflow) -> Money {
        let (difference, overflow) = left.micros.subtractingReportingOverflow(right.micros)
        guard !overflow else { throw Overflow("the amount \(left) - \(right)") }
        return Money(micros: difference)
    }

    /// - Throws: ``Overflow``.
    package static func += (left: inout Money, right: Money) throws(Overflow) { left = try left + right }
}

extension Money: CustomStringConvertible {
    /// The amount as a decimal number of currency units, at least two decimals, no more than it needs: `45.00`,
    /// `5.05164`, `-0.000015`.
    package var description: String {
        let magnitude = micros.magnitude
        var fraction = String(magnitude % 1_000_000 + 1_000_000).dropFirst()
        while fraction.count > 2, fraction.last == "0" { fraction.removeLast() }
        return "\(micros < 0 ? "-" : "")\(magnitude / 1_000_000).\(fraction)"
    }

    /// The amount as somebody would type it, without a zero at the end: `45`, `100.5`.
    package var shortest: String { Decimal12(units: Int128(micros) * 1_000_000).description }

    /// Reads a decimal number of currency units with at most six decimals: `55440`, `-12.50`.
    ///
    /// Returns nil for anything else, a number out of range included.
    package init?(decimal text: String) {
        guard let decimal = Decimal12(text), decimal.units % 1_000_000 == 0 else { return nil }
        guard let micros = Int64(exactly: decimal.units / 1_000_000) else { return nil }
        self.init(micros: micros)
    }

    /// Whether a text is a decimal number with at most six decimals that no amount can hold.
    package static func isBeyondBounds(decimal text: String) -> Bool {
        guard let decimal = Decimal12(text), decimal.units % 1_000_000 == 0 else { return false }
        return Int64(exactly: decimal.units / 1_000_000) == nil
    }
}

/// A decimal number with at most twelve decimals, exact: `units` × 10⁻¹².
package struct Decimal12: Hashable, Sendable {
    package let units: Int128

    package init(units: Int128) { self.units = units }

    /// Reads digits with an optional sign and an optional point followed by 1 to 12 digits; at most 18 digits stand
    /// before the point. Returns nil for anything else.
    package init?(_ text: String) {
        var digits = Substring(text)
        let negative = digits.first == "-"
        if negative { digits.removeFirst() }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...18).contains(whole.utf8.count) else { return nil }
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard (1...12).contains(fraction.utf8.count) else { return nil }
        var units: Int128 = 0
        for byte in (whole + fraction).utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            units = units * 10 + Int128(byte - UInt8(ascii: "0"))
        }
        for _ in fraction.utf8.count..<12 { units *= 10 }
        self.units = negative ? -units : units
    }
}

extension Decimal12: CustomStringConvertible {
    /// The shortest decimal text: `0.15`, `3`, `0.000000000001`.
    package var description: String {
        let one: UInt128 = 1_000_000_000_000
        let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: one)
        var fraction = String(rest + one).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(units < 0 ? "-" : "")\(whole)\(fraction.isEmpty ? "" : ".")\(fraction)"
    }
}

/// A sum of prices before rounding, exact: units of 10⁻²¹ of the currency (prices have twelve decimals and stand for
/// at most 10⁹ units).
package struct ExactAmount: Hashable, Sendable {
    package let units: Int128

    package init(units: Int128) { self.units = units }

    package static let zero = ExactAmount(units: 0)
    private static let unitsPerMicro: Int128 = 1_000_000_000_000_000

    /// - Throws: ``Overflow``.
    package static func + (left: ExactAmount, right: ExactAmount) throws(Overflow) -> ExactAmount {
        let (sum, overflow) = left.units.addingReportingOverflow(right.units)
        guard !overflow else { throw Overflow("a month's amount") }
        return ExactAmount(units: sum)
    }

    /// The amount in whole micro-units, a half to the even one (Billing rules, section 7).
    ///
    /// - Throws: ``Overflow``.
    package func rounded() throws(Overflow) -> Money {
        var (quotient, remainder) = units.quotientAndRemainder(dividingBy: Self.unitsPerMicro)
        if remainder < 0 {
            quotient -= 1
            remainder += Self.unitsPerMicro
        }
        let half = Self.unitsPerMicro / 2
        if remainder > half || (remainder == half && quotient % 2 != 0) { quotient += 1 }
        guard let micros = Int64(exactly: quotient) else { throw Overflow("a month's amount") }
        return Money(micros: micros)
    }
}
