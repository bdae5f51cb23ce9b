// Exact money (billing rules, section 7): Int128 in units of 10^-21 of the currency, so that a price of 12 decimals per
// 10^9 units is a whole number; one micro-unit is 10^15 of them.

enum Money {
    private static let unitsPerMicro: Int128 = 1_000_000_000_000_000

    /// The exact price of one unit.
    static func unitPrice(of tier: History.Tier) -> Int128 {
        let parts = tier.price.split(separator: ".")
        let decimals = parts.count > 1 ? String(parts[1]) : ""
        let padded = decimals + String(repeating: "0", count: 12 - decimals.count)
        let trillionths = Int128(String(parts[0]) + padded)!
        return trillionths * 1_000_000_000 / Int128(tier.per)
    }

    /// Rounded half-even to the micro-unit; exact amounts are never negative.
    static func micros(_ exact: Int128) -> Int64 {
        let whole = exact / unitsPerMicro
        let twiceRest = exact % unitsPerMicro * 2
        let up = twiceRest > unitsPerMicro || (twiceRest == unitsPerMicro && whole % 2 == 1)
        return Int64(up ? whole + 1 : whole)
    }
}
