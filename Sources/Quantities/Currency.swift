// Currencies with the decimals of their minor units, and what can be paid in them.

/// An ISO 4217 currency.
package struct Currency: Hashable, Sendable {
    /// Three capital letters: `USD`.
    package let code: String
    /// How many decimals an amount in minor units has: 2 for the cent of USD, 0 for JPY.
    package let decimals: Int

    /// How many micro-units one minor unit has: 10,000 for the cent of USD, 1,000,000 for JPY.
    package let minorUnitMicros: Int64

    /// Returns nil for a code that is no active ISO 4217 currency.
    package init?(code: String) {
        // Swift compares strings canonically: some signs outside ASCII equal a letter.
        guard code.utf8.count == 3, let decimals = CurrencyCodes.active[code] else { return nil }
        self.init(code, decimals: decimals)
    }

    /// The currency of a ledger as it was made: it stays what it is when its code is withdrawn later.
    ///
    /// Returns nil for a code that has never been one.
    package init?(recordedCode code: String) {
        guard code.utf8.count == 3 else { return nil }
        guard let decimals = CurrencyCodes.active[code] ?? CurrencyCodes.withdrawn[code]?.decimals else { return nil }
        self.init(code, decimals: decimals)
    }

    private init(_ code: String, decimals: Int) {
        self.code = code
        self.decimals = decimals
        minorUnitMicros = [1_000_000, 100_000, 10_000, 1_000, 100][decimals]
    }

    /// The code that took the place of a withdrawn one; nil for any other.
    package static func successor(ofWithdrawn code: String) -> String? {
        code.utf8.count == 3 ? CurrencyCodes.withdrawn[code]?.successor : nil
    }
}

// MARK: What people pay

extension Currency {
    /// Whether the amount is in whole minor units, as all that people pay is (Billing rules, section 5).
    package func canPay(_ amount: Money) -> Bool { amount.micros % minorUnitMicros == 0 }

    /// The rule for amounts that people pay, in words.
    package var minorUnitRule: String {
        switch decimals {
        case 0: "amounts in \(code) have no decimals"
        default: "amounts in \(code) have at most \(decimals) decimals"
        }
    }

    /// The nearest amounts that can be paid, in words.
    ///
    /// - Parameter amount: not negative, and too fine to be paid.
    package func nearestPayable(to amount: Money) -> String {
        let below = amount.micros / minorUnitMicros * minorUnitMicros
        let (above, isBeyond) = below.addingReportingOverflow(minorUnitMicros)
        return isBeyond
            ? "the nearest is \(text(ofMicros: below))"
            : "the nearest are \(text(ofMicros: below)) and \(text(ofMicros: above))"
    }

    /// An amount in whole minor units, with the currency's decimals.
    private func text(ofMicros micros: Int64) -> String {
        let whole = String(micros / 1_000_000)
        guard decimals > 0 else { return whole }
        return whole + "." + String(micros % 1_000_000 + 1_000_000).dropFirst().prefix(decimals)
    }
}
