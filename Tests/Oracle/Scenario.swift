// The worked cases of the billing rules as histories with their expected ledger, for the oracle and the real engine.

/// One worked case: a history of one legacy tenant `acme` that ends with its last day settled, and what the entries of
/// usage sources then add up to.
package struct Scenario: Sendable, CustomStringConvertible {
    package var name: String
    package var history: History
    /// By item, then by "source" or "source:grant".
    package var quantities: [String: [String: Int64]]
    /// By item.
    package var amountsMicros: [String: Int64]
    package var totalMicros: Int64

    package var description: String { name }

    /// All cases, those about counting first, then grants, then prices.
    package static var all: [Scenario] {
        (counting + grants + prices).map(\.scenario)
    }

    /// The ledger's quantities in the shape of `quantities`.
    package static func quantities(
        of ledger: [BillingOracle.LedgerKey: BillingOracle.Net]
    ) -> [String: [String: Int64]] {
        var quantities: [String: [String: Int64]] = [:]
        for (key, net) in ledger where key.source.isUsage {
            let source = key.source.rawValue + (key.grantCode.map { ":" + $0 } ?? "")
            quantities[key.item ?? "", default: [:]][source, default: 0] += net.quantity
        }
        return quantities
    }

    /// The ledger's amounts in the shape of `amountsMicros`.
    package static func amountsMicros(of ledger: [BillingOracle.LedgerKey: BillingOracle.Net]) -> [String: Int64] {
        var amounts: [String: Int64] = [:]
        for (key, net) in ledger where key.source.isUsage {
            amounts[key.item ?? "", default: 0] += net.amountMicros
        }
        return amounts
    }
}
