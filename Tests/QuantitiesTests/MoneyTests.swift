// Amounts: read, written, rounded, and refused where they leave 64 bits.

import Quantities
import Testing

@Suite("Amounts (Billing rules, section 7)")
struct MoneyTests {
    @Test(
        "are read and written exactly",
        arguments: [
            ("0", 0, "0.00"), ("-0", 0, "0.00"), ("55440", 55_440_000_000, "55440.00"),
            ("-12.50", -12_500_000, "-12.50"), ("0.000001", 1, "0.000001"), ("-0.000015", -15, "-0.000015"),
            ("5.05164", 5_051_640, "5.05164"), ("45", 45_000_000, "45.00"), ("0.1", 100_000, "0.10"),
            ("007.7", 7_700_000, "7.70"), ("9223372036854.775807", Int64.max, "9223372036854.775807"),
            ("-9223372036854.775808", Int64.min, "-9223372036854.775808"), ("1.0000000", 1_000_000, "1.00"),
        ])
    func readAndWritten(text: String, micros: Int64, written: String) {
        #expect(Money(decimal: text) == Money(micros: micros))
        #expect(Money(micros: micros).description == written)
        #expect(Money(decimal: written) == Money(micros: micros))
    }

    @Test("Texts that are no amount are none")
    func badAmounts() {
        for text in [
            "", "-", "+5", ".5", "5.", "1,5", "1e3", "0x10", " 1", "1 ", "--1", "1.2.3", "0.0000001", "1_000", "٣",
            "9223372036854.775808", "-9223372036854.775809", "1234567890123456789", "$5", "NaN", "1.-5",
        ] {
            #expect(Money(decimal: text) == nil, "\(text)")
        }
    }

    @Test("A decimal has up to 18 digits before the point and 12 behind it")
    func decimals() {
        #expect(Decimal12("0.000000000001")?.units == 1)
        #expect(Decimal12("-0.000000000001")?.units == -1)
        #expect(Decimal12("0.0000000000001") == nil)
        #expect(Decimal12("999999999999999999.999999999999")?.units == 999_999_999_999_999_999_999_999_999_999)
        #expect(Decimal12("1000000000000000000") == nil)
        #expect(Decimal12("0.150")?.units == Decimal12("0.15")?.units)
    }

    @Test(
        "are rounded to the micro-unit, a half to the even one",
        arguments: [
            // in tenths of a micro-unit
            (0, 0), (4, 0), (5, 0), (6, 1), (14, 1), (15, 2), (16, 2), (24, 2), (25, 2), (26, 3), (35, 4), (45, 4),
            (-4, 0), (-5, 0), (-6, -1), (-14, -1), (-15, -2), (-16, -2), (-25, -2), (-26, -3), (-35, -4), (-45, -4),
        ] as [(Int, Int64)])
    func halfEven(tenths: Int, micros: Int64) throws {
        let unit: Int128 = 100_000_000_000_000
        #expect(try ExactAmount(units: Int128(tenths) * unit).rounded() == Money(micros: micros))
        // The smallest step off the half decides.
        if tenths % 10 == 5 || tenths % 10 == -5 {
            let lower = Int64(tenths > 0 ? tenths / 10 : tenths / 10 - 1)
            #expect(try ExactAmount(units: Int128(tenths) * unit - 1).rounded() == Money(micros: lower))
            #expect(try ExactAmount(units: Int128(tenths) * unit + 1).rounded() == Money(micros: lower + 1))
        }
    }

    @Test("Sums and differences beyond 64 bits are an error, never a wrap")
    func overflow() throws {
        let (largest, smallest, one) = (Money(micros: .max), Money(micros: .min), Money(micros: 1))
        #expect(throws: Overflow.self) { try largest + one }
        #expect(throws: Overflow.self) { try smallest - one }
        #expect(throws: Overflow.self) { try Money.zero - smallest }
        #expect(throws: Overflow.self) { try Quantity(.max) + Quantity(1) }
        #expect(throws: Overflow.self) { try Quantity(.min) - Quantity(1) }
        #expect(throws: Overflow.self) { try ExactAmount(units: .max) + ExactAmount(units: 1) }
        #expect(throws: Overflow.self) { try ExactAmount(units: .max).rounded() }
        let micro: Int128 = 1_000_000_000_000_000
        #expect(try ExactAmount(units: Int128(Int64.max) * micro).rounded() == largest)
        #expect(try ExactAmount(units: Int128(Int64.min) * micro).rounded() == smallest)
        // Half above the largest amount rounds to an even one that is out of range; half below the smallest does not.
        #expect(throws: Overflow.self) { try ExactAmount(units: Int128(Int64.max) * micro + micro / 2).rounded() }
        #expect(try ExactAmount(units: Int128(Int64.min) * micro - micro / 2).rounded() == smallest)
        #expect(try largest - largest == .zero)
        do {
            _ = try largest + one
        } catch {
            #expect("\(error)" == "the amount 9223372036854.775807 + 0.000001 is beyond the range of a 64-bit number")
        }
    }

}

@Suite("Codes")
struct CodeTests {
    @Test("are 1 to 64 characters of a small alphabet, ordered by their bytes")
    func codes() {
        for text in ["a", "A", "9", "shop", "a.b_c:d@e/f-g", String(repeating: "x", count: 64)] {
            #expect(Code(text)?.text == text)
        }
        for text in [
            "", "-a", ".a", "_a", "a b", "é", "a\n", "a\u{301}", "\u{212A}", String(repeating: "x", count: 65), "a,b",
        ] {
            #expect(Code(text) == nil, "\(text)")
        }
        let sorted = ["b", "A", "a", "Z", "0", "a.b", "a-b", "ab", "a_b"].compactMap { Code($0) }.sorted().map(\.text)
        #expect(sorted == ["0", "A", "Z", "a", "a-b", "a.b", "a_b", "ab", "b"])
    }
}
