// The names that people give to tenants, apps, grants, items and features.

/// 1 to 64 characters of `A-Z a-z 0-9 . _ : @ / -`, beginning with a letter or a digit. Codes are compared byte by byte.
package struct Code: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    package let text: String

    /// Returns nil for a text that is no code; ``rule`` tells what one is.
    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, Self.isAlphanumeric(first),
            text.utf8.allSatisfy({ Self.isAlphanumeric($0) || Self.marks.contains($0) })
        else { return nil }
        self.text = text
    }

    package static let rule =
        "a code has 1 to 64 characters out of A-Z a-z 0-9 . _ : @ / - and begins with a letter or a digit"

    package var description: String { text }

    // The characters are ASCII, for which Swift's order of strings is that of the bytes.
    package static func < (left: Code, right: Code) -> Bool { left.text < right.text }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let code = Code(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)': \(Self.rule)")
        }
        self = code
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    private static let marks = Set("._:@/-".utf8)

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}
