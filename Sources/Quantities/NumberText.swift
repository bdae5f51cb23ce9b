// Numbers as people write them: which texts are taken, and what the others probably meant.

package enum NumberText {
    /// The digits of a whole number: `10000`, or `10_000` with single underscores between digits. Nil for anything else.
    package static func digits(_ text: String) -> String? {
        let groups = text.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return nil }
        return text.filter { $0 != "_" }
    }

    /// Whether each underscore in a number stands between two digits.
    package static func hasSoundUnderscores(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "_")
                || (index > 0 && index + 1 < bytes.count && isDigit(bytes[index - 1]) && isDigit(bytes[index + 1]))
        }
    }

    /// The digits of the whole number that a text means which is written in another way, as long as it can mean no other:
    /// `10,000`, `1e6`, `10k`, `3.0`; with a unit also `3d`, `30 s`.
    ///
    /// - Parameter unit: what the number counts, `days`: its name, its first letter and its singular may follow the digits.
    package static func meant(by text: String, unit: String? = nil) -> String? {
        var text = text.trimmed
        if text.utf8.first == UInt8(ascii: "+") { text.removeFirst() }
        if let unit, let number = text.withoutSuffix(in: [unit, String(unit.dropLast()), String(unit.prefix(1))]) {
            text = number
        }
        return digits(text) ?? grouped(text) ?? scaled(text)
    }

    /// The number as it is best read: `10000 or 10_000`.
    package static func forms(of digits: String) -> String {
        var parts: [String] = []
        var rest = Substring(digits)
        while rest.count > 3 {
            parts.insert(String(rest.suffix(3)), at: 0)
            rest = rest.dropLast(3)
        }
        return digits.count > 4 ? "\(digits) or \(([String(rest)] + parts).joined(separator: "_"))" : digits
    }

    /// `10,000`, `10 000`, `10'000`; of points, which are decimal points elsewhere, only several: `1.000.000`.
    private static func grouped(_ text: String) -> String? {
        for (separator, fewest) in [(",", 2), (" ", 2), ("'", 2), (".", 3)] as [(Character, Int)] {
            let groups = text.split(separator: separator, omittingEmptySubsequences: false)
            guard groups.count >= fewest, groups.allSatisfy({ $0.utf8.allSatisfy(isDigit) }),
                (1...3).contains(groups[0].utf8.count), groups[0].utf8.first != UInt8(ascii: "0"),
                groups.dropFirst().allSatisfy({ $0.utf8.count == 3 })
            else { continue }
            return groups.joined()
        }
        return nil
    }

    /// `1e6`, `1.5E3`, `10k`, `3M`, `3.00`.
    private static func scaled(_ text: String) -> String? {
        let text = text.lowercased()
        var mantissa = Substring(text)
        var exponent = 0
        if let mark = text.firstIndex(of: "e") {
            let power = text[text.index(after: mark)...].drop { $0 == "+" }
            guard let number = Int(power), (0...18).contains(number) else { return nil }
            (mantissa, exponent) = (text[..<mark], number)
        } else if let factor = ["k": 3, "m": 6][String(text.suffix(1))] {
            (mantissa, exponent) = (text.dropLast(), factor)
        }
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
            return nil
        }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        while fraction.hasSuffix("0") { fraction.removeLast() }
        // A thousand for some: 1.000.
        guard fraction.count <= exponent, exponent > 0 || parts.count == 1 || parts[1].count != 3 else { return nil }
        let digits = parts[0] + fraction + String(repeating: "0", count: exponent - fraction.count)
        let number = digits.drop { $0 == "0" }
        return number.isEmpty ? "0" : String(number)
    }

    // MARK: Prices

    /// The decimal numbers that a text can mean which is written in another way: `0.15` for `0,15`, `.15` and `$0.15`;
    /// `1000.50` for `1,000.50` and `1.000,50`; `10000` and `10.000` for `10,000`, which one nobody can tell.
    package static func prices(meantBy text: String) -> [String] {
        let number = withoutCurrency(text)
        guard number.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ".") }) else {
            return []
        }
        guard number.utf8.contains(where: isDigit) else { return [] }
        var meant: [String?]
        switch (number.count { $0 == "," }, number.count { $0 == "." }) {
        case (0, 0), (0, 1): meant = [number]
        case (1, 0): meant = [grouped(number), number.replacing(",", with: ".")]
        case (0, _), (_, 0): meant = [grouped(number)]
        default: meant = [withoutGroups(number)]
        }
        meant = meant.map { $0.map { ($0.hasPrefix(".") ? "0" : "") + $0 + ($0.hasSuffix(".") ? "0" : "") } }
        return meant.compactMap(\.self).filter { Decimal12($0) != nil }
    }

    /// `1000.50` for `1,000.50` and `1.000,50`: the last mark is the decimal point.
    private static func withoutGroups(_ number: String) -> String? {
        guard let point = number.lastIndex(where: { $0 == "," || $0 == "." }) else { return nil }
        let whole = number[..<point]
        guard !whole.contains(number[point]) else { return nil }
        return grouped(String(whole).replacing(".", with: ",")).map { "\($0).\(number[number.index(after: point)...])" }
    }

    /// Without a currency's sign or code, spaces, and other marks between the digits.
    private static func withoutCurrency(_ text: String) -> String {
        let isLetter = { (character: Character) in character.isLetter || character.isCurrencySymbol }
        let number = text.trimmed.drop(while: isLetter).reversed().drop(while: isLetter).reversed()
        return String(number).filter { !" '_+".contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }

    /// What stands before the suffix, without the space between.
    fileprivate func withoutSuffix(in suffixes: [String]) -> String? {
        suffixes.first { !$0.isEmpty && hasSuffix($0) }.map { String(dropLast($0.count)).trimmed }
    }
}
