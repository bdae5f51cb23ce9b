// The engine's price book from a history's plain one.

package import Oracle
import Quantities
package import Rating

package enum PriceBookMaking {
    struct Broken: Error {}

    package static func book(_ plain: History.PriceBook) throws -> PriceBook {
        func code(_ text: String) throws -> Code {
            guard let code = Code(text) else { throw Broken() }
            return code
        }
        var items: [Code: Item] = [:]
        for item in plain.items {
            let tiers = try item.tiers.map { tier in
                guard let decimal = Decimal12(tier.price), let price = UnitPrice(price: decimal, per: tier.per) else {
                    throw Broken()
                }
                return Tier(upTo: tier.upTo.map { Quantity($0) }, price: price)
            }
            items[try code(item.code)] = Item(
                code: try code(item.code), name: item.code, unit: "unit",
                aggregation: item.aggregation == .sum ? .sum : .uniqueDevices,
                pricing: item.free ? .free : tiers.isEmpty ? .none : .tiers(tiers), isLegacy: item.legacy,
                replacedBy: try item.replacedBy.map(code))
        }
        var features: [Code: Feature] = [:]
        for (name, fed) in plain.features {
            features[try code(name)] = Feature(code: try code(name), name: name, items: try fed.map(code))
        }
        var monthly: [Code: MonthlyQuota] = [:]
        for (item, quota) in plain.packageQuotas {
            monthly[try code(item)] = if case .fixed(let units) = quota { .fixed(Quantity(units)) } else { .devices }
        }
        guard let currency = Currency(code: "USD") else { throw Broken() }
        return PriceBook(
            name: "test", effective: Day(plain.effectiveDay), currency: currency, items: items, features: features,
            miniProgramPackage: monthly.isEmpty
                ? nil
                : PackageOffer(
                    name: "package", term: .year, devices: plain.packageDevices, monthly: monthly, licences: []),
            resourcePackage: ResourcePackageOffer(name: "resource package", term: .year),
            subscription: SubscriptionOffer(name: "subscription", terms: [.month, .year]))
    }
}
