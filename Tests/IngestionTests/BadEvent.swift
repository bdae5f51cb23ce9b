// The bad events of the tests: each with the code and the words that it is refused with, and what mends its cause.

import EventCodec
import LedgerFixture
import PriceBookFile
import Testing

/// An event that is refused, and why.
struct BadEvent: Sendable, CustomTestStringConvertible {
    enum Mend: Sendable {
        /// The event itself is wrong, or its day is over.
        case none
        case app(String)
        /// Another version of the price book, with one text of the fixture's book replaced.
        case priceBook(String, by: String)
        case clock(String)
    }

    let what: String
    let text: String
    let code: RefusalCode
    /// A part of the reason.
    let reason: String
    var mend = Mend.none
    /// The row of `usage_daily` that the event makes or raises once it is mended.
    var counted = ""
    /// No JSON object, so nothing that could be kept.
    var isUnreadable = false

    var testDescription: String { what }

    /// Events as the table writes them: a good one with a member (JSON, or nil to leave it out) changed.
    private static func table(
        _ good: EventLine, _ rows: [(member: String, value: String?, code: RefusalCode, reason: String)]
    ) -> [BadEvent] {
        rows.map { row in
            let line = good.with(row.member, row.value)
            let value = row.value.map { $0.count > 40 ? "\($0.count) characters" : $0 } ?? "missing"
            return BadEvent(
                what: "\(row.member) \(value) (\(row.code.rawValue))", text: line.text, code: row.code,
                reason: row.reason)
        }
    }

    private static func long(_ count: Int) -> String { "\"" + String(repeating: "x", count: count) + "\"" }

    // MARK: The fields of every type

    private static let good: [(type: String, event: EventLine)] = [
        ("device_activity", .device("d", id: "bad")),
        ("gateway_call", .calls(5, id: "bad")),
        ("usage", .usage(5, of: "gateway_calls", id: "bad")),
    ]

    static let ofEveryType: [BadEvent] = good.flatMap { type, event in
        table(
            event,
            [
                ("specversion", nil, .malformed, "specversion is missing"),
                ("specversion", "\"\"", .malformed, "specversion must be"),
                ("specversion", "1.0", .malformed, "specversion must be \"1.0\", not 1.0"),
                ("specversion", "\"0.3\"", .malformed, "not \"0.3\""),
                ("type", nil, .malformed, "type is missing"),
                ("type", "\"\"", .malformed, "type is empty"),
                ("type", "7", .malformed, "type must be a string"),
                (
                    "type", "\"meterd.refund\"", .unknownType,
                    "\"meterd.refund\" is none of meterd.device_activity, meterd.gateway_call, meterd.usage"
                ),
                ("source", nil, .malformed, "source is missing"),
                ("source", "\"\"", .malformed, "source is empty"),
                ("source", "[]", .malformed, "source must be a string"),
                ("source", long(1025), .malformed, "1025 bytes"),
                ("id", nil, .malformed, "id is missing"),
                ("id", "\"\"", .malformed, "id is empty"),
                ("id", "77120", .malformed, "id must be a string"),
                ("id", long(257), .malformed, "257 bytes"),
                ("id", "\"a\\u0000\"", .malformed, "control characters"),
                ("time", nil, .badTime, "time is missing"),
                ("time", "\"\"", .badTime, "RFC 3339"),
                ("time", "1799553600", .badTime, "counts seconds since 1970, write \"2027-01-10T04:00:00Z\""),
                ("time", "true", .badTime, "time must be a string"),
                ("time", "\"2027-01-10T10:00:00\"", .badTime, "with an offset"),
                ("time", "\"2027-02-30T10:00:00Z\"", .badTime, "there is no such day"),
                ("time", "\"2026-12-05T23:59:59Z\"", .tooOld, "the age limit of this ledger is 35 days"),
                ("time", "\"1970-01-01T00:00:00Z\"", .tooOld, "the age limit of this ledger"),
                ("time", "\"2027-01-11T12:10:00.000001Z\"", .inFuture, "more than 10 minutes after the arrival"),
                ("subject", nil, .malformed, "subject is missing"),
                ("subject", "\"\"", .malformed, "subject is empty"),
                ("subject", "{}", .malformed, "subject must be a string"),
                ("subject", long(129), .malformed, "129 bytes"),
                ("subject", "\"Shop\"", .unknownApp, "app 'Shop' is not in the ledger; did you mean 'shop'?"),
                (
                    "subject", "\"acme\"", .unknownApp,
                    "app 'acme' is not in the ledger: 'acme' is a tenant, and subject is the code of an app; its apps are "
                        + "'shop'"
                ),
                ("data", "null", .malformed, "data is null"),
                ("data_base64", "\"\"", .malformed, "exclude each other"),
                ("data", "\"\"", .malformed, "data must be an object"),
                ("data", "[]", .malformed, "data must be an object"),
            ]
        ).map {
            BadEvent(what: "\(type): \($0.what)", text: $0.text, code: $0.code, reason: $0.reason)
        }
    }

