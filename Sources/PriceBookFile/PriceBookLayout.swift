// How a book is laid out as YAML: a line per item, feature and offer, a tier per line where there are several.

import MarkedYAML
import Quantities
import Rating

enum PriceBookLayout {
    private static let lineLength = 120

    static func text(of book: PriceBook) -> String {
        var lines = [
            "book: \(scalar(book.name))", "effective: \(book.effective)", "currency: \(scalar(book.currency.code))",
            "items:",
        ]
        lines += book.items.values.sorted { $0.code < $1.code }.flatMap(itemLines)
        if !book.features.isEmpty {
            lines.append("features:")
            lines += book.features.values.sorted { $0.code < $1.code }.map { feature in
                "  \(scalar(feature.code.text)): { name: \(scalar(feature.name)), items: \(list(feature.items)) }"
            }
        }
        let offers = offerLines(book)
        if !offers.isEmpty { lines += ["offers:"] + offers }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func itemLines(_ item: Item) -> [String] {
        var entries = [
            "name: \(scalar(item.name))", "unit: \(scalar(item.unit))", "aggregation: \(item.aggregation.rawValue)",
        ]
        if item.isLegacy { entries.append("legacy: true") }
        if item.pricing == .free { entries.append("free: true") }
        var lists: [[String]] = []
        if item.isLegacy { lists.append(["replaced_by: \(list(item.replacedBy))"]) }
        if case .tiers(let tiers) = item.pricing { lists.append(tierLines(tiers)) }

        let head = "  \(scalar(item.code.text)):"
        if lists.allSatisfy({ $0.count == 1 }) {
            let line = "\(head) { \((entries + lists.joined()).joined(separator: ", ")) }"
            if line.unicodeScalars.count <= lineLength { return [line] }
        }
        var blocks = ["    { \(entries.joined(separator: ", "))"]
        blocks += lists.map { "      " + $0.joined(separator: "\n        ") }
        return [head, blocks.joined(separator: ",\n") + " }"]
    }

    private static func tierLines(_ tiers: [Tier]) -> [String] {
        guard tiers.count > 1 else { return ["tiers: [ \(tiers.map(tier).joined()) ]"] }
        let last = tiers.count - 1
        return ["tiers: ["] + tiers.indices.map { tier(tiers[$0]) + ($0 < last ? "," : " ]") }
    }

    private static func tier(_ tier: Tier) -> String {
        var entries: [String] = []
        if let upTo = tier.upTo { entries.append("up_to: \(upTo.units)") }
        entries.append("price: \"\(tier.price.price)\"")
        if tier.price.per != 1 { entries.append("per: \(tier.price.per)") }
        return "{ \(entries.joined(separator: ", ")) }"
    }

    private static func offerLines(_ book: PriceBook) -> [String] {
        var lines: [String] = []
        if let offer = book.miniProgramPackage {
            let quotas = offer.monthly.sorted { $0.key < $1.key }.map { "\(scalar($0.key.text)): \(quota($0.value))" }
            lines += [
                "  mini_program_package:",
                "    name: \(scalar(offer.name))",
                "    term: \(offer.term.rawValue)",
                "    devices: { min: \(offer.devices.lowerBound), max: \(offer.devices.upperBound) }",
                "    monthly:",
            ]
            lines += quotas.map { "      \($0)" }
            lines.append("    licences: \(list(offer.licences))")
        }
        if let offer = book.resourcePackage {
            lines.append("  resource_package: { name: \(scalar(offer.name)), term: \(offer.term.rawValue) }")
        }
        if let offer = book.subscription {
            let terms = offer.terms.map(\.rawValue).joined(separator: ", ")
            lines.append("  subscription: { name: \(scalar(offer.name)), terms: [ \(terms) ] }")
        }
        return lines
    }

    private static func quota(_ quota: MonthlyQuota) -> String {
        switch quota {
        case .devices: "devices"
        case .fixed(let quantity): String(quantity.units)
        }
    }

    private static func list(_ codes: [Code]) -> String {
        codes.isEmpty ? "[]" : "[ \(codes.map { scalar($0.text) }.joined(separator: ", ")) ]"
    }

    // MARK: Scalars

    /// Plain where every YAML reader takes the text for a text, else double-quoted.
    private static func scalar(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    private static func isPlain(_ text: String) -> Bool {
        let letters = (UInt8(ascii: "a")...UInt8(ascii: "z"))
        let capitals = (UInt8(ascii: "A")...UInt8(ascii: "Z"))
        let digits = (UInt8(ascii: "0")...UInt8(ascii: "9"))
        guard let first = text.utf8.first, letters.contains(first) || capitals.contains(first),
            text.utf8.last != UInt8(ascii: " "), !wordsWithMeaning.contains(text.lowercased())
        else { return false }
        return text.utf8.allSatisfy {
            letters.contains($0) || capitals.contains($0) || digits.contains($0) || " _-./()".utf8.contains($0)
        }
    }

    /// What YAML 1.1 or 1.2 reads as a truth value or as nothing.
    private static let wordsWithMeaning: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{FFFE}", "\u{FFFF}": result += escape(scalar)
            default: result += ShownText.isUnfit(scalar) ? escape(scalar) : String(scalar)
            }
        }
        return result + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let (letter, width) = digits.count > 4 ? ("U", 8) : ("u", 4)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }
}
