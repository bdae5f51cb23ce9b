// The one error of arithmetic: a result that its type cannot hold. Nothing in meterd wraps around.

/// Thrown when a sum, product or conversion leaves the range of its type (Billing rules, section 7).
package struct Overflow: Error, Equatable, CustomStringConvertible {
    /// What was being computed, for the reader of the message.
    package let computation: String

    package init(_ computation: String) { self.computation = computation }

    package var description: String { "\(computation) is beyond the range of a 64-bit number" }
}