    // MARK: The fields of one type

    static let ofDeviceActivity = table(
        .device("d", id: "bad"),
        [
            ("data", nil, .malformed, "data is missing"),
            ("data.device", nil, .badDevice, "data.device is missing"),
            ("data.device", "\"\"", .badDevice, "data.device is empty"),
            ("data.device", "7", .badDevice, "data.device must be a string"),
            ("data.device", long(129), .badDevice, "129 bytes"),
            ("data.device", "\"a\\nb\"", .badDevice, "control characters"),
            ("data.feature", nil, .malformed, "data.feature or data.features is missing"),
            ("data.feature", "\"\"", .malformed, "data.feature is empty"),
            ("data.feature", "[]", .malformed, "data.feature must be a string"),
            ("data.feature", long(129), .malformed, "129 bytes"),
            (
                "data.feature", "\"teleport\"", .unknownFeature,
                "feature 'teleport' is not in the price book 'mpaas'; 'meterd price-book show' lists its features"
            ),
            (
                "data.feature", "\"Basic_Analysis\"", .unknownFeature,
                "feature 'Basic_Analysis' is not in the price book 'mpaas'; did you mean 'basic_analysis'? 'meterd price"
            ),
            ("data.feature", "\"kernel\"", .notMetered, "'kernel' has no billable items"),
            (
                "data.feature", "\"mobile_gateway\"", .wrongType,
                "'gateway_calls', which takes events of type meterd.gateway_call"
            ),
            (
                "data.feature", "\"gateway_calls\"", .wrongType,
                "'gateway_calls', which takes events of type meterd.gateway_call"
            ),
            ("data.features", "[\"message_push\"]", .malformed, "exclude each other"),
            ("data", #"{"device":"d","features":[]}"#, .malformed, "data.features is empty"),
            ("data", #"{"device":"d","features":"a"}"#, .malformed, "must be an array"),
            (
                "data", #"{"device":"d","features":["basic_analysis",7]}"#, .malformed,
                "data.features[1] must be a string"
            ),
            // An event that feeds several items is accepted whole or refused whole (Billing rules, section 2).
            ("data", #"{"device":"d","features":["basic_analysis","teleport"]}"#, .unknownFeature, "'teleport'"),
            (
                "data", #"{"device":"d","features":["basic_analysis","security_armor"]}"#, .notMetered,
                "'security_armor'"
            ),
            ("data", #"{"device":"d","features":["basic_analysis","mobile_gateway"]}"#, .wrongType, "'mobile_gateway'"),
        ])

    static let ofGatewayCalls = table(
        .calls(5, id: "bad"),
        [
            ("data.calls", "\"5\"", .badQuantity, "data.calls must be a whole number"),
            ("data.calls", "\"\"", .badQuantity, "data.calls must be a whole number"),
            ("data.calls", "0", .badQuantity, "from 1 to 1000000000000"),
            ("data.calls", "-1", .badQuantity, "not -1"),
            ("data.calls", "2.0", .badQuantity, "without point or exponent"),
            ("data.calls", "1e3", .badQuantity, "not 1e3"),
            ("data.calls", "1000000000001", .badQuantity, "not 1000000000001"),
            ("data.calls", "99999999999999999999", .badQuantity, "data.calls"),
            ("data.calls", "null", .badQuantity, "data.calls is null"),
            ("data", #"{"Calls":5}"#, .badQuantity, "data.Calls is there: rename it to calls"),
            ("data", #"{"quantity":5}"#, .badQuantity, "data.quantity is there: rename it to calls"),
            ("data", #"{"count":5}"#, .badQuantity, "data.count is there: rename it to calls"),
        ])

    static let ofUsage = table(
        .usage(5, of: "gateway_calls", id: "bad"),
        [
            ("data", nil, .malformed, "data is missing"),
            ("data.quantity", nil, .badQuantity, "data.quantity is missing"),
            (
                "data", #"{"feature":"gateway_calls","calls":5}"#, .badQuantity,
                "data.quantity is missing, but data.calls is there: rename it to quantity"
            ),
            ("data.quantity", "\"5\"", .badQuantity, "data.quantity must be a whole number"),
            ("data.quantity", "0", .badQuantity, "from 1 to 1000000000000"),
            ("data.quantity", "-87000", .badQuantity, "not -87000"),
            ("data.quantity", "0.5", .badQuantity, "not 0.5"),
            ("data.quantity", "1000000000001", .badQuantity, "not 1000000000001"),
            ("data.feature", nil, .malformed, "data.feature is missing"),
            ("data.feature", "\"\"", .malformed, "data.feature is empty"),
            ("data.feature", "7", .malformed, "data.feature must be a string"),
            ("data.feature", long(129), .malformed, "129 bytes"),
            ("data.feature", "\"teleport\"", .unknownFeature, "feature 'teleport'"),
            ("data.feature", "\"security_armor\"", .notMetered, "'security_armor' has no billable items"),
            ("data.feature", "\"basic_analysis\"", .wrongType, "takes events of type meterd.device_activity"),
            // Legacy items (Billing rules, section 3): the answer names the replacement.
            ("data.feature", "\"synchronized_messages\"", .legacyItem, "it was replaced by 'data_sync'"),
            (
                "data.feature", "\"log_reporting_traffic\"", .legacyItem,
                "'basic_analysis', 'custom_analysis', 'performance_analysis'"
            ),
        ])

    // MARK: Causes outside the event, which can be mended

    static let withCauseThatCanBeMended = [
        BadEvent(
            what: "an app that is not there yet", text: EventLine.device("d", id: "bad", app: "kiosk").text,
            code: .unknownApp, reason: "'kiosk'", mend: .app("kiosk"),
            counted: "acme kiosk basic_analysis 2027-01-10 2027-01-10 1 1"),
        BadEvent(
            what: "calls of an app that is not there yet", text: EventLine.calls(5, id: "bad", app: "kiosk").text,
            code: .unknownApp, reason: "'kiosk'", mend: .app("kiosk"),
            counted: "acme kiosk gateway_calls 2027-01-10 2027-01-10 5 0"),
        BadEvent(
            what: "a feature that the price book lacks",
            text: EventLine.device("d", of: "teleport", id: "bad").text, code: .unknownFeature, reason: "'teleport'",
            mend: .priceBook("features:\n", by: "features:\n  teleport: { name: Teleport, items: [ location ] }\n"),
            counted: "acme shop location 2027-01-10 2027-01-10 1 1"),
        BadEvent(
            what: "a feature that is not metered", text: EventLine.device("d", of: "security_armor", id: "bad").text,
            code: .notMetered, reason: "'security_armor'",
            mend: .priceBook(
                "{ name: Mobile Security Armor, items: [] }", by: "{ name: Armor, items: [ location ] }"),
            counted: "acme shop location 2027-01-10 2027-01-10 1 1"),
        BadEvent(
            what: "a feature that feeds an item of the other kind",
            text: EventLine.usage(5, of: "location", id: "bad").text, code: .wrongType, reason: "'location'",
            mend: .priceBook(
                "{ name: Location Based Service, items: [ location ] }",
                by: "{ name: Location, items: [ gateway_calls ] }"),
            counted: "acme shop gateway_calls 2027-01-10 2027-01-10 12 0"),
        BadEvent(
            what: "a legacy item without a price",
            text: EventLine.usage(5, of: "synchronized_messages", id: "bad", app: "veteran").text, code: .legacyItem,
            reason: "replaced by 'data_sync'",
            mend: .priceBook(
                "replaced_by: [ data_sync ]", by: "replaced_by: [ data_sync ], tiers: [ { price: \"0.1\" } ]"),
            counted: "pioneer veteran synchronized_messages 2027-01-10 2027-01-10 5 0"),
        BadEvent(
            what: "device activity from the future",
            text: EventLine.device("d", id: "bad", at: "2027-01-10T12:10:00.000001Z").text, code: .inFuture,
            reason: "more than 10 minutes", mend: .clock("2027-01-10T12:00:01Z"),
            counted: "acme shop basic_analysis 2027-01-10 2027-01-10 2 2"),
        BadEvent(
            what: "calls from the day after tomorrow",
            text: EventLine.calls(5, id: "bad", at: "2027-01-12T00:00:00Z").text, code: .inFuture,
            reason: "more than 10 minutes", mend: .clock("2027-01-12T08:00:00Z"),
            counted: "acme shop gateway_calls 2027-01-12 2027-01-12 5 0"),
    ]

    // MARK: What is no event at all

    static let thatCannotBeRead = [
        ("no JSON", "metered!"), ("an empty text", ""), ("half an object", #"{"specversion":"1.0","#),
        ("an array", "[]"), ("null", "null"), ("a number", "42"),
        ("a member twice", #"{"id":"a","id":"b"}"#),
        ("a comma too many", EventLine.calls(5, id: "bad").text.replacing("}}", with: "},}")),
        ("a second object behind it", EventLine.calls(5, id: "bad").text + "{}"),
        ("half a surrogate pair", #"{"id":"\ud800"}"#),
    ].map {
        BadEvent(what: $0.0, text: $0.1, code: .malformed, reason: "", isUnreadable: true)
    }

    static let all =
        ofEveryType + ofDeviceActivity + ofGatewayCalls + ofUsage + withCauseThatCanBeMended + thatCannotBeRead
}
