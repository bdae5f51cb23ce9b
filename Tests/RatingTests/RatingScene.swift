// Price books, grants and usage as the tests write them, and rated lines as they read: texts in, texts out.

import Quantities
import Rating

func named(_ text: String) -> Code {
    guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
    return code
}

func day(_ text: String) -> Day {
    guard let day = Day(text) else { preconditionFailure("'\(text)' is no day") }
    return day
}

func price(_ text: String, per: Int64 = 1) -> UnitPrice {
    guard let decimal = Decimal12(text), let price = UnitPrice(price: decimal, per: per) else {
        preconditionFailure("'\(text)' is no price")
    }
    return price
}

/// Tiers as `(up to, price)`, the last without a bound.
func tiers(_ tiers: [(Int64?, String)], per: Int64 = 1) -> Pricing {
    .tiers(tiers.map { Tier(upTo: $0.0.map { Quantity($0) }, price: price($0.1, per: per)) })
}

/// A price book of sum items.
func book(_ items: [String: Pricing], from effective: String = "2026-01-01") -> PriceBook {
    guard let currency = Currency(code: "USD") else { preconditionFailure("USD is a currency") }
    var all: [Code: Item] = [:]
    for (name, pricing) in items {
        all[named(name)] = Item(code: named(name), name: name, unit: "unit", aggregation: .sum, pricing: pricing)
    }
    return PriceBook(
        name: "test", effective: day(effective), currency: currency, items: all, features: [:],
        miniProgramPackage: nil, resourcePackage: nil, subscription: nil)
}

func history(_ books: PriceBook...) -> PriceBookHistory {
    PriceBookHistory(versions: books.enumerated().map { PriceBookVersion(number: $0.offset + 1, book: $0.element) })
}

/// Usage may be five days old when it arrives, so the last of a grant's life is posted two days after its end.
let finality = FinalityRule(finalAfterDays: 3, maxAgeDays: 5)

extension Grant {
    /// A package with a monthly quota of `calls`.
    static func package(
        _ name: String, _ monthly: Int64, from start: String = "2027-01-01", to end: String = "2028-01-01",
        bought: Int64 = 0, takesPartFrom: String = "2027-01-01", of item: String = "calls"
    ) -> Grant {
        Grant(
            code: named(name), coverage: .package(monthly: [named(item): Quantity(monthly)]),
            life: GrantLife(effective: day(start), end: day(end)), purchasedAt: Instant(micros: bought),
            firstPostingDay: day(takesPartFrom), finality: finality)
    }

    /// A resource package of `calls`.
    static func resource(
        _ name: String, _ total: Int64, from start: String = "2027-01-01", to end: String = "2028-01-01",
        bought: Int64 = 0, takesPartFrom: String = "2027-01-01", of item: String = "calls"
    ) -> Grant {
        Grant(
            code: named(name), coverage: .resourcePackage(item: named(item), total: Quantity(total)),
            life: GrantLife(effective: day(start), end: day(end)), purchasedAt: Instant(micros: bought),
            firstPostingDay: day(takesPartFrom), finality: finality)
    }
}

/// Usage of the app `shop`.
struct Usage {
    var posted: String
    var used: String
    var quantity: Int64
    var app = "shop"
    var item = "calls"

    /// Usage on its own day.
    static func on(_ day: String, _ quantity: Int64, app: String = "shop", item: String = "calls") -> Usage {
        Usage(posted: day, used: day, quantity: quantity, app: app, item: item)
    }

    /// Usage of a day that was final already.
    static func late(_ used: String, posted: String, _ quantity: Int64, app: String = "shop") -> Usage {
        Usage(posted: posted, used: used, quantity: quantity, app: app)
    }
}

enum Rater {
    /// As a ledger has it if nobody says otherwise.
    static let finality = FinalityRule(finalAfterDays: 3, maxAgeDays: 35)

    /// Rates the posting days of usage (and those named beside them) in order, and writes each line as
    /// `posted usage app item source grant tier version: quantity = amount`, without what is usual: the day of usage if
    /// it is the posted one, the app `shop`, the item `calls`, version 1.
    static func lines(
        _ history: PriceBookHistory, _ grants: [Grant] = [], _ usage: [Usage], also days: [String] = [],
        totals: [RatedTotal] = [], finality: FinalityRule = finality
    ) throws -> [String] {
        var rater = try TenantRater(history: history, grants: grants, totals: totals, finality: finality)
        var lines: [String] = []
        for posted in Set(usage.map(\.posted) + days).sorted() {
            let quantities = usage.filter { $0.posted == posted }.map {
                UsageQuantity(
                    app: named($0.app), item: named($0.item), usageDay: day($0.used), quantity: Quantity($0.quantity))
            }
            lines += try rater.rate(postingDay: day(posted), quantities: quantities).map { text($0, posted: posted) }
        }
        return lines
    }

    private static func text(_ line: RatedLine, posted: String) -> String {
        let key = line.key
        var words = [posted]
        if key.usageDay != day(posted) { words.append("of \(key.usageDay)") }
        if let app = key.app?.text, app != "shop" { words.append(app) }
        if key.item.text != "calls" { words.append(key.item.text) }
        words.append(key.source.rawValue)
        if let grant = key.grant { words.append(grant.text) }
        if let tier = key.tier { words.append("tier \(tier)") }
        if let version = key.priceVersion, version != 1 { words.append("version \(version)") }
        let amount = line.amount == .zero ? "" : " = \(line.amount)"
        return words.joined(separator: " ") + ": \(line.quantity.units)\(amount)"
    }
}
