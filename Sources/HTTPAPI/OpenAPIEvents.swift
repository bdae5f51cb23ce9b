// What the OpenAPI document says of usage events and of the answer to them.

import EventCodec
import HTTPTypes

enum EventOperations {
    private typealias Document = OpenAPIDocument

    static let paths: [OpenAPIDocument.Path] = [("/v1/events", [(.post, post)])]

    private static let post: JSONValue = [
        "operationId": "postEvents", "summary": "Store usage events",
        "description": """
        One event, a batch, an event a line, or one in CloudEvents' binary mode, in which the ce- headers have its \
        attributes and the body its data. A bad event spoils no other one: the answer names it. What is answered \
        with 200 is on the disk; the same request may always be sent again. A body of which not one event can be read \
        is 400.
        """,
        "tags": ["events"],
        "parameters": .array(parameters.map { Document.reference("parameters", $0.name) }),
        "requestBody": [
            "required": true,
            "content": [
                "application/cloudevents+json": ["schema": Document.reference("schemas", "UsageEvent")],
                "application/cloudevents-batch+json": [
                    "schema": ["type": "array", "items": Document.reference("schemas", "UsageEvent")]
                ],
                "application/x-ndjson": [
                    "schema": ["type": "string", "description": "A UsageEvent in each line."]
                ],
                "application/json": ["schema": Document.reference("schemas", "UsageData")],
            ],
        ],
        "responses": [
            "200": Document.answer(
                "What became of the events. The four counts add up to the events received.",
                Document.reference("schemas", "IngestReport")),
            "204": [
                "description": """
                With Prefer: return=minimal, where every event was accepted or is a duplicate. A correction or a refusal \
                is answered with 200 all the same.
                """,
                "headers": [
                    "Preference-Applied": [
                        "description": "The preference that was followed.",
                        "schema": ["type": "string", "const": "return=minimal"],
                    ]
                ],
            ],
            "400": Document.reference("responses", "BadRequest"),
            "408": Document.reference("responses", "RequestTimeout"),
            "413": Document.reference("responses", "ContentTooLarge"),
            "415": Document.reference("responses", "UnsupportedMediaType"),
            "500": Document.reference("responses", "InternalError"),
            "503": Document.reference("responses", "Unavailable"),
        ],
    ]

    static let parameters: [(name: String, value: JSONValue)] =
        ["specversion", "type", "source", "id", "time", "subject"].map { attribute in
            (
                "ce-\(attribute)",
                [
                    "name": .string("ce-\(attribute)"), "in": "header",
                    "description": .string(
                        "The event's \(attribute), in binary mode; what is not printable ASCII is percent-encoded UTF-8."
                    ), "schema": ["type": "string"],
                ]
            )
        } + [
            (
                "Content-Encoding",
                [
                    "name": "Content-Encoding", "in": "header", "description": "gzip where the body is packed.",
                    "schema": ["type": "string", "enum": ["gzip"]],
                ]
            ),
            (
                "Prefer",
                [
                    "name": "Prefer", "in": "header",
                    "description": """
                    return=minimal (RFC 7240): 204 without a body where every event was accepted or is a duplicate.
                    """,
                    "schema": ["type": "string"],
                ]
            ),
            (
                "Meterd-Now",
                [
                    "name": "Meterd-Now", "in": "header",
                    "description": """
                    What time it is, for a ledger with a test clock only. It never goes back and is at most 400 days after \
                    the latest instant recorded; without it the server's own clock counts, or the latest instant recorded.
                    """,
                    "schema": ["type": "string", "format": "date-time"],
                ]
            ),
        ]

    static let schemas: [(name: String, value: JSONValue)] = [
        ("UsageEvent", event), ("UsageData", data), ("IngestReport", report), ("EventResult", result),
    ]

    private static let event: JSONValue = [
        "type": "object",
        "description": """
        A CloudEvent, version 1.0. Other members are passed over. Only a gateway call may come without data: it counts \
        one call. It is refused as malformed where a member may be meant as its data (Data, payload, dataBase64).
        """,
        "properties": [
            "specversion": ["type": "string", "const": "1.0"],
            "type": ["type": "string", "enum": ["meterd.device_activity", "meterd.gateway_call", "meterd.usage"]],
            "source": ["type": "string", "minLength": 1, "description": "Who sends it; with id its identity."],
            "id": ["type": "string", "minLength": 1],
            "time": ["type": "string", "format": "date-time", "description": "When the usage was."],
            "subject": ["type": "string", "description": "The app's code."],
            "data": Document.reference("schemas", "UsageData"),
            "data_base64": [
                "type": "string", "contentEncoding": "base64",
                "description": "In place of data: the same JSON in base64, with padding.",
            ],
        ],
        "required": ["specversion", "type", "source", "id", "time", "subject"],
    ]

    private static let quantity: JSONValue = ["type": "integer", "minimum": 1, "maximum": 1_000_000_000_000]

    private static let data: JSONValue = [
        "description": "By the event's type. Other members are passed over.",
        "anyOf": [
            [
                "title": "meterd.device_activity", "type": "object",
                "properties": [
                    "device": ["type": "string", "description": "1 to 128 bytes of UTF-8, no control characters."],
                    "feature": ["type": "string"],
                    "features": ["type": "array", "items": ["type": "string"], "minItems": 1],
                ],
                "required": ["device"],
            ],
            [
                "title": "meterd.gateway_call", "type": "object",
                "description": """
                One call without calls, and without data. A member that looks like the quantity by another name (Calls, \
                call, count, quantity, apiCalls) is refused as bad_quantity, and so is calls where it is null.
                """,
                "properties": ["calls": quantity.adding(("default", 1)), "api": ["type": "string"]],
            ],
            [
                "title": "meterd.usage", "type": "object",
                "properties": ["feature": ["type": "string"], "quantity": quantity],
                "required": ["feature", "quantity"],
            ],
        ],
    ]

    private static let count: JSONValue = ["type": "integer", "minimum": 0]

    private static let report: JSONValue = [
        "type": "object",
        "properties": [
            "accepted": count, "duplicates": count,
            "corrections": count.adding(("description", "Late events that were taken.")), "refused": count,
            "not_kept": count.adding(
                (
                    "description",
                    """
                    How many of the refused events are not in quarantine, because it is full or they are over 64 KiB. \
                    Left out where it is 0.
                    """
                )),
            "results": [
                "type": "array", "description": "The events that were not simply accepted.",
                "items": Document.reference("schemas", "EventResult"),
            ],
        ],
        "required": ["accepted", "duplicates", "corrections", "refused", "results"],
        "additionalProperties": false,
    ]

    private static let result: JSONValue = [
        "type": "object",
        "properties": [
            "index": count.adding(("description", "The event's place in the request, from 0.")),
            "source": ["type": "string"], "id": ["type": "string"],
            "status": ["type": "string", "enum": ["duplicate", "correction", "refused"]],
            "code": [
                "type": "string", "enum": .array(RefusalCode.allCases.map { .string($0.rawValue) }),
                "description": "Why it was refused, for programs.",
            ],
            "reason": ["type": "string", "description": "Why it was refused, or where it is posted, for people."],
        ],
        "required": ["index", "status"],
        "additionalProperties": false,
    ]
}
