// What a collection of the API is made of: the one description that its route, its query and its documentation share.

import GRDB
import Quantities

/// How an answer has whole numbers. As JSON's own they are exact, but a reader that holds them as floating point, as
/// JavaScript does, changes those beyond 2^53.
enum NumberForm: String, CaseIterable, Sendable {
    case json, text

    static let parameter = "numbers"

    /// The media type of an answer in this form: each has a schema of its own.
    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .text: "application/vnd.meterd.text-numbers+json"
        }
    }

    /// What the schema of an answer in this form is called.
    func schema(_ name: String) -> String {
        switch self {
        case .json: name
        case .text: "\(name)WithTextNumbers"
        }
    }
}

/// A collection that can be read page by page.
struct ReadResource: Sendable {
    let path: String
    /// The name of the operation, and of a row's schema, for generated clients.
    let operation: String
    let schema: String
    let summary: String
    let description: String
    let rows: Rows
    /// Whether its figures come from ratings, and may be older than the usage: then each page says how old they are.
    var isRated = false
    let columns: [Column]
    /// The columns that rows are ordered by; together they are unique.
    let key: [String]
    let filters: [Filter]

    /// Where rows come from.
    enum Rows: Sendable {
        /// Anything that a FROM takes, with the columns by their names. Filters and key are conditions on it.
        case from(String)
        /// A view whose rows are those of a table, one to one: filters are conditions on the table, and only the rows
        /// of a page are read through the view. The key is the table's row id.
        case chosen(table: String, view: String)
    }

    struct Column: Sendable {
        let name: String
        let kind: Kind
        var isNullable = false
        let description: String
    }

    /// A query parameter.
    struct Filter: Sendable {
        let name: String
        let kind: Kind
        /// SQL with one `?`.
        let condition: String
        /// Whether an index of the table (``Rows/chosen(table:view:)``) serves the condition.
        var isIndexed = false
        let description: String
    }

    /// What values are, in JSON and in a query.
    enum Kind: Sendable {
        case text
        case code
        case day
        case month
        case instant
        case integer
        case micros
        case flag
        case hash
        case word([String])
    }

    func column(_ name: String) -> Column {
        guard let column = columns.first(where: { $0.name == name }) else {
            preconditionFailure("\(path) has no column \(name)")
        }
        return column
    }
}

extension ReadResource.Kind {
    /// Whether SQLite and JSON have it as an integer.
    var isInteger: Bool {
        switch self {
        case .integer, .micros: true
        default: false
        }
    }

    /// A value of the kind, for messages.
    private var example: String {
        switch self {
        case .text, .code: "acme"
        case .day: "2027-01-31"
        case .month: "2027-01"
        case .instant: "2027-01-31T12:00:00Z"
        case .integer, .micros: "1"
        case .flag: "true"
        case .hash: String(repeating: "0", count: 64)
        case .word(let words): words[0]
        }
    }

    /// Reads a query parameter. Days may be `today` and `yesterday`: see ``ReadQuery/nameDays(today:)``.
    func value(_ text: String, of name: String) throws(ProblemError) -> DatabaseValue {
        guard !text.isEmpty else {
            throw .badRequest("parameter \(name) has no value; write \(name)=\(example), or leave it out")
        }
        switch self {
        case .day:
            guard DayReference(text) != nil else {
                throw .badRequest("\(name)=\(ReadQuery.shown(text)): \(DayReference.advice(on: text))")
            }
        case .month:
            guard Month(text) != nil else {
                throw .badRequest("\(name)=\(ReadQuery.shown(text)): \(Month.advice(on: text))")
            }
        case .integer, .micros:
            guard let number = Int64(text) else {
                throw .badRequest("\(name)=\(ReadQuery.shown(text)): write a whole number, like \(name)=\(example)")
            }
            return number.databaseValue
        case .word(let words):
            guard words.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else {
                let hint = nearest(to: text, of: words).map { "did you mean \($0)? It" } ?? "it"
                throw .badRequest(
                    "\(name)=\(ReadQuery.shown(text)): \(hint) is one of \(words.joined(separator: ", "))")
            }
        case .text, .code, .instant, .flag, .hash: break
        }
        return text.databaseValue
    }

    /// Appends a value as JSON. Bytes are shown as text.
    func append(_ value: DatabaseValue, _ numbers: NumberForm = .json, to bytes: inout [UInt8]) {
        switch (value.storage, self) {
        case (.null, _): bytes += "null".utf8
        case (.int64(let number), .flag): bytes += (number == 0 ? "false" : "true").utf8
        case (.int64(let number), _) where numbers == .text: bytes += "\"\(number)\"".utf8
        case (.int64(let number), _): bytes += String(number).utf8
        case (.double(let number), _): bytes += String(number).utf8
        case (.string(let text), _): JSONValue.string(text).append(to: &bytes)
        case (.blob(let data), _): JSONValue.string(String(decoding: data, as: UTF8.self)).append(to: &bytes)
        }
    }
}
