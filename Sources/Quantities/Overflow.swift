// The one error of arithmetic: a result that its type cannot hold. Nothing in meterd wraps around.

/// Thrown when a sum, product or conversion leaves the range of its type, or what is left of it (Billing rules, section 7).
package struct Overflow: Error, Equatable, CustomStringConvertible {
    /// What was being computed, for the reader of the message.
    package let computation: String

    private let bound: String

    package init(_ computation: String, beyond bound: String = "the range of a 64-bit number") {
        self.computation = computation
        self.bound = bound
    }

    package var description: String { "\(computation) is beyond \(bound)" }
}
