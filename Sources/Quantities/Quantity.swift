// How much was used, in units of a billable item: whole, checked.

/// A whole number of an item's units (devices, calls, messages). Negative only in a difference between two ratings.
package struct Quantity: Hashable, Comparable, Codable, Sendable {
    package let units: Int64

    package init(_ units: Int64) { self.units = units }

    package static let zero = Quantity(0)

    package static func < (left: Quantity, right: Quantity) -> Bool { left.units < right.units }

    /// - Throws: ``Overflow``.
    package static func + (left: Quantity, right: Quantity) throws(Overflow) -> Quantity {
        let (sum, overflow) = left.units.addingReportingOverflow(right.units)
        guard !overflow else { throw Overflow("the quantity \(left.units) + \(right.units)") }
        return Quantity(sum)
    }

    /// - Throws: ``Overflow``.
    package static func - (left: Quantity, right: Quantity) throws(Overflow) -> Quantity {
        let (difference, overflow) = left.units.subtractingReportingOverflow(right.units)
        guard !overflow else { throw Overflow("the quantity \(left.units) - \(right.units)") }
        return Quantity(difference)
    }

    /// - Throws: ``Overflow``.
    package static func += (left: inout Quantity, right: Quantity) throws(Overflow) { left = try left + right }

    /// - Throws: ``Overflow``.
    package static func -= (left: inout Quantity, right: Quantity) throws(Overflow) { left = try left - right }
}
