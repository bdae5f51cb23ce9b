// Reads the parts that every file is made of (maps, lists, texts, flags, numbers) and gathers what is wrong.

import Quantities
import Yams

/// A value of the file and its place in it.
package struct Field {
    /// The keys down to the value, with the positions in lists: `items.calls.tiers[1]`. Empty at the top.
    package let path: String
    let node: Node
    /// Whether the value is a number with a comma, which YAML takes apart; see `numbersWithCommas`.
    var hasComma = false

    /// The text of a single value; nil for a list or a map.
    package var scalarText: String? { node.scalar?.string }

    func child(_ key: String, _ node: Node) -> Field {
        Field(path: path.isEmpty ? printable(key) : "\(path).\(printable(key))", node: node)
    }

    func element(_ index: Int, _ node: Node) -> Field { Field(path: "\(path)[\(index)]", node: node) }
}

/// A map whose keys the format names.
package struct Record {
    package let field: Field
    /// What the record describes, for messages: "an item".
    let noun: String
    let values: [String: Field]

    package subscript(key: String) -> Field? { values[key] }
}

package struct FieldReader {
    private let document: YAMLDocument
    package private(set) var problems: [MarkedProblem] = []

    package init(_ document: YAMLDocument) { self.document = document }

    package mutating func report(_ field: Field, _ message: String) {
        let place = document.place(of: field.node)
        problems.append(
            MarkedProblem(line: place.line, column: place.column, field: field.path, message: message))
    }

    // MARK: Maps and lists

    package mutating func record(_ field: Field, _ noun: String, keys: [String]) -> Record? {
        guard let entries = entries(field, expecting: "a map with the keys of \(noun): \(joined(keys))") else {
            return nil
        }
        var values: [String: Field] = [:]
        for (key, value) in entries {
            if keys.contains(key.text) {
                values[key.text] = value
            } else if key.text == "<<" {
                report(key.field, "merge keys (<<) are not supported; write the keys of \(noun) out")
            } else {
                let nearest = nearest(to: key.text, of: keys).map { "; did you mean \($0)?" } ?? "."
                report(
                    key.field, "\(shown(key.text)) is not a key of \(noun)\(nearest) The keys are \(joined(keys))")
            }
        }
        return Record(field: field, noun: noun, values: values)
    }

    /// The entries of a map with any keys, each key once.
    package mutating func entries(_ field: Field, expecting: String)
        -> [(key: (text: String, field: Field), value: Field)]?
    {
        guard case .mapping(let mapping) = field.node else {
            report(field, "\(kind(of: field.node)); write \(expecting)")
            return nil
        }
        var entries: [(key: (text: String, field: Field), value: Field)] = []
        var lines: [String: Int] = [:]
        for (keyNode, valueNode, hasComma) in Self.numbersWithCommas(in: mapping) {
            guard case .scalar(let key) = keyNode else {
                report(Field(path: field.path, node: keyNode), "a key can't be a list or a map; write a plain word")
                continue
            }
            let text = MarkedSource.withoutMarks(key.string)
            let keyField = field.child(text, keyNode)
            if let line = lines[text] {
                report(keyField, "this map has the key already, in line \(line); remove one of the two")
            } else {
                lines[text] = document.place(of: keyNode).line
                var value = field.child(text, valueNode)
                value.hasComma = hasComma
                entries.append(((text, keyField), value))
            }
        }
        return entries
    }

    /// The entries of a map, with numbers put together again that a comma has taken apart: in braces `price: 0,15` is the
    /// key `price` with the value 0, and the key `15` without a value.
    private static func numbersWithCommas(in mapping: Node.Mapping) -> [(key: Node, value: Node, hasComma: Bool)] {
        func digits(_ node: Node) -> String? {
            guard case .scalar(let scalar) = node, scalar.style == .plain else { return nil }
            let text = MarkedSource.withoutMarks(scalar.string)
            return !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
                ? text : nil
        }
        var entries: [(key: Node, value: Node, hasComma: Bool)] = []
        for (key, value) in mapping {
            if case .scalar(let absent) = value, absent.style == .plain, absent.string.isEmpty, let rest = digits(key),
                let last = entries.last, case .scalar(let begun) = last.value,
                last.hasComma || digits(last.value) != nil
            {
                let whole = Node.Scalar("\(begun.string),\(rest)", begun.tag, .plain, begun.mark)
                entries[entries.count - 1] = (last.key, .scalar(whole), true)
            } else {
                entries.append((key, value, false))
            }
        }
        return entries
    }

    package mutating func list(_ field: Field, mayBeEmpty: Bool = false, expecting: String) -> [Field]? {
        guard case .sequence(let sequence) = field.node else {
            report(field, "\(kind(of: field.node)); write \(expecting)")
            return nil
        }
        if sequence.isEmpty && !mayBeEmpty { report(field, "the list is empty; write \(expecting)") }
        return sequence.enumerated().map { field.element($0.offset, $0.element) }
    }

    package mutating func required(_ key: String, of record: Record, hint: String) -> Field? {
        if let field = record[key] { return field }
        let field = record.field.child(key, record.field.node)
        report(field, "\(record.noun) needs this key; write \(hint)")
        return nil
    }

    // MARK: Scalars

    /// - Parameter isNumber: whether the caller reads it as a number, and so refuses one with a comma.
    package mutating func text(_ field: Field, expecting: String, isNumber: Bool = false) -> String? {
        guard case .scalar(let scalar) = field.node, !isNull(field.node) else {
            report(field, "\(kind(of: field.node)); write \(expecting)")
            return nil
        }
        guard isNumber || !field.hasComma else {
            report(field, "a comma ends a value in braces; put \(shown(scalar.string)) in quotes")
            return nil
        }
        return scalar.string
    }

    /// A text for people, on one line.
    package mutating func label(_ key: String, of record: Record, default fallback: String) -> String? {
        guard let field = record[key] else { return fallback }
        guard let text = text(field, expecting: "a text, or leave the key out for \(fallback)") else { return nil }
        if let scalar = ShownText.firstUnfit(in: text) {
            report(
                field, "\(shown(text)) has the control character \(ShownText.name(scalar)); write a text on one line")
            return nil
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            report(field, "the text is blank; write one, or leave the key out for \(fallback)")
            return nil
        }
        return text
    }

    /// A flag that is false where it is not given.
    package mutating func flag(_ key: String, of record: Record) -> Bool? {
        guard let field = record[key] else { return false }
        guard let text = text(field, expecting: "true or false") else { return nil }
        switch (text, field.node.scalar?.style) {
        case ("true", .plain): return true
        case ("false", .plain): return false
        case ("true", _), ("false", _): report(field, "\(shown(text)) is a text here; write \(text) without quotes")
        default:
            let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"][text.lowercased()]
            let hint =
                meant ?? (["true", "false"].first { $0 == text.lowercased() }) ?? "one of these, in small letters"
            report(field, "\(shown(text)) is neither true nor false; write \(hint)")
        }
        return nil
    }

    package mutating func whole(_ field: Field, in range: ClosedRange<Int64>, or alternative: String = "") -> Int64? {
        let expecting = "\(alternative)a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let text = text(field, expecting: expecting, isNumber: true) else { return nil }
        guard let number = wholeNumber(text), range.contains(number) else {
            let meant = NumberText.meant(by: text).flatMap { range.contains(Int64($0) ?? 0) ? $0 : nil }
            let hint = meant.flatMap { $0 == text ? nil : "\($0), digits only" }
            report(field, "\(shown(text)) does not fit here; write \(hint ?? "\(expecting), digits only")")
            return nil
        }
        return number
    }

    /// A value out of a list of words.
    package mutating func choice<Value: RawRepresentable<String>>(_ field: Field, of words: [Value]) -> Value? {
        let expecting = words.map(\.rawValue).joined(separator: " or ")
        guard let text = text(field, expecting: expecting) else { return nil }
        guard let value = words.first(where: { $0.rawValue.utf8.elementsEqual(text.utf8) }) else {
            let nearest = nearest(to: text, of: words.map(\.rawValue)).map { "did you mean \($0)? Write" } ?? "write"
            report(field, "\(shown(text)) is unknown; \(nearest) \(expecting)")
            return nil
        }
        return value
    }
}
