// The currencies that a price book may name, with the decimals of their minor units.

/// An ISO 4217 currency.
package struct Currency: Hashable, Sendable {
    /// Three capital letters: `USD`.
    package let code: String
    /// How many micro-units one minor unit has: 10,000 for the cent of USD, 1,000,000 for JPY.
    package let minorUnitMicros: Int64

    /// Returns nil for a code that is no active ISO 4217 currency.
    package init?(code: String) {
        // Swift compares strings canonically: some signs outside ASCII equal a letter.
        guard code.utf8.count == 3, let decimals = Self.decimals[code] else { return nil }
        self.code = code
        minorUnitMicros = [1_000_000, 100_000, 10_000, 1_000, 100][decimals]
    }

    /// ISO 4217 codes by the number of their decimals.
    private static let decimals: [String: Int] = {
        let groups: [(Int, String)] = [
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
            (
                2,
                """
                AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
                CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
                HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP \
                MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
                SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS \
                VES WST XCD YER ZAR ZMW ZWG
                """
            ),
        ]
        var decimals: [String: Int] = [:]
        for (count, codes) in groups {
            for code in codes.split(whereSeparator: { $0 == " " || $0 == "\n" }) { decimals[String(code)] = count }
        }
        return decimals
    }()
}
