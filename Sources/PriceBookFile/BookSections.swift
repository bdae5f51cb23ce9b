// The top of a book, its items with their tiers, and its features.

import MarkedYAML
import Quantities
import Rating

extension FieldReader {
    /// - Parameter recordedCurrency: a code that may have been withdrawn.
    mutating func book(_ field: Field, recordedCurrency: String?) -> PriceBook? {
        let keys = ["book", "effective", "currency", "items", "features", "offers"]
        guard let record = record(field, "a price book", keys: keys) else { return nil }
        let name = required("book", of: record, hint: "the book's code, like mpaas").flatMap { code($0) }
        let effective = required("effective", of: record, hint: "the first day that it prices, like 2026-01-01")
            .flatMap { day($0) }
        let currency = required("currency", of: record, hint: "an ISO 4217 code, like USD")
            .flatMap { self.currency($0, recorded: recordedCurrency) }
        var known = BookItems()
        let items = required("items", of: record, hint: "the items, each under its code")
            .flatMap { self.items($0, &known) }
        let features = record["features"].map { self.features($0, known) } ?? [:]
        known.features = CodesByCase((features ?? [:]).keys)
        let offers = record["offers"].map { self.offers($0, known) } ?? Offers()
        guard let name, let effective, let currency, let items, let features, let offers else { return nil }
        return PriceBook(
            name: name.text, effective: effective, currency: currency, items: items, features: features,
            miniProgramPackage: offers.miniProgramPackage, resourcePackage: offers.resourcePackage,
            subscription: offers.subscription)
    }

    private mutating func day(_ field: Field) -> Day? {
        guard let text = text(field, expecting: "a day, like 2026-01-01") else { return nil }
        guard let day = Day(text) else {
            let meant = Day(loosely: text).map { "\($0)" } ?? "a day as YYYY-MM-DD, like 2026-01-01"
            report(field, "\(shown(text)) is not a day of the calendar; write \(meant)")
            return nil
        }
        return day
    }

    private mutating func currency(_ field: Field, recorded: String?) -> Currency? {
        guard let text = text(field, expecting: "an ISO 4217 code, like USD") else { return nil }
        if let recorded, text.utf8.elementsEqual(recorded.utf8) { return Currency(recordedCode: text) }
        if let currency = Currency(code: text) { return currency }
        // The length in bytes keeps out the letters that Swift holds equal to A-Z, like the Kelvin sign.
        let capitals = text.utf8.count == 3 ? text.uppercased() : text
        if let successor = Currency.successor(ofWithdrawn: capitals) {
            report(
                field,
                "\(shown(text)) is no longer an ISO 4217 currency; write \(successor), which took the place of "
                    + "\(capitals)")
        } else {
            report(
                field,
                "\(shown(text)) is not an ISO 4217 currency; write "
                    + "\(Currency(code: capitals)?.code ?? "one that is, like USD")")
        }
        return nil
    }

    // MARK: Items

    private mutating func items(_ field: Field, _ known: inout BookItems) -> [Code: Item]? {
        guard let entries = codeMap(field, expecting: "a map of items, each under its code") else { return nil }
        known.codes = Set(entries.map(\.code))
        var items: [Code: Item] = [:]
        for (code, value) in entries { items[code] = item(code, value, &known) }
        return items
    }

    private mutating func item(_ code: Code, _ field: Field, _ known: inout BookItems) -> Item? {
        let keys = ["name", "unit", "aggregation", "tiers", "free", "legacy", "replaced_by"]
        guard let record = record(field, "an item", keys: keys) else { return nil }
        let name = label("name", of: record, default: code.text)
        let unit = label("unit", of: record, default: "unit")
        let aggregation = required("aggregation", of: record, hint: "unique_devices or sum")
            .flatMap { choice($0, of: [Aggregation.uniqueDevices, .sum]) }
        known.aggregations[code] = aggregation
        let isLegacy = flag("legacy", of: record)
        let pricing = pricing(record, isLegacy: isLegacy)
        let replacedBy = replacements(of: code, record, isLegacy: isLegacy, known)
        guard let name, let unit, let aggregation, let isLegacy, let pricing, let replacedBy else { return nil }
        return Item(
            code: code, name: name, unit: unit, aggregation: aggregation, pricing: pricing, isLegacy: isLegacy,
            replacedBy: replacedBy)
    }

    private mutating func pricing(_ record: Record, isLegacy: Bool?) -> Pricing? {
        let isFree = flag("free", of: record)
        let tiers = record["tiers"].map { self.tiers($0) }
        guard let isFree, let isLegacy else { return nil }
        switch (tiers, isFree) {
        case (.some, true):
            record["free"].map { report($0, "the item has tiers and is free; remove one of the two keys") }
            return nil
        case (.some(let tiers), false): return tiers.map(Pricing.tiers)
        case (.none, true): return .free
        case (.none, false):
            if isLegacy { return Pricing.none }
            report(
                record.field,
                "the item has no price; write tiers, like [ { price: \"0.03\" } ], or free: true "
                    + "(only a legacy item may have neither)")
            return nil
        }
    }

