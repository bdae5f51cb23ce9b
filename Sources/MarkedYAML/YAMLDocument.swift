// From text to the one YAML document in it, with the parser's complaints put as problems of the file.

import Quantities
import Yams

package struct YAMLDocument {
    /// The value at the top; nil if nothing stands in the file, or only comments.
    package let root: Field?
    private let source: MarkedSource

    private static let maxBytes = 1 << 20
    /// How many surplus keys of a file are told apart before reading stops at one.
    private static let maxDuplicates = 20

    /// - Parameter noun: What a file holds, for messages: "price book".
    /// - Throws: ``MarkedProblems`` with the one place where reading stopped.
    package init(_ yaml: String, noun: String) throws(MarkedProblems) {
        guard yaml.utf8.count <= Self.maxBytes else {
            throw Self.problem(
                "the file has \(yaml.utf8.count) bytes; a \(noun) has at most \(Self.maxBytes) (1 MiB)")
        }
        var source = MarkedSource(yaml)
        if let (place, scalar) = source.firstUnprintable {
            throw Self.problem(
                at: place,
                "\(ShownText.name(scalar)) is a character that YAML does not allow; remove it and save the file as UTF-8"
            )
        }
        root = try Self.compose(&source, noun).flatMap { isNull($0) ? nil : Field(path: "", node: $0) }
        self.source = source
    }

    /// Where a value begins in the file.
    package func place(of field: Field) -> Place { place(of: field.node) }

    func place(of node: Node) -> Place { node.mark.map(source.place) ?? Place(line: 1, column: 1) }

    private static func compose(_ source: inout MarkedSource, _ noun: String) throws(MarkedProblems) -> Node? {
        for round in 1... {
            do {
                // Without rules, every plain scalar stays the text that stands in the file: no number passes through
                // a floating-point type.
                return try Parser(yaml: source.text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                // The parser stops here without telling which map it is. A mark in the first of the equal keys lets
                // it read on; the reader, which knows the way, reports the key.
                let place = source.place(context.mark)
                guard round <= maxDuplicates, source.markKey(at: place, times: round) else {
                    throw problem(at: place, "this key stands in its map more than once; keep one")
                }
            } catch let error as YamlError {
                throw problem(error, in: source, noun)
            } catch {
                throw problem("the file can't be read as YAML: \(error)")
            }
        }
        return nil
    }

    private static func problem(_ error: YamlError, in source: MarkedSource, _ noun: String) -> MarkedProblems {
        switch error {
        case .composer(_, "but found another document", let mark, _):
            return problem(
                at: source.place(mark),
                "a second document begins here; a file holds one \(noun): remove the --- or split the file")
        case .composer(let context, let what, let mark, _), .scanner(let context, let what, let mark, _),
            .parser(let context, let what, let mark, _):
            let place = context.map { context in
                let start = source.place(context.mark)
                return " (\(context.text) from line \(start.line), column \(start.column))"
            }
            return problem(
                at: source.place(mark), "this is not valid YAML: \(what)\(place ?? ""); \(advice(on: what, noun))")
        default:
            return problem("the file can't be read as YAML: \(error)")
        }
    }

    private static func advice(on complaint: String, _ noun: String) -> String {
        switch complaint {
        case "found undefined alias": "write the anchor (&) before its alias (*)"
        case "found character that cannot start any token":
            "indent with spaces instead of tabs, and put texts that begin with a special character in quotes"
        case "mapping values are not allowed in this context":
            "check the indentation, and put texts with a colon in quotes"
        case "did not find expected node content": "put texts that begin with a bracket or a brace in quotes"
        case "found invalid Unicode character escape code": "write the character itself, in UTF-8"
        case "found unknown escape character": "write \\\\ for a backslash in double quotes"
        case "found unexpected end of stream": "close the quotation mark"
        case let nesting where nesting.hasPrefix("Maximum nesting level"): "a \(noun) needs no such nesting"
        default: "check the brackets, commas and indentation in this line and before"
        }
    }

    private static func problem(at place: Place = Place(line: 1, column: 1), _ message: String) -> MarkedProblems {
        MarkedProblems([
            MarkedProblem(line: place.line, column: place.column, field: "", message: message)
        ])
    }
}
