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
                "200": ["description": "A page.", "content": .object(NumberForm.allCases.map(content))],
                "400": Document.reference("responses", "BadRequest"),
                "500": Document.reference("responses", "InternalError"),
                "503": Document.reference("responses", "Unavailable"),
            ],
        ]
    }

    private func content(_ numbers: NumberForm) -> (name: String, value: JSONValue) {
        (numbers.mediaType, ["schema": Document.reference("schemas", numbers.schema("\(schema)Page"))])
    }

    /// A row, and a page of them, in each form of numbers.
    var schemaObjects: [(name: String, value: JSONValue)] { NumberForm.allCases.flatMap(schemaObjects) }

    private func schemaObjects(_ numbers: NumberForm) -> [(name: String, value: JSONValue)] {
        let row: JSONValue = [
            "type": "object",
            "properties": .object(columns.map { ($0.name, $0.schemaObject(numbers)) }),
            "required": .array(columns.map { .string($0.name) }),
            "additionalProperties": false,
        ]
        let members: [(name: String, value: JSONValue)] =
            [
                ("items", ["type": "array", "items": Document.reference("schemas", numbers.schema(schema))]),
                (
                    "next",
                    [
                        "type": ["string", "null"],
                        "description": "The cursor of the next page; null where there is none yet.",
                    ]
                ),
            ] + (isRated ? Self.age : [])
        let page: JSONValue = [
            "type": "object", "properties": .object(members),
            "required": .array(members.map { .string($0.name) }), "additionalProperties": false,
        ]
        return [(numbers.schema(schema), row), (numbers.schema("\(schema)Page"), page)]
    }

    /// How old the figures of a rated collection are.
    private static let age: [(name: String, value: JSONValue)] = [
        (
            "as_of",
            [
                "type": ["string", "null"], "format": "date-time",
                "description": "When the last rating began, by the ledger's clock; null before the first one.",
            ]
        ),
        (
            "stale",
            [
                "type": "boolean",
                "description": """
                Whether usage, grants or prices have changed since the last rating: then the figures of days that \
                aren't settled are older than the usage.
                """,
            ]
        ),
    ]

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
                "description": """
                The value of next of an earlier answer, with the same filters: gives the page after that one.
                """,
                "schema": ["type": "string"],
            ]
        ),
        (
            NumberForm.parameter,
            [
                "name": .string(NumberForm.parameter), "in": "query",
                "description": .string(
                    "text: whole numbers come as strings of digits, \"9007199254740993\", in "
                        + "\(NumberForm.text.mediaType). For clients that hold numbers as floating point, as JavaScript's "
                        + "JSON.parse does: they change numbers beyond 2^53."),
                "schema": [
                    "type": "string", "enum": .array(NumberForm.allCases.map { .string($0.rawValue) }),
                    "default": .string(NumberForm.json.rawValue),
                ],
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
    fileprivate func schemaObject(_ numbers: NumberForm) -> JSONValue {
        .object(
            kind.schemaMembers(isNullable: isNullable, numbers) + [("description", .string(description + kind.unit))])
    }
}

extension ReadResource.Kind {
    fileprivate var unit: String {
        if case .micros = self { return " In micro-units of the currency." }
        return ""
    }

    fileprivate func schemaMembers(
        isNullable: Bool, _ numbers: NumberForm = .json
    ) -> [(name: String, value: JSONValue)] {
        func type(_ name: String) -> (name: String, value: JSONValue) {
            ("type", isNullable ? [.string(name), "null"] : .string(name))
        }
        switch self {
        case .text, .code: return [type("string")]
        case .day: return [type("string"), ("format", "date")]
        case .month: return [type("string"), ("pattern", "^[0-9]{4}-(0[1-9]|1[0-2])$")]
        case .instant: return [type("string"), ("format", "date-time")]
        case .integer, .micros:
            return numbers == .json
                ? [type("integer"), ("format", "int64")] : [type("string"), ("pattern", "^(0|-?[1-9][0-9]*)$")]
        case .flag: return [type("boolean")]
        case .hash: return [type("string"), ("pattern", "^[0-9a-f]{64}$")]
        case .word(let words):
            return [type("string"), ("enum", .array(words.map(JSONValue.string) + (isNullable ? [.null] : [])))]
        }
    }
}
