// The codes of ISO 4217 as of 2026, as a table, and the amounts that can be paid.

import Foundation
import Quantities
import Testing

@Suite("Currencies")
struct CurrencyTests {
    /// The standard's first list with the decimals of each code, but for metals and the like, which have none.
    private static let listOne = """
        AED 2 AFN 2 ALL 2 AMD 2 AOA 2 ARS 2 AUD 2 AWG 2 AZN 2 BAM 2 BBD 2 BDT 2 BHD 3 BIF 0 BMD 2 BND 2 BOB 2 BOV 2
        BRL 2 BSD 2 BTN 2 BWP 2 BYN 2 BZD 2 CAD 2 CDF 2 CHE 2 CHF 2 CHW 2 CLF 4 CLP 0 CNY 2 COP 2 COU 2 CRC 2 CUP 2
        CVE 2 CZK 2 DJF 0 DKK 2 DOP 2 DZD 2 EGP 2 ERN 2 ETB 2 EUR 2 FJD 2 FKP 2 GBP 2 GEL 2 GHS 2 GIP 2 GMD 2 GNF 0
        GTQ 2 GYD 2 HKD 2 HNL 2 HTG 2 HUF 2 IDR 2 ILS 2 INR 2 IQD 3 IRR 2 ISK 0 JMD 2 JOD 3 JPY 0 KES 2 KGS 2 KHR 2
        KMF 0 KPW 2 KRW 0 KWD 3 KYD 2 KZT 2 LAK 2 LBP 2 LKR 2 LRD 2 LSL 2 LYD 3 MAD 2 MDL 2 MGA 2 MKD 2 MMK 2 MNT 2
        MOP 2 MRU 2 MUR 2 MVR 2 MWK 2 MXN 2 MXV 2 MYR 2 MZN 2 NAD 2 NGN 2 NIO 2 NOK 2 NPR 2 NZD 2 OMR 3 PAB 2 PEN 2
        PGK 2 PHP 2 PKR 2 PLN 2 PYG 0 QAR 2 RON 2 RSD 2 RUB 2 RWF 0 SAR 2 SBD 2 SCR 2 SDG 2 SEK 2 SGD 2 SHP 2 SLE 2
        SOS 2 SRD 2 SSP 2 STN 2 SVC 2 SYP 2 SZL 2 THB 2 TJS 2 TMT 2 TND 3 TOP 2 TRY 2 TTD 2 TWD 2 TZS 2 UAH 2 UGX 0
        USD 2 USN 2 UYI 0 UYU 2 UYW 4 UZS 2 VED 2 VES 2 VND 0 VUV 0 WST 2 XAD 2 XAF 0 XCD 2 XCG 2 XOF 0 XPF 0 YER 2
        ZAR 2 ZMW 2 ZWG 2
        """

    private static let decimals: [String: Int] = {
        let words = listOne.split { $0 == " " || $0 == "\n" }
        var decimals: [String: Int] = [:]
        for index in stride(from: 0, to: words.count, by: 2) { decimals[String(words[index])] = Int(words[index + 1]) }
        return decimals
    }()

    @Test("Of all codes of three letters those of the standard's first list are currencies, with their minor units")
    func listOne() {
        #expect(Self.decimals.count == 165)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for first in letters {
            for second in letters {
                for third in letters {
                    let code = "\(first)\(second)\(third)"
                    let expected = Self.decimals[code]
                    let currency = Currency(code: code)
                    #expect(currency?.decimals == expected, "\(code)")
                    #expect(
                        currency.map { NSDecimalNumber(decimal: pow(10, 6 - $0.decimals)).int64Value }
                            == currency?.minorUnitMicros)
                    guard expected != nil else { continue }
                    #expect(Currency.successor(ofWithdrawn: code) == nil, "\(code)")
                    #expect(Currency(recordedCode: code) == currency, "\(code)")
                }
            }
        }
    }

    @Test("What is no code of a currency is none", arguments: ["", "US", "USDX", "usd", "ÅUD", "\u{212A}RW", "U D"])
    func others(code: String) {
        #expect(Currency(code: code) == nil)
        #expect(Currency(recordedCode: code) == nil)
        #expect(Currency.successor(ofWithdrawn: code) == nil)
    }

    @Test("Metals, drawing rights and codes for tests have no minor unit, so nothing can be paid in them")
    func withoutMinorUnit() {
        for code in ["XAG", "XAU", "XPD", "XPT", "XDR", "XSU", "XUA", "XBA", "XBB", "XBC", "XBD", "XTS", "XXX"] {
            #expect(Currency(code: code) == nil, "\(code)")
        }
    }

    @Test(
        "A withdrawn code names its successor, and is still the currency of a ledger that was made with it",
        arguments: [
            ("ANG", "XCG"), ("BGN", "EUR"), ("HRK", "EUR"), ("SLL", "SLE"), ("ZWL", "ZWG"), ("CUC", "CUP"),
            ("LTL", "EUR"), ("LVL", "EUR"), ("EEK", "EUR"), ("BYR", "BYN"), ("MRO", "MRU"), ("STD", "STN"),
            ("VEF", "VES"), ("ZMK", "ZMW"), ("DEM", "EUR"), ("TRL", "TRY"),
        ])
    func withdrawn(code: String, successor: String) {
        #expect(Currency(code: code) == nil)
        #expect(Currency.successor(ofWithdrawn: code) == successor)
        #expect(Currency(code: successor) != nil)
        #expect(Currency(recordedCode: code)?.code == code)
    }

    @Test("An amount can be paid in whole minor units only")
    func payable() throws {
        let table: [(String, Int64, Bool)] = [
            ("USD", 10_000, true), ("USD", 10_555_555, false), ("USD", -10_000, true), ("USD", -1, false),
            ("USD", 0, true), ("JPY", 1_000_000, true), ("JPY", 100_500_000, false), ("KWD", 1_000, true),
            ("KWD", 500, false), ("CLF", 100, true), ("CLF", 10, false),
        ]
        for (code, micros, isPayable) in table {
            #expect(try #require(Currency(code: code)).canPay(Money(micros: micros)) == isPayable, "\(code) \(micros)")
        }
    }
}
