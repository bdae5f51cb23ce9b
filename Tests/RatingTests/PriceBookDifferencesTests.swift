// What people are told about a new version of the price book before it prices anything.

import Quantities
import Rating
import Testing

@Suite("The differences of two price books")
struct PriceBookDifferencesTests {
    private static let usd: Currency = {
        guard let currency = Currency(code: "USD") else { preconditionFailure("USD is a currency") }
        return currency
    }()

    private func item(
        _ pricing: Pricing, name: String = "Calls", legacy: Bool = false, replacedBy: [String] = []
    ) -> Item {
        Item(
            code: named("calls"), name: name, unit: "call", aggregation: .sum, pricing: pricing, isLegacy: legacy,
            replacedBy: replacedBy.map(named))
    }

    private func book(
        _ item: Item? = nil, name: String = "test", features: [String: [String]] = [:], package: PackageOffer? = nil,
        resourcePackage: ResourcePackageOffer? = nil, subscription: SubscriptionOffer? = nil
    ) -> PriceBook {
        PriceBook(
            name: name, effective: day("2027-01-01"), currency: Self.usd,
            items: item.map { [$0.code: $0] } ?? [:],
            features: Dictionary(
                uniqueKeysWithValues: features.map { code, items in
                    (named(code), Feature(code: named(code), name: code, items: items.map(named)))
                }),
            miniProgramPackage: package, resourcePackage: resourcePackage, subscription: subscription)
    }

    private func package(devices: ClosedRange<Int64>, calls: Int64) -> PackageOffer {
        PackageOffer(
            name: "Package", term: .year, devices: devices,
            monthly: [named("calls"): .fixed(Quantity(calls)), named("push"): .devices], licences: [named("kernel")])
    }

    private func told(_ old: PriceBook, _ new: PriceBook) -> [String] {
        new.differences(from: old).map(\.description)
    }

    @Test("are none between a book and the same from another day")
    func none() {
        let tiers = tiers([(100, "0"), (nil, "0.15")])
        let old = RatingTests.book(["calls": tiers])
        #expect(told(old, RatingTests.book(["calls": tiers], from: "2027-02-01")) == [])
    }

    @Test("show each price as it was and as it will be")
    func prices() {
        let old = book(item(tiers([(nil, "0.15")], per: 10_000)))
        let table: [(Pricing, String)] = [
            (tiers([(nil, "0.2")], per: 10_000), "price 0.15 per 10000 → 0.2 per 10000"),
            (tiers([(nil, "3")]), "price 0.15 per 10000 → 3"),
            (
                tiers([(10_000, "0"), (100_000, "0.96"), (nil, "0.8")], per: 10_000),
                "price 0.15 per 10000 → 0 per 10000 up to 10000, then 0.96 per 10000 up to 100000, then 0.8 per 10000"
            ),
            (.free, "price 0.15 per 10000 → free"),
            (.none, "price 0.15 per 10000 → none"),
        ]
        for (pricing, change) in table { #expect(told(old, book(item(pricing))) == ["item calls: \(change)"]) }
    }

    @Test("name whatever else of an item, a feature or the book is another")
    func others() {
        #expect(
            told(book(item(.free)), book(item(.free, name: "API calls", legacy: true, replacedBy: ["push", "sync"])))
                == [
                    "item calls: name Calls → API calls", "item calls: legacy no → yes",
                    "item calls: replaced by none → push, sync",
                ])
        #expect(
            told(book(features: ["a": ["x"], "gone": []]), book(features: ["a": ["x", "y"], "b": []]))
                == ["feature a: items x → x, y", "feature b: new: items none; name b", "feature gone: gone"])
        #expect(told(book(), book(name: "other")) == ["book: name test → other"])
        #expect(
            told(book(), book(item(.free))) == [
                "item calls: new: price free; name Calls; unit call; aggregation sum; legacy no; replaced by none"
            ])
    }

    @Test("name what of an offer is another, new or gone")
    func offers() {
        #expect(
            told(
                book(package: package(devices: 1...5, calls: 20)), book(package: package(devices: 1...9, calls: 30)))
                == [
                    "offer mini_program_package: devices 1 to 5 → 1 to 9",
                    "offer mini_program_package: monthly calls 20, push as many as devices → "
                        + "calls 30, push as many as devices",
                ])
        let yearly = book(
            resourcePackage: ResourcePackageOffer(name: "R", term: .year),
            subscription: SubscriptionOffer(name: "S", terms: [.year]))
        let monthly = book(subscription: SubscriptionOffer(name: "S", terms: [.month, .year]))
        #expect(
            told(yearly, monthly) == ["offer resource_package: gone", "offer subscription: terms year → month, year"])
        #expect(
            told(monthly, yearly) == [
                "offer resource_package: new: term year; name R", "offer subscription: terms month, year → year",
            ])
    }
}
