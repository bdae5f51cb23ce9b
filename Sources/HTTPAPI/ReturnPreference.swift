// What a sender prefers to get back: Prefer: return=minimal (RFC 7240, section 4.2).

import HTTPTypes

/// The preference `return` of a request.
enum ReturnPreference: String {
    case minimal
    case representation

    static let header = HTTPField.Name("Prefer")!
    static let appliedHeader = HTTPField.Name("Preference-Applied")!

    /// As it stands in an answer.
    var applied: String { "return=\(rawValue)" }

    /// Nil where the request has none, or one that is not known: preferences are never an error.
    init?(_ headers: HTTPFields) {
        guard let field = headers[Self.header], let value = Self.value(in: field), let known = Self(rawValue: value)
        else { return nil }
        self = known
    }

    /// Names are compared without regard to capitals; of several preferences with one name the first counts.
    private static func value(in field: String) -> String? {
        for preference in split(field, at: ",") {
            let (name, value) = member(split(preference, at: ";").first ?? "")
            if name == "return" { return value }
        }
        return nil
    }

    private static func member(_ text: Substring) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
        var value = parts.count > 1 ? parts[1] : ""
        if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
        return (parts[0].lowercased(), String(value))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    /// The parts between separators that stand outside quotes.
    private static func split(_ text: some StringProtocol, at separator: Character) -> [Substring] {
        var isQuoted = false
        var isEscaped = false
        return Substring(text).split(omittingEmptySubsequences: false) { character in
            defer { isEscaped = isQuoted && !isEscaped && character == "\\" }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            return character == separator && !isQuoted
        }
    }
}
