// What a client asks of a collection: the query string of its request, and the cursor in it.

import Foundation
import GRDB
import Quantities

/// A request for a page.
struct ReadQuery: Sendable {
    private(set) var filters: [(filter: ReadResource.Filter, value: DatabaseValue)] = []
    private(set) var limit = Self.defaultLimit
    private(set) var numbers = NumberForm.json
    /// The key of the row that the page begins behind.
    private(set) var after: [DatabaseValue]?

    static let defaultLimit = 100
    static let maxLimit = 1_000

    /// - Parameter query: what follows the question mark, as it came.
    init(_ query: String?, of resource: ReadResource) throws(ProblemError) {
        var seen: Set<String> = []
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(pair[0], of: pair[0])
            let value = try Self.decoded(pair.count > 1 ? pair[1] : "", of: pair[0])
            guard seen.insert(name).inserted else {
                throw .badRequest("parameter \(Self.shown(name)) is given twice; give it once")
            }
            try set(name, value, resource)
        }
    }

    private mutating func set(_ name: String, _ value: String, _ resource: ReadResource) throws(ProblemError) {
        if name == "limit" {
            guard let limit = Int(value), (1...Self.maxLimit).contains(limit) else {
                throw .badRequest(
                    "limit=\(Self.shown(value)): write a whole number from 1 to \(Self.maxLimit), like limit=100")
            }
            self.limit = limit
        } else if name == NumberForm.parameter {
            guard let numbers = NumberForm(rawValue: value) else {
                let forms = NumberForm.allCases.map(\.rawValue).joined(separator: " or ")
                throw .badRequest("\(name)=\(Self.shown(value)): write \(forms)")
            }
            self.numbers = numbers
        } else if name == "cursor" {
            guard let key = Cursor.key(value, of: resource) else {
                throw .badRequest(
                    "cursor=\(Self.shown(value)) is not a cursor of \(resource.path); take it from the member next of an "
                        + "earlier answer, or leave it out to begin with the first page")
            }
            after = key
        } else if let filter = resource.filters.first(where: { $0.name == name }) {
            filters.append((filter, try filter.kind.value(value, of: name)))
        } else {
            let names = resource.filters.map(\.name) + ["limit", "cursor", NumberForm.parameter]
            let hint = nearest(to: name, of: names).map { "did you mean \($0)? It" } ?? "it"
            throw .badRequest(
                "\(resource.path) has no parameter \(Self.shown(name)); \(hint) takes \(names.joined(separator: ", "))")
        }
    }

    /// Puts dates for the days that were written as `today` and `yesterday`.
    ///
    /// - Parameter today: the ledger's local date, asked only where it is needed.
    mutating func nameDays(today: () throws -> Day) rethrows {
        for (index, (filter, value)) in filters.enumerated() {
            guard case .day = filter.kind, let text = String.fromDatabaseValue(value), let day = DayReference(text),
                day.date == nil
            else { continue }
            filters[index].value = try day.day(today).description.databaseValue
        }
    }

    /// A name or a value as it was given, in quotes.
    static func shown(_ text: String) -> String { "'\(excerpt(text))'" }

    /// - Parameter name: the parameter's, for the message.
    private static func decoded(_ text: Substring, of name: Substring) throws(ProblemError) -> String {
        func problem(_ what: String) -> ProblemError {
            .badRequest("parameter \(excerpt(name)): '\(excerpt(text))' \(what)")
        }
        let (bytes, hasStrayPercent) = PercentCoding.decode(text.utf8.lazy.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 })
        guard !hasStrayPercent else { throw problem("has a % that begins no escape; write it as %25") }
        // Bound to a statement, text ends at its first NUL.
        guard !bytes.contains(0) else { throw problem("has the character U+0000 (%00); leave it out") }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw problem("is not UTF-8 once it is decoded; write what is not ASCII like %C3%A9 for é")
        }
        return decoded
    }
}

/// A place in a collection, as clients carry it: opaque, and good for as long as the collection has this key.
enum Cursor {
    private enum Part: Decodable {
        case text(String)
        case number(Int64)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    /// The path of the collection and the key, a JSON array in base64url.
    static func text(_ key: [DatabaseValue], of resource: ReadResource) -> String {
        var bytes = Array("[".utf8)
        JSONValue.string(resource.path).append(to: &bytes)
        for (name, value) in zip(resource.key, key) {
            bytes.append(UInt8(ascii: ","))
            resource.column(name).kind.append(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil for what is no cursor of the collection.
    static func key(_ text: String, of resource: ReadResource) -> [DatabaseValue]? {
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64 + padding),
            let parts = try? JSONDecoder().decode([Part].self, from: data), parts.count == resource.key.count + 1,
            case .text(resource.path) = parts[0]
        else { return nil }
        var key: [DatabaseValue] = []
        for (name, part) in zip(resource.key, parts.dropFirst()) {
            switch (part, resource.column(name).kind.isInteger) {
            case (.number(let number), true): key.append(number.databaseValue)
            case (.text(let text), false) where !text.utf8.contains(0): key.append(text.databaseValue)
            default: return nil
            }
        }
        return key
    }
}
