// Every rule for the members of an event: what is taken, what is refused, with which code and why.

import EventCodec
import Testing

@Suite("The members of an event")
struct EventRuleTests {
    @Test("The three types are read with all their fields")
    func goodEvents() {
        let time: Int64 = 1_799_553_600_123_000
        #expect(
            read(EventText.activity.text).event
                == .init(
                    kind: .deviceActivity, source: "/sdk/ios", id: "01JD", subject: "shop", timeMicros: time,
                    features: ["basic_analysis"], device: "b6f3", quantity: 1, raw: EventText.activity.text))
        #expect(
            read(EventText.call.text).event
                == .init(
                    kind: .gatewayCall, source: "/sdk/ios", id: "01JD", subject: "shop", timeMicros: time,
                    features: [], device: "", quantity: 1200, raw: EventText.call.text))
        #expect(
            read(EventText.usage.text).event
                == .init(
                    kind: .usage, source: "/sdk/ios", id: "01JD", subject: "shop", timeMicros: time,
                    features: ["synchronized_messages"], device: "", quantity: 87000, raw: EventText.usage.text))
    }

    @Test(
        "Events that are unusual but right",
        arguments: [
            EventText.activity.with("partitionkey", "[1, {\"a\": null}]"),
            EventText.activity.with("data", #"{"device":"d","feature":"f","features":null,"quantity":"no matter"}"#),
            EventText.activity.with("data", #"{"device":"d","feature":null,"features":["f"]}"#),
            EventText.activity.with("source", quoted(String(repeating: "s", count: 1024))),
            EventText.activity.with("id", quoted(String(repeating: "i", count: 256))),
            EventText.activity.with("subject", quoted(String(repeating: "é", count: 64))),
            EventText.activity.with("data", #"{"feature":"f","device":"\#(String(repeating: "d", count: 128))"}"#),
            EventText.activity.with("data", #"{"feature":"\#(String(repeating: "f", count: 128))","device":"d"}"#),
            EventText.activity.with("data", #"{"feature":"f","device":"¡ U+00A1 is no control"}"#),
            EventText.call.with("data", nil),
            EventText.call.with("data", nil).with("data_base64", "null"),
            EventText.call.with("data", "{}"),
            EventText.call.with("data", #"{"calls":null}"#),
            EventText.call.with("data", #"{"calls":1}"#),
            EventText.call.with("data", #"{"calls":1000000000000}"#),
            EventText.usage.with("data", #"{"feature":"f","quantity":1,"features":7,"device":""}"#),
            EventText.usage.with("data", #"{"feature":"f","quantity":1000000000000}"#),
        ])
    func unusualEvents(event: EventText) {
        #expect(read(event.text).event != nil, "\(read(event.text))")
    }

    @Test("The order of members and escapes in names and values make no difference")
    func escapesAndOrder() {
        let text = #"""
            {"d\u0061ta":{"device":"caf\u00e9 \"\ud83d\ude00\"\/","features":["a\u0062","c","a\u0062"]},
             "subject":"sh\u006fp","time":"2027-01-10T04:00:00Z","id":"1\\2","source":"\/x",
             "type":"meterd.device\u005factivity","specversion":"1\u002e0"}
            """#
        let event = read(text).event
        #expect(event?.device == "café \"😀\"/")
        #expect(event?.features == ["ab", "c", "ab"])
        #expect(event?.subject == "shop")
        #expect(event?.id == "1\\2")
        #expect(event?.source == "/x")
        #expect(event?.raw == text)
    }

    @Test("White space around the event is no part of it")
    func whiteSpaceAround() {
        #expect(read(" \r\n\t" + EventText.call.text + "\n ") == read(EventText.call.text))
    }

    @Test(
        "A member that is missing, null, of another type, empty or too long is refused",
        arguments: [
            ("specversion", nil, "specversion is missing"),
            ("specversion", "null", "specversion is missing"),
            ("specversion", "1.0", #"specversion must be "1.0", not 1.0"#),
            ("specversion", #""0.3""#, #"specversion must be "1.0", not "0.3""#),
            ("type", nil, "type is missing"),
            ("type", "7", "type must be a string, not 7"),
            ("type", #""""#, "type is empty"),
            ("source", nil, "source is missing"),
            ("source", "null", "source is missing"),
            ("source", "[]", "source must be a string, not an array"),
            ("source", #""""#, "source is empty"),
            ("id", nil, "id is missing"),
            ("id", "77120", "id must be a string, not 77120"),
            ("id", #""""#, "id is empty"),
            ("id", #""a\nb""#, #"id has control characters: "a\nb""#),
            ("id", #""a\u0000""#, #"id has control characters: "a\u{0}""#),
            ("id", "\"12345678\u{7F}\"", #"id has control characters: "12345678\u{7F}""#),
            ("id", "\"1234567\u{80}\"", #"id has control characters: "1234567\u{80}""#),
            ("id", "\"\u{9F}\"", #"id has control characters: "\u{9F}""#),
            ("subject", nil, "subject is missing"),
            ("subject", "{}", "subject must be a string, not an object"),
            ("subject", #""""#, "subject is empty"),
            ("subject", "true", "subject must be a string, not true"),
            ("data", nil, "data is missing"),
            ("data", "null", "data is missing"),
            ("data", "[]", "data must be an object, not an array"),
            ("data", #""x""#, #"data must be an object, not "x""#),
        ] as [(String, String?, String)])
    func malformedMembers(name: String, value: String?, reason: String) {
        let text = EventText.activity.with(name, value).text
        let reading = read(text)
        #expect(reading.code == .malformed)
        #expect(reading.reason == reason)
        #expect(reading.isJSON)
    }

    @Test("A gateway call without data is one call, and only if data is left out")
    func callsWithoutData() {
        #expect(read(EventText.call.with("data", nil).text).event?.quantity == 1)
        #expect(read(EventText.call.with("data", "null").text).reason == "data is missing")
        #expect(read(EventText.call.with("data", "1").text).reason == "data must be an object, not 1")
        let base64 = EventText.call.with("data", nil).with("data_base64", quoted("e30="))
        #expect(read(base64.text).reason == "data is missing; data_base64 is not read")
        #expect(read(EventText.usage.with("data", nil).text).reason == "data is missing")
    }

    @Test(
        "A member one byte too long is refused, and its start is shown",
        arguments: [
            ("source", 1024, RefusalCode.malformed), ("id", 256, .malformed), ("subject", 128, .malformed),
        ])
    func longMembers(name: String, most: Int, code: RefusalCode) {
        let reading = read(EventText.activity.with(name, quoted(String(repeating: "x", count: most + 1))).text)
        let start = String(repeating: "x", count: 64)
        #expect(reading.code == code)
        #expect(reading.reason == "\(name) has \(most + 1) bytes, \(most) at most are allowed: \"\(start)…\"")
    }

    @Test(
        "An unknown type has a code of its own",
        arguments: [
            "meterd.other", "meterd.usagE", "Meterd.usage", "meterd.gateway_calls", "meterd.device-activity", "\\u0000",
        ])
    func unknownTypes(type: String) {
        #expect(read(EventText.activity.with("type", quoted(type)).text).code == .unknownType)
    }

    @Test(
        "A time that is missing or no RFC 3339 time is refused",
        arguments: [
            (nil, "time is missing"),
            ("null", "time is missing"),
            ("1799553600", "time must be a string, not 1799553600"),
            (#""""#, #"time must be an RFC 3339 date and time with an offset, not """#),
            (
                #""2027-01-10T12:00:00""#,
                #"time must be an RFC 3339 date and time with an offset, not "2027-01-10T12:00:00""#
            ),
            (#""2026-11-31T12:00:00Z""#, #"time "2026-11-31T12:00:00Z": there is no such day"#),
            (#""2027-13-01T12:00:00Z""#, #"time "2027-13-01T12:00:00Z": there is no such day"#),
            (
                #""2026-11-31T25:00:00Z""#,
                #"time must be an RFC 3339 date and time with an offset, not "2026-11-31T25:00:00Z""#
            ),
        ] as [(String?, String)])
    func badTimes(value: String?, reason: String) {
        let reading = read(EventText.activity.with("time", value).text)
        #expect(reading.code == .badTime)
        #expect(reading.reason == reason)
    }

    @Test(
        "Device activity names one feature or several, not both",
        arguments: [
            (#"{"device":"d"}"#, "data.feature or data.features is missing"),
            (#"{"device":"d","feature":null}"#, "data.feature or data.features is missing"),
            (#"{"device":"d","feature":"f","features":["f"]}"#, "data.feature and data.features exclude each other"),
            (#"{"device":"d","feature":"f","features":[]}"#, "data.feature and data.features exclude each other"),
            (#"{"device":"d","feature":1}"#, "data.feature must be a string, not 1"),
            (#"{"device":"d","feature":""}"#, "data.feature is empty"),
            (#"{"device":"d","feature":"a\tb"}"#, #"data.feature has control characters: "a\u{9}b""#),
            (#"{"device":"d","features":[]}"#, "data.features is empty"),
            (#"{"device":"d","features":"f"}"#, #"data.features must be an array of strings, not "f""#),
            (#"{"device":"d","features":["f",""]}"#, "data.features[1] is empty"),
            (#"{"device":"d","features":["f",null]}"#, "data.features[1] is missing"),
            (#"{"device":"d","features":["f","g",{"a":[]}]}"#, "data.features[2] must be a string, not an object"),
            (#"{"feature":"","device":""}"#, "data.feature is empty"),
        ])
    func badFeatures(data: String, reason: String) {
        let reading = read(EventText.activity.with("data", data).text)
        #expect(reading.code == .malformed)
        #expect(reading.reason == reason)
    }

    @Test("32 features are taken, in their order, 33 are not")
    func featureCount() {
        func reading(_ count: Int) -> Reading {
            let features = (0..<count).map { "\"f\($0)\"" }.joined(separator: ",")
            return read(EventText.activity.with("data", "{\"features\":[\(features)],\"device\":\"d\"}").text)
        }
        #expect(reading(32).event?.features == (0..<32).map { "f\($0)" })
        #expect(reading(33).code == .malformed)
        #expect(reading(33).reason == "data.features has 33 entries, 32 at most are allowed")
    }

    @Test("A feature code one byte too long is refused, wherever it stands")
    func longFeatures() {
        let long = quoted(String(repeating: "f", count: 129))
        for data in [#"{"device":"d","feature":\#(long)}"#, #"{"device":"d","features":["f",\#(long)]}"#] {
            #expect(read(EventText.activity.with("data", data).text).code == .malformed)
        }
        #expect(
            read(EventText.usage.with("data", #"{"quantity":1,"feature":\#(long)}"#).text).code == .malformed)
    }

    @Test(
        "A device id must be 1 to 128 bytes of text",
        arguments: [
            (nil, "data.device is missing"),
            ("null", "data.device is missing"),
            ("12", "data.device must be a string, not 12"),
            (#""""#, "data.device is empty"),
            (#""\u0085""#, #"data.device has control characters: "\u{85}""#),
        ] as [(String?, String)])
    func badDevices(value: String?, reason: String) {
        let device = value.map { ",\"device\":\($0)" } ?? ""
        let reading = read(EventText.activity.with("data", #"{"feature":"f"\#(device)}"#).text)
        #expect(reading.code == .badDevice)
        #expect(reading.reason == reason)
        for count in [129, 130, 4000] {
            let long = quoted(String(repeating: "d", count: count))
            #expect(
                read(EventText.activity.with("data", #"{"feature":"f","device":\#(long)}"#).text).code == .badDevice)
        }
    }

    @Test(
        "Calls and quantities are whole numbers from 1 to 10^12, written as such",
        arguments: [
            "0", "-1", "-0", "1000000000001", "10000000000000", "99999999999999999999999999", "2.0", "1.5", "1e3",
            "1E0",
            "\"5\"", "true", "false", "[]", "{}", "[1]",
        ])
    func badQuantities(value: String) {
        let shown = value == "[]" || value == "[1]" ? "an array" : value == "{}" ? "an object" : value
        let rule = "must be a whole number from 1 to 1000000000000, written without point or exponent, not \(shown)"
        let call = read(EventText.call.with("data", "{\"calls\":\(value)}").text)
        #expect(call.code == .badQuantity)
        #expect(call.reason == "data.calls \(rule)")
        let usage = read(EventText.usage.with("data", "{\"feature\":\"f\",\"quantity\":\(value)}").text)
        #expect(usage.code == .badQuantity)
        #expect(usage.reason == "data.quantity \(rule)")
    }

    @Test("Usage needs a quantity and a single feature")
    func usageMembers() {
        let data = { read(EventText.usage.with("data", $0).text) }
        #expect(data(#"{"feature":"f"}"#).reason == "data.quantity is missing")
        #expect(data(#"{"feature":"f"}"#).code == .badQuantity)
        #expect(data(#"{"feature":"f","quantity":null}"#).code == .badQuantity)
        #expect(data(#"{"quantity":0}"#).reason == "data.feature is missing")
        #expect(data(#"{"quantity":1,"features":["f"]}"#).code == .malformed)
    }

    @Test("The first rule that does not hold gives the code")
    func precedence() {
        // Everything is wrong; right members come in one by one, in the order of the rules.
        let order = ["specversion", "type", "source", "id", "subject", "time", "data"]
        var event = EventText(members: order.map { ($0, "0") }).with("type", quoted("x"))
        var answers: [String] = []
        for name in order {
            let reading = read(event.text)
            answers.append("\(reading.code?.rawValue ?? "taken"): \(reading.reason?.prefix { $0 != " " } ?? "")")
            event = event.with(name, EventText.activity.members.first { $0.name == name }?.value)
        }
        #expect(
            answers == [
                "malformed: specversion", "unknown_type: type", "malformed: source", "malformed: id",
                "malformed: subject", "bad_time: time", "malformed: data",
            ])
        #expect(read(event.text).event != nil)
    }

    @Test("A refusal carries the source and id that are valid themselves")
    func refusalIdentity() {
        let noTime = read(EventText.activity.with("time", nil).text)
        guard case .refused(_, _, let source, let id, let raw) = noTime else {
            Issue.record("taken")
            return
        }
        #expect(source == "/sdk/ios")
        #expect(id == "01JD")
        #expect(raw == EventText.activity.with("time", nil).text)

        let noID = read(EventText.activity.with("id", "7").text)
        if case .refused(_, _, let source, let id, _) = noID {
            #expect(source == "/sdk/ios")
            #expect(id == nil)
        }
    }

    @Test("Values in reasons are printable and cut between characters")
    func printableReasons() {
        let types = "meterd.device_activity, meterd.gateway_call, meterd.usage"
        let tricky = "\u{202E}" + String(repeating: "é", count: 100)
        let reason = read(EventText.activity.with("type", quoted(tricky)).text).reason
        #expect(reason == "type \"\\u{202E}\(String(repeating: "é", count: 30))…\" is none of \(types)")
    }

    @Test("The codes are the stable ones of the interface")
    func codes() {
        #expect(
            RefusalCode.allCases.map(\.rawValue) == [
                "malformed", "unknown_type", "unknown_app", "unknown_feature", "not_metered", "wrong_type",
                "legacy_item", "bad_device", "bad_quantity", "bad_time", "too_old", "in_future", "conflict",
            ])
    }

    @Test("What a scanner gave out stays valid while it scans on, until it is reset")
    func manyEventsWithOneScanner() {
        let texts = (0..<3000).map { i in
            let escapes = String(repeating: "\\u0041", count: i % 40)
            return Array(
                EventText.activity.with("id", "\"\(i)\(escapes)\"")
                    .with("data", #"{"features":["x\u0030","y\u0030\#(i)"],"device":"d"}"#).text.utf8)
        }
        let scanner = EventScanner()
        for _ in 0..<2 {
            // The texts' own memory moves on; escaped strings live in the scanner alone.
            let results = texts.map { $0.withUnsafeBufferPointer(scanner.scan) }
            for (i, result) in results.enumerated() {
                guard case .event(let event) = result else {
                    Issue.record("event \(i) was refused")
                    continue
                }
                if i % 40 > 0 {
                    #expect(event.id.string == "\(i)" + String(repeating: "A", count: i % 40))
                }
                #expect(event.feature.string == "x0")
                #expect(scanner.features[event.moreFeatures].map(\.string) == ["y0\(i)"])
            }
            scanner.reset()
            #expect(scanner.features.isEmpty)
        }
    }
}
