// What the OpenAPI document says of the collections, from their descriptions.

import Quantities

extension ReadResource {
    private typealias Document = OpenAPIDocument

    var operationObject: JSONValue {
        let parameters =
            filters.map(\.parameterObject)
            + Self.pageParameters.map { Document.reference("parameters", $0.name) }
        return [
            "operationId": .string(operation), "summary": .string(summary), "description": .string(description),
            "tags": ["ledger"], "parameters": .array(parameters),
            "responses": [
                "200": Document.answer("A page.", Document.reference("schemas", "\(schema)Page")),
                "400": Document.reference("responses", "BadRequest"),
                "500": Document.reference("responses", "InternalError"),
                "503": Document.reference("responses", "Unavailable"),
            ],
        ]
    }

    /// A row, and a page of them.
    var schemaObjects: [(name: String, value: JSONValue)] {
        let row: JSONValue = [
            "type": "object",
            "properties": .object(columns.map { ($0.name, $0.schemaObject) }),
            "required": .array(columns.map { .string($0.name) }),
            "additionalProperties": false,
        ]
        let page: JSONValue = [
            "type": "object",
            "properties": [
                "items": ["type": "array", "items": Document.reference("schemas", schema)],
                "next": [
                    "type": ["string", "null"],
                    "description": "The cursor of the next page; null where there is none yet.",
                ],
            ],
            "required": ["items", "next"],
            "additionalProperties": false,
        ]
        return [(schema, row), ("\(schema)Page", page)]
    }

    static let pageParameters: [(name: String, value: JSONValue)] = [
        (
            "limit",
            [
                "name": "limit", "in": "query",
                "description": "At most this many rows. A page of very long rows has fewer.",
                "schema": [
                    "type": "integer", "minimum": 1, "maximum": .integer(Int64(ReadQuery.maxLimit)),
                    "default": .integer(Int64(ReadQuery.defaultLimit)),
                ],
            ]
        ),
        (
            "cursor",
            [
                "name": "cursor", "in": "query",
                "description":
                    "The value of next of an earlier answer, with the same filters: gives the page after it.",
                "schema": ["type": "string"],
            ]
        ),
    ]
}

extension ReadResource.Filter {
    fileprivate var parameterObject: JSONValue {
        let schema = JSONValue.object(kind.schemaMembers(isNullable: false))
        var isDay: Bool {
            if case .day = kind { return true }
            return false
        }
        let words = JSONValue.object([("type", "string"), ("enum", .array(DayReference.words.map(JSONValue.string)))])
        return [
            "name": .string(name), "in": "query",
            "description": .string(
                isDay ? "\(description) A date, or today or yesterday by the ledger's clock." : description),
            "schema": isDay ? ["anyOf": [schema, words]] : schema,
        ]
    }
}

extension ReadResource.Column {
    fileprivate var schemaObject: JSONValue {
        .object(kind.schemaMembers(isNullable: isNullable) + [("description", .string(description + kind.unit))])
    }
}

extension ReadResource.Kind {
    fileprivate var unit: String {
        if case .micros = self { return " In micro-units of the currency." }
        return ""
    }

    fileprivate func schemaMembers(isNullable: Bool) -> [(name: String, value: JSONValue)] {
        func type(_ name: String) -> (name: String, value: JSONValue) {
            ("type", isNullable ? [.string(name), "null"] : .string(name))
        }
        switch self {
        case .text, .code: return [type("string")]
        case .day: return [type("string"), ("format", "date")]
        case .month: return [type("string"), ("pattern", "^[0-9]{4}-(0[1-9]|1[0-2])$")]
        case .instant: return [type("string"), ("format", "date-time")]
        case .integer, .micros: return [type("integer"), ("format", "int64")]
        case .flag: return [type("boolean")]
        case .hash: return [type("string"), ("pattern", "^[0-9a-f]{64}$")]
        case .word(let words):
            return [type("string"), ("enum", .array(words.map(JSONValue.string) + (isNullable ? [.null] : [])))]
        }
    }
}
