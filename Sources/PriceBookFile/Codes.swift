// Codes as keys, as values and as references to the items of the same book.

import MarkedYAML
import Quantities
import Rating

/// What the sections of a book need to know of its items.
struct BookItems {
    /// The codes of the items, once they are known.
    var codes: Set<Code>? { didSet { items = CodesByCase(codes ?? []) } }
    private(set) var items = CodesByCase([])
    var features = CodesByCase([])
    /// The aggregations of those that could be read.
    var aggregations: [Code: Aggregation] = [:]
}

/// Codes to compare others with: the same code may stand for an item, a feature and a licence, one that only looks the same
/// may not.
struct CodesByCase {
    private let codes: [String: Code]

    init(_ codes: some Sequence<Code>) {
        self.codes = Dictionary(codes.map { ($0.text.lowercased(), $0) }, uniquingKeysWith: { min($0, $1) })
    }

    /// The code that differs from one only in capital letters.
    func lookAlike(of code: Code) -> Code? {
        guard let other = codes[code.text.lowercased()], other != code else { return nil }
        return other
    }
}

extension FieldReader {
    mutating func code(_ field: Field) -> Code? {
        guard let text = text(field, expecting: "a code") else { return nil }
        guard let code = Code(text) else {
            report(field, "\(shown(text)) is not a code; \(Code.rule)")
            return nil
        }
        return code
    }

    /// The values of a map from codes.
    ///
    /// - Parameter known: the items, where the codes may be theirs.
    mutating func codeMap(
        _ field: Field, mayBeEmpty: Bool = false, besides known: BookItems? = nil, expecting: String
    ) -> [(code: Code, value: Field)]? {
        guard let entries = entries(field, expecting: expecting) else { return nil }
        if entries.isEmpty && !mayBeEmpty { report(field, "the map is empty; write \(expecting)") }
        var values: [(Code, Field)] = []
        var seen: [String: Code] = [:]
        for (key, value) in entries {
            guard let code = Code(key.text) else {
                report(key.field, "\(shown(key.text)) is not a code; \(Code.rule)")
                continue
            }
            if let other = seen.updateValue(code, forKey: code.text.lowercased()) {
                report(key.field, "\(code) differs from \(other) only in capital letters; choose another code")
            }
            if let known { checkCase(of: code, at: key.field, besides: known.items, "item") }
            values.append((code, value))
        }
        return values
    }

    /// A list of codes, each once.
    mutating func codes(_ field: Field, mayBeEmpty: Bool = false, expecting: String)
        -> [(code: Code, field: Field)]?
    {
        guard let elements = list(field, mayBeEmpty: mayBeEmpty, expecting: expecting) else { return nil }
        var codes: [(code: Code, field: Field)] = []
        var seen: Set<Code> = []
        for element in elements {
            guard let code = code(element) else { continue }
            if seen.insert(code).inserted {
                codes.append((code, element))
            } else {
                report(element, "the list has \(code) already; remove one of the two")
            }
        }
        return codes
    }

    mutating func checkCase(of code: Code, at field: Field, besides others: CodesByCase, _ noun: String) {
        guard let other = others.lookAlike(of: code) else { return }
        report(
            field,
            "\(code) differs from \(noun) \(other) only in capital letters; write \(other), or choose another code")
    }

    /// False, and reported, if the book has no item of that code.
    mutating func itemExists(_ code: Code, at field: Field, in book: BookItems) -> Bool {
        guard let itemCodes = book.codes, !itemCodes.contains(code) else { return true }
        let nearest = nearest(to: code.text, of: itemCodes.map(\.text).sorted())
        report(
            field, "the book has no item \(code); \(nearest.map { "did you mean \($0)?" } ?? "add it under items")")
        return false
    }
}