    private mutating func replacements(of code: Code, _ record: Record, isLegacy: Bool?, _ known: BookItems)
        -> [Code]?
    {
        let expecting = "a list of the items that replace it, like [ data_sync ]"
        guard let isLegacy else { return nil }
        guard isLegacy else {
            guard let field = record["replaced_by"] else { return [] }
            report(field, "only a legacy item is replaced; remove the key or add legacy: true")
            return nil
        }
        guard let field = required("replaced_by", of: record, hint: expecting),
            let codes = codes(field, expecting: expecting)
        else { return nil }
        for (replacement, place) in codes where itemExists(replacement, at: place, in: known) && replacement == code {
            report(place, "an item can't replace itself; name the item that customers use today")
        }
        return codes.map(\.code)
    }

    private mutating func tiers(_ field: Field) -> [Tier]? {
        let expecting = "a list of tiers, like [ { price: \"0.03\" } ]"
        guard let elements = list(field, expecting: expecting) else { return nil }
        var tiers: [Tier] = []
        var bound: Int64 = 0
        for (index, element) in elements.enumerated() {
            guard let record = record(element, "a tier", keys: ["price", "per", "up_to"]) else { continue }
            let price = unitPrice(record)
            let upTo = upTo(record, after: bound, isLast: index == elements.count - 1)
            if let upTo { bound = upTo }
            if let price { tiers.append(Tier(upTo: upTo.map(Quantity.init), price: price)) }
        }
        return tiers
    }

    private mutating func unitPrice(_ record: Record) -> UnitPrice? {
        let price = required("price", of: record, hint: "a decimal number, like \"0.03\"").flatMap { self.price($0) }
        let per = record["per"].map { powerOfTen($0) } ?? 1
        guard let price, let per else { return nil }
        return UnitPrice(price: price, per: per)
    }

    /// 10¹² currency units. No bill can hold a larger amount, and ``UnitPrice`` can't compute with every larger one.
    private static let priceLimit: Int128 = 1_000_000_000_000_000_000_000_000

    private static func isPrice(_ number: Decimal12) -> Bool { (0..<priceLimit).contains(number.units) }

    private mutating func price(_ field: Field) -> Decimal12? {
        let expecting = "digits with at most 12 before and 12 after the decimal point, like \"0.03\""
        guard let text = text(field, expecting: expecting, isNumber: true) else { return nil }
        guard let price = Decimal12(text), Self.isPrice(price), !text.hasPrefix("-") else {
            let meant = NumberText.prices(meantBy: text).filter {
                $0 != text && Decimal12($0).map(Self.isPrice) == true
            }
            let hint = meant.isEmpty ? expecting : meant.map { "\"\($0)\"" }.joined(separator: " or ")
            report(field, "\(shown(text)) is not a price; write \(hint)")
            return nil
        }
        return price
    }

    private mutating func powerOfTen(_ field: Field) -> Int64? {
        let expecting = "a power of ten from 1 to 1000000000"
        guard let text = text(field, expecting: expecting, isNumber: true) else { return nil }
        guard let per = wholeNumber(text), Self.isPer(per) else {
            let meant = NumberText.meant(by: text).flatMap { Int64($0) }.flatMap { Self.isPer($0) ? "\($0)" : nil }
            let hint = meant.flatMap { $0 == text ? nil : "\($0), digits only" } ?? expecting
            report(field, "\(shown(text)) is not a power of ten that a price can be for; write \(hint)")
            return nil
        }
        return per
    }

    private static func isPer(_ number: Int64) -> Bool {
        UnitPrice(price: Decimal12(units: 0), per: number) != nil
    }

    private mutating func upTo(_ record: Record, after bound: Int64, isLast: Bool) -> Int64? {
        if isLast {
            record["up_to"].map {
                report($0, "the last tier has no bound; remove up_to or add a tier for what lies beyond it")
            }
            return nil
        }
        let hint = "the last unit of the month that the tier prices (only the last tier has none)"
        guard let field = required("up_to", of: record, hint: hint),
            let number = whole(field, in: 1...Int64.max)
        else { return nil }
        guard number > bound else {
            report(field, "\(number) is not above \(bound), the bound of the tier before; write a larger bound")
            return nil
        }
        return number
    }

    // MARK: Features

    private mutating func features(_ field: Field, _ known: BookItems) -> [Code: Feature]? {
        let expecting = "a map of product features, each under its code"
        guard let entries = codeMap(field, mayBeEmpty: true, besides: known, expecting: expecting) else { return nil }
        var features: [Code: Feature] = [:]
        for (code, value) in entries { features[code] = feature(code, value, known) }
        return features
    }

    private mutating func feature(_ code: Code, _ field: Field, _ known: BookItems) -> Feature? {
        let expecting = "a list of the items that it feeds, like [ basic_analysis ], or [] if it is not metered"
        guard let record = record(field, "a feature", keys: ["name", "items"]) else { return nil }
        let name = label("name", of: record, default: code.text)
        let items = required("items", of: record, hint: expecting)
            .flatMap { codes($0, mayBeEmpty: true, expecting: expecting) }
        guard let name, let items else { return nil }
        for (item, place) in items { _ = itemExists(item, at: place, in: known) }
        return Feature(code: code, name: name, items: items.map(\.code))
    }
}
