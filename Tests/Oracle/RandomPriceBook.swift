// Random price books: the built-in one with small quotas and with tiers that run out after a few events.

extension SplitMix64 {
    mutating func priceBook(startDay: Int) -> History.PriceBook {
        var tiers: [String: [History.Tier]] = [:]
        for item in some(int(1...4), of: Self.pricedItems) { tiers[item] = self.tiers(forItem: item) }
        if chance(percent: 60) { tiers["synchronized_messages"] = self.tiers(forItem: "synchronized_messages") }
        if chance(percent: 20) { tiers["pushed_messages"] = self.tiers(forItem: "pushed_messages") }
        var book = History.PriceBook.builtIn(effectiveDay: startDay + int(-30...2), tiers: tiers)
        // What no event names only costs time.
        book.items.removeAll { Self.unusedItems.contains($0.code) }
        for code in Self.unusedItems { book.features[code] = nil }
        book.features["api_bundle"] = ["gateway_calls", "synchronized_messages"]
        book.features["mixed"] = ["basic_analysis", "gateway_calls"]
        book.packageQuotas["gateway_calls"] = .fixed(int64(3...60))
        book.packageDevices = 1...100_000
        return book
    }

    /// What a later book changes: the tiers of a few items, sometimes what features feed and packages grant.
    mutating func priceBookChanges() -> History.PriceBookChanges {
        var changes = History.PriceBookChanges()
        for item in some(int(1...3), of: Self.pricedItems + ["synchronized_messages"]) {
            changes.tiers[item] = tiers(forItem: item)
        }
        if chance(percent: 30) {
            let (feature, items) = pick(Self.feeds)
            changes.features[feature] = items
        }
        if chance(percent: 20) { changes.packageQuotas["gateway_calls"] = .fixed(int64(3...60)) }
        if chance(percent: 20) { changes.packageQuotas["basic_analysis"] = pick([.devices, .fixed(2)]) }
        return changes
    }

    private static let feeds: [(feature: String, items: [String])] = [
        ("code_scanner", ["custom_analysis"]), ("code_scanner", ["basic_analysis", "data_sync"]),
        ("api_bundle", ["gateway_calls"]), ("mobile_gateway", ["gateway_calls", "synchronized_messages"]),
        ("mini_program_analysis", ["basic_analysis"]), ("social_sharing", []),
    ]

    private static let unusedItems = [
        "frontend_framework", "device_id", "datacenter", "location", "release_update_api", "package_download_traffic",
        "log_reporting_traffic", "historical_log_storage", "diagnostic_log_pulls",
    ]

    private static let pricedItems = History.PriceBook.deviceItems + ["gateway_calls"]

    /// The dearest keeps three events of 10^12 calls within the bounds of a month of usage, which the oracle doesn't know.
    private static let prices: [(price: String, per: Int64)] = [
        ("0.03", 1), ("0.15", 10_000), ("0.96", 10_000), ("0.000000123457", 1_000), ("0.0025", 10_000),
        ("0.000000500000", 1), ("0.333333333333", 10), ("0.000000000001", 1_000_000_000), ("0.1", 1), ("0", 1),
        ("0.0000005", 10),
    ]

    private mutating func tiers(forItem item: String) -> [History.Tier] {
        let largest: Int64 = History.PriceBook.deviceItems.contains(item) ? 4 : 60
        let first = int64(1...largest)
        let second = first + int64(1...largest)
        func tier(_ upTo: Int64?, _ price: (price: String, per: Int64)) -> History.Tier {
            History.Tier(upTo: upTo, price: price.price, per: price.per)
        }
        switch int(1...6) {
        case 1: return [tier(nil, pick(Self.prices))]
        case 2: return [tier(first, ("0", 1)), tier(nil, pick(Self.prices))]
        case 3: return [tier(first, pick(Self.prices)), tier(nil, pick(Self.prices))]
        case 4: return [tier(first, pick(Self.prices)), tier(second, pick(Self.prices)), tier(nil, pick(Self.prices))]
        default: return [tier(first, ("0", 1)), tier(second, pick(Self.prices)), tier(nil, pick(Self.prices))]
        }
    }
}
