// The description of the API in OpenAPI 3.1, made from what the routes are made from.

package import HTTPTypes

/// The document that `GET /v1/openapi.json` answers.
package enum OpenAPIDocument {
    static let path = "/v1/openapi.json"

    /// A path and what it does by method: `get`, `post`.
    typealias Path = (path: String, operations: [(method: HTTPRequest.Method, operation: JSONValue)])

    private static let paths: [Path] =
        EventOperations.paths + ReadResource.all.map { ($0.path, [(.get, $0.operationObject)]) }
        + ServiceOperations.paths

    /// The methods of each path; whatever is read by GET also answers HEAD.
    package static let methods: [String: [HTTPRequest.Method]] = Dictionary(
        uniqueKeysWithValues: paths.map { path in
            (path.path, path.operations.flatMap { $0.method == .get ? [.get, .head] : [$0.method] })
        })

    package static let json: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "meterd", "version": "1",
            "summary": "Usage in, bills out.",
            "description": """
            Amounts are whole micro-units of the currency: 1500000 is 1.50. Whole numbers have up to 64 bits and are \
            exact; a client that holds numbers as floating point, as JavaScript does, changes those beyond 2^53 and asks \
            for them as text with numbers=text. Characters that aren't fit to show (control characters, those that turn \
            the reading order round) stand as \\uXXXX in texts. Days are local days of the ledger's time zone. Collections come in pages: follow next until it is null. A filter by a name that is not in the ledger \
            gives an empty page.
            """,
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ],
        "servers": [["url": "/"]],
        "tags": [
            ["name": "events", "description": "Usage, coming in."],
            ["name": "ledger", "description": "Everything that is known, to be read."],
            ["name": "service", "description": "The server itself."],
        ],
        "paths": .object(
            paths.map { path in
                (path.path, .object(path.operations.map { ($0.method.rawValue.lowercased(), $0.operation) }))
            }),
        "components": [
            "schemas": .object(
                EventOperations.schemas + ReadResource.all.flatMap(\.schemaObjects) + [("Problem", problem)]),
            "parameters": .object(EventOperations.parameters + ReadResource.pageParameters),
            "responses": .object(problems),
        ],
    ]

    static func reference(_ section: String, _ name: String) -> JSONValue {
        ["$ref": .string("#/components/\(section)/\(name)")]
    }

    /// An answer with a body of one media type.
    static func answer(
        _ description: String, _ schema: JSONValue, as mediaType: String = "application/json"
    ) -> JSONValue {
        [
            "description": .string(description),
            "content": .object([(name: mediaType, value: .object([(name: "schema", value: schema)]))]),
        ]
    }

    private static let problem: JSONValue = [
        "type": "object", "description": "What went wrong (RFC 9457).",
        "properties": [
            "type": ["type": "string", "description": "about:blank: the title is the status's own."],
            "title": ["type": "string"],
            "status": ["type": "integer", "minimum": 400, "maximum": 599],
            "detail": ["type": "string", "description": "What is wrong with this request, and what to do."],
        ],
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": false,
    ]

    private static func problemAnswer(_ description: String) -> JSONValue {
        answer(description, reference("schemas", "Problem"), as: "application/problem+json")
    }

    private static let problems: [(name: String, value: JSONValue)] = [
        ("BadRequest", problemAnswer("The request can't be read; it will be wrong again.")),
        ("RequestTimeout", problemAnswer("The body did not arrive in time; nothing was stored.")),
        ("ContentTooLarge", problemAnswer("The body is over the bound, as sent or unpacked; send it in parts.")),
        ("UnsupportedMediaType", problemAnswer("The body is of a media type or an encoding that isn't understood.")),
        ("InternalError", problemAnswer("It failed; the server's log says why.")),
        (
            "Unavailable",
            problemAnswer(
                """
                Not now: overloaded, starting, stopping, the server's clock is not believed, or the read took too long. \
                Nothing was stored; the same request may succeed later.
                """
            )
            .adding(
                (
                    "headers",
                    ["Retry-After": ["description": "Seconds to wait.", "schema": ["type": "integer"]]]
                ))
        ),
    ]
}

/// What a server is asked about itself.
private enum ServiceOperations {
    static let paths: [OpenAPIDocument.Path] = [
        (
            OpenAPIDocument.path,
            [
                (
                    .get,
                    [
                        "operationId": "getOpenAPI", "summary": "This document", "tags": ["service"],
                        "responses": ["200": OpenAPIDocument.answer("The document.", ["type": "object"])],
                    ]
                )
            ]
        ),
        (
            "/healthz",
            [
                (
                    .get,
                    [
                        "operationId": "getHealth", "summary": "Whether the server runs", "tags": ["service"],
                        "responses": ["200": OpenAPIDocument.answer("It runs.", ["type": "string"], as: "text/plain")],
                    ]
                )
            ]
        ),
        (
            "/readyz",
            [
                (
                    .get,
                    [
                        "operationId": "getReadiness",
                        "summary": "Whether the server takes events: it can commit, and its clock is believed",
                        "tags": ["service"],
                        "responses": [
                            "200": OpenAPIDocument.answer("It does.", ["type": "string"], as: "text/plain"),
                            "503": OpenAPIDocument.reference("responses", "Unavailable"),
                        ],
                    ]
                )
            ]
        ),
        (
            "/metrics",
            [
                (
                    .get,
                    [
                        "operationId": "getMetrics", "summary": "Counters and gauges for Prometheus",
                        "tags": ["service"],
                        "responses": [
                            "200": OpenAPIDocument.answer("The metrics as text.", ["type": "string"], as: "text/plain")
                        ],
                    ]
                )
            ]
        ),
    ]
}
