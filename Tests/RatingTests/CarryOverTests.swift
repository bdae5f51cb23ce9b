// Rating that stops and carries on from the ledger's totals is rating in one go.

import Quantities
import Rating
import Seeded
import Testing

@Suite("Carrying on from totals (Billing rules, section 6)")
struct CarryOverTests {
    private static func totals(of lines: [RatedLine]) throws -> [RatedTotal] {
        var sums: [LineKey: Quantity] = [:]
        for line in lines {
            // Total by month: app and day do not tell totals apart.
            let key = LineKey(
                usageDay: line.key.usageDay.month.first, app: nil, item: line.key.item, source: line.key.source,
                grant: line.key.grant, tier: line.key.tier, priceVersion: line.key.priceVersion)
            sums[key, default: .zero] = try sums[key, default: .zero] + line.quantity
        }
        return sums.map { key, quantity in
            RatedTotal(
                item: key.item, month: key.usageDay.month, source: key.source, grant: key.grant, tier: key.tier,
                priceVersion: key.priceVersion, quantity: quantity)
        }
    }

    private static func randomHistory(_ chance: inout SeededGenerator) -> PriceBookHistory {
        func pricing() -> Pricing {
            let first = Int64.random(in: 1...40, using: &chance)
            let second = first + Int64.random(in: 1...40, using: &chance)
            let cheap = "0.000000\(Int.random(in: 100_000...999_999, using: &chance))"
            return tiers([
                (first, Bool.random(using: &chance) ? "0" : "0.0000025"), (second, cheap), (nil, "0.0000007"),
            ])
        }
        return history(
            book(["calls": pricing(), "messages": pricing()]),
            book(["calls": pricing(), "messages": pricing()], from: "2027-01-20"))
    }

    private static func randomGrants(_ chance: inout SeededGenerator) -> [Grant] {
        (0..<Int.random(in: 0...4, using: &chance)).map { index in
            let start = day("2027-01-01") + Int.random(in: 0...30, using: &chance)
            let end = start + Int.random(in: 5...40, using: &chance)
            let item = Bool.random(using: &chance) ? "calls" : "messages"
            let from = "\(start + Int.random(in: 0...3, using: &chance))"
            let quota = Int64.random(in: 1...50, using: &chance)
            return Bool.random(using: &chance)
                ? .package("g\(index)", quota, from: "\(start)", to: "\(end)", takesPartFrom: from, of: item)
                : .resource("g\(index)", quota, from: "\(start)", to: "\(end)", takesPartFrom: from, of: item)
        }
    }

    @Test("Day by day, each from the totals before it, gives the lines of one go", arguments: UInt64(0)..<100)
    func dayByDay(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let history = Self.randomHistory(&chance)
        let grants = Self.randomGrants(&chance)
        var whole = try TenantRater(history: history, grants: grants, totals: [], finality: Rater.finality)
        var rated: [RatedLine] = []
        for number in 0..<70 {
            let posted = day("2027-01-01") + number
            let quantities = (0..<Int.random(in: 0...4, using: &chance)).map { index in
                UsageQuantity(
                    app: named("app\(index)"), item: named(Bool.random(using: &chance) ? "calls" : "messages"),
                    usageDay: posted
                        - (Int.random(in: 0...2, using: &chance) == 0 ? Int.random(in: 1...20, using: &chance) : 0),
                    quantity: Quantity(Int64.random(in: 0...20, using: &chance)))
            }
            var resumed = try TenantRater(
                history: history, grants: grants, totals: Self.totals(of: rated), finality: Rater.finality)
            let lines = try whole.rate(postingDay: posted, quantities: quantities)
            let reordered = try resumed.rate(postingDay: posted, quantities: quantities.shuffled(using: &chance))
            #expect(reordered == lines, "seed \(seed), \(posted)")
            // For any item and app the usage sources add up to the usage.
            let used = quantities.map(\.quantity.units).reduce(0, +)
            #expect(lines.filter { $0.key.source.isUsage }.map(\.quantity.units).reduce(0, +) == used)
            rated += lines
        }
    }
}
