// What a new version of the price book changes, in words, so that people can look before they apply it.

import Quantities

/// One thing that differs between two price books: `item gateway_calls: price 0.15 per 10000 → 0.20 per 10000`.
package struct PriceBookDifference: Codable, Hashable, Sendable, CustomStringConvertible {
    /// `item CODE`, `feature CODE`, `offer CODE`, or `book`.
    package let subject: String
    /// `price OLD → NEW`, or `new: …`, or `gone`.
    package let change: String

    package var description: String { "\(subject): \(change)" }
}

extension PriceBook {
    /// Items, then features, then offers, each by code; the day from which the books price is no difference.
    package func differences(from earlier: PriceBook) -> [PriceBookDifference] {
        Self.differences("book", [("name", earlier.name)], [("name", name)])
            + Self.differences("item", earlier.items, items, Self.fields)
            + Self.differences("feature", earlier.features, features, Self.fields)
            + Self.differences("offer mini_program_package", earlier.packageFields, packageFields)
            + Self.differences("offer resource_package", earlier.resourcePackageFields, resourcePackageFields)
            + Self.differences("offer subscription", earlier.subscriptionFields, subscriptionFields)
    }

    /// What of a thing can differ, as people read it, in a fixed order.
    private typealias Fields = [(name: String, text: String)]

    private static func differences<Thing>(
        _ kind: String, _ old: [Code: Thing], _ new: [Code: Thing], _ fields: (Thing) -> Fields
    ) -> [PriceBookDifference] {
        Set(old.keys).union(new.keys).sorted().flatMap { code in
            differences("\(kind) \(code)", old[code].map(fields), new[code].map(fields))
        }
    }

    private static func differences(_ subject: String, _ old: Fields?, _ new: Fields?) -> [PriceBookDifference] {
        guard let new else { return old == nil ? [] : [PriceBookDifference(subject: subject, change: "gone")] }
        guard let old else {
            let fields = new.map { "\($0.name) \($0.text)" }.joined(separator: "; ")
            return [PriceBookDifference(subject: subject, change: "new: \(fields)")]
        }
        return zip(old, new).filter { $0.text != $1.text }.map { before, after in
            PriceBookDifference(subject: subject, change: "\(after.name) \(before.text) → \(after.text)")
        }
    }

    // MARK: The fields of each thing

    private static func fields(_ item: Item) -> Fields {
        [
            ("price", text(item.pricing)), ("name", item.name), ("unit", item.unit),
            ("aggregation", item.aggregation.rawValue), ("legacy", item.isLegacy ? "yes" : "no"),
            ("replaced by", text(item.replacedBy)),
        ]
    }

    private static func fields(_ feature: Feature) -> Fields {
        [("items", text(feature.items)), ("name", feature.name)]
    }

    private var packageFields: Fields? {
        miniProgramPackage.map { offer in
            let quotas = offer.monthly.sorted { $0.key < $1.key }.map { item, quota in
                switch quota {
                case .devices: "\(item) as many as devices"
                case .fixed(let quantity): "\(item) \(quantity.units)"
                }
            }
            return [
                ("devices", "\(offer.devices.lowerBound) to \(offer.devices.upperBound)"),
                ("monthly", quotas.isEmpty ? "nothing" : quotas.joined(separator: ", ")),
                ("licences", Self.text(offer.licences)), ("term", offer.term.rawValue), ("name", offer.name),
            ]
        }
    }

    private var resourcePackageFields: Fields? {
        resourcePackage.map { [("term", $0.term.rawValue), ("name", $0.name)] }
    }

    private var subscriptionFields: Fields? {
        subscription.map { [("terms", $0.terms.map(\.rawValue).joined(separator: ", ")), ("name", $0.name)] }
    }

    private static func text(_ codes: [Code]) -> String {
        codes.isEmpty ? "none" : codes.map(\.text).joined(separator: ", ")
    }

    /// `0 up to 10000, then 0.96 per 10000`.
    private static func text(_ pricing: Pricing) -> String {
        switch pricing {
        case .free: "free"
        case .none: "none"
        case .tiers(let tiers):
            tiers.map { tier in
                "\(tier.price)" + (tier.upTo.map { " up to \($0.units)" } ?? "")
            }.joined(separator: ", then ")
        }
    }
}
