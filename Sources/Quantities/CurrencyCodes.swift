// The codes of ISO 4217 as of 2026 (amendments through number 180), and the codes that were withdrawn.

enum CurrencyCodes {
    /// The currencies and funds of the standard's first list that have a minor unit, by the number of their decimals.
    /// Metals, drawing rights and codes for tests have none.
    static let active: [String: Int] = {
        let groups: [(Int, String)] = [
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
            (
                2,
                """
                AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE \
                CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
                HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK \
                MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD \
                RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
                USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
                """
            ),
        ]
        var decimals: [String: Int] = [:]
        for (count, codes) in groups {
            for code in codes.split(separator: " ") { decimals[String(code)] = count }
        }
        return decimals
    }()

    /// The decimals that a withdrawn code had, and the code that took its place.
    struct Withdrawn: Sendable {
        let decimals: Int
        let successor: String
    }

    /// Codes withdrawn since the euro came, all but the accounting units of banks. A code that is withdrawn moves here
    /// from ``active``, so that ledgers made with it can still be read.
    static let withdrawn: [String: Withdrawn] = {
        let groups: [(successor: String, decimals: Int, codes: String)] = [
            ("EUR", 2, "ATS BGN CYP DEM EEK FIM FRF HRK IEP LTL LVL MTL NLG SIT SKK"),
            ("EUR", 0, "BEF ESP GRD ITL LUF PTE"),
            ("AFN", 2, "AFA"), ("AOA", 2, "AOR"), ("AZN", 2, "AYM AZM"), ("EUR", 2, "BGL"), ("BYN", 0, "BYB BYR"),
            ("CDF", 2, "ZRN"), ("CUP", 2, "CUC"), ("GHS", 2, "GHC GHP"), ("MGA", 0, "MGF"),
            ("MRU", 2, "MRO"), ("MZN", 2, "MZE MZM"), ("RON", 2, "ROL"), ("RSD", 2, "CSD"), ("RUB", 2, "RUR"),
            ("SDG", 2, "SDD"), ("SLE", 2, "SLL"), ("SRD", 2, "SRG"), ("STN", 2, "STD"), ("TJS", 0, "TJR"),
            ("TMT", 2, "TMM"), ("TRY", 0, "TRL"), ("USD", 0, "ECS TPE"), ("USN", 2, "USS"), ("VES", 2, "VEB VEF"),
            ("XCG", 2, "ANG"), ("ZMW", 2, "ZMK"), ("ZWG", 2, "ZWC ZWD ZWL ZWN ZWR"),
        ]
        var withdrawn: [String: Withdrawn] = [:]
        for group in groups {
            for code in group.codes.split(separator: " ") {
                withdrawn[String(code)] = Withdrawn(decimals: group.decimals, successor: group.successor)
            }
        }
        return withdrawn
    }()
}
