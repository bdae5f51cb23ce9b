// Percent-encoded text, as paths, query strings and the headers of CloudEvents carry it.

enum PercentCoding {
    /// Decodes each escape once.
    ///
    /// - Returns: the bytes, which need not be UTF-8, and whether a `%` began no escape; such a `%` stays as it is.
    static func decode(_ text: some Sequence<UInt8>) -> (bytes: [UInt8], hasStrayPercent: Bool) {
        var bytes: [UInt8] = []
        var hasStrayPercent = false
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let high = hexValue(rest[rest.startIndex]),
                let low = hexValue(rest[rest.startIndex + 1])
            else {
                hasStrayPercent = true
                bytes.append(byte)
                continue
            }
            rest = rest.dropFirst(2)
            bytes.append(high << 4 | low)
        }
        return (bytes, hasStrayPercent)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The beginning of what a client sent, fit for a message: printable, and not long.
func excerpt(_ text: some StringProtocol, mostScalars: Int = 64) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(mostScalars) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
            result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return text.unicodeScalars.dropFirst(mostScalars).isEmpty ? result : result + "…"
}
