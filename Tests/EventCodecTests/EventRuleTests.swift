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
            EventText.call.with("data", "{}"),
            EventText.call.with("data", #"{"api":"com.acme.pay","country":"NZ","caller":"app","quality":1,"c":2}"#),
            EventText.call.with("data", #"{"calls":5,"Calls":7,"quantity":9}"#).with("count", "3"),
            EventText.call.with("data", nil).with("data_base64", quoted("e30=")),
            EventText.call.with("data", "null").with("data_base64", quoted("eyJjYWxscyI6NX0=")),
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
            ("data", "null", "data is null"),
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
        let null = read(EventText.call.with("data", "null").text)
        #expect(null.code == .malformed)
        #expect(
            null.reason == #"data is null: leave data out for one call, or write how many, as {"calls":1200}"#)
        #expect(read(EventText.call.with("data", "1").text).reason == "data must be an object, not 1")
        #expect(read(EventText.call.with("data", #""{\"calls\":2}""#).text).code == .malformed)
        #expect(read(EventText.usage.with("data", nil).text).reason == "data is missing")
    }

    @Test(
        "A gateway call whose data has something like calls is not taken for one call",
        arguments: [
            (#"{"quantity":1200}"#, "quantity"), (#"{"Calls":1200}"#, "Calls"), (#"{"call":1200}"#, "call"),
            (#"{"CALLS":"1200"}"#, "CALLS"), (#"{"count":1200}"#, "count"), (#"{"Counts":[]}"#, "Counts"),
            (#"{"cals":1}"#, "cals"), (#"{"calsl":1}"#, "calsl"), (#"{"callls":1}"#, "callls"),
            (#"{"cakls":1}"#, "cakls"), (#"{"api":"pay","c\u0061ll_s":1}"#, "call_s"), (#"{" calls":1}"#, " calls"),
            (#"{"quantitiy":1}"#, "quantitiy"), (#"{"qty":null}"#, "qty"), (#"{"callCount":7}"#, "callCount"),
            (#"{"number_of_calls":7}"#, "number_of_calls"), (#"{"c\u0430lls":7}"#, "c\u{430}lls"),
            (#"{"apiCalls":7}"#, "apiCalls"), (#"{"call_counts":7}"#, "call_counts"),
            (#"{"number_of_call":7}"#, "number_of_call"), (#"{"total_quantity":7}"#, "total_quantity"),
            (#"{"gateway_calls":7}"#, "gateway_calls"), (#"{"request-count":7}"#, "request-count"),
            (#"{"calls_total":7}"#, "calls_total"), (#"{"quantity.total":7}"#, "quantity.total"),
            (
                #"{"NUMBER_OF_CALLS_TO_THE_API_THAT_WERE_COUNTED_AS_CALLS":7}"#,
                "NUMBER_OF_CALLS_TO_THE_API_THAT_WERE_COUNTED_AS_CALLS"
            ),
        ])
    func misnamedCalls(data: String, name: String) {
        let reading = read(EventText.call.with("data", data).text)
        #expect(reading.code == .badQuantity)
        #expect(reading.reason == "data.calls is missing, but data.\(name) is there: rename it to calls")
        #expect(reading.isJSON)
    }

    @Test("A gateway call whose calls are null, or are outside data, is not taken for one call")
    func strayCalls() {
        let null = read(EventText.call.with("data", #"{"calls":null}"#).text)
        #expect(null.code == .badQuantity)
        #expect(null.reason == "data.calls is null: leave it out for one call, or write a whole number")
        for event in [EventText.call.with("data", nil), EventText.call.with("data", "{}")] {
            let beside = read(event.with("calls", "1200").text)
            #expect(beside.code == .badQuantity)
            #expect(
                beside.reason == "data.calls is missing, but calls is outside data: move it into data and name it calls"
            )
        }
    }

    @Test(
        "A word that only ends as a quantity does leaves a gateway call one call",
        arguments: [
            "account", "user_account", "accounts", "discount", "Discounts", "recall", "caller", "country", "callback",
        ])
    func wordsThatEndAlike(name: String) {
        let member = "{\"\(name)\":7}"
        #expect(read(EventText.call.with("data", member).text).event?.quantity == 1)
        #expect(read(EventText.call.with("data", nil).with(name.lowercased(), "7").text).event?.quantity == 1)
    }

    @Test(
        "A gateway call whose data has another name is not taken for one call",
        arguments: [
            ("Data", #"{"calls":1200}"#, "data"), ("DATA", #"{"calls":1200}"#, "data"), ("_data", "{}", "data"),
            ("d\u{430}ta", "{}", "data"), ("dta", "{}", "data"), ("daat", "{}", "data"), ("datas", "[]", "data"),
            ("payload", #"{"calls":1200}"#, "data"), ("Payload", #""calls=5""#, "data"), ("payloads", "[]", "data"),
            ("body", "{}", "data"), ("eventData", "{}", "data"), ("date", #"{"calls":1200}"#, "data"),
            ("dataBase64", #""eyJjYWxscyI6NX0=""#, "data_base64"), ("database64", #""e30=""#, "data_base64"),
            ("data-base64", #""e30=""#, "data_base64"), ("DATA_BASE64", "null", "data_base64"),
            ("data_base46", #""e30=""#, "data_base64"), ("base64", #""e30=""#, "data_base64"),
        ])
    func misnamedData(name: String, value: String, meant: String) {
        for event in [EventText.call, .usage, .activity] {
            let reading = read(event.with("data", nil).with(name, value).text)
            #expect(reading.code == .malformed)
            #expect(reading.reason == "data is missing, but \(name) is there: rename it to \(meant)")
            #expect(reading.isJSON)
        }
        let beside = read(EventText.call.with("data", "{}").with(name, value).text)
        #expect(beside.code == .malformed)
        #expect(beside.reason?.contains(" is there beside data: move what it counts into data") == true)
        #expect(read(EventText.call.with(name, value).text).event?.quantity == 1200)
    }

    @Test("A gateway call whose data_base64 is null is not taken for one call")
    func nullBase64() {
        let reading = read(EventText.call.with("data", nil).with("data_base64", "null").text)
        #expect(reading.code == .malformed)
        #expect(
            reading.reason
                == #"data_base64 is null: leave it out for one call, or write how many in data, as {"calls":1200}"#)
        #expect(read(EventText.call.with("data", "{}").with("data_base64", "null").text).event?.quantity == 1)
    }

    @Test(
        "An extension of CloudEvents is no data, and a gateway call with it is one call",
        arguments: [
            "traceparent", "tracestate", "sequence", "sequencetype", "partitionkey", "dataschema", "datacontenttype",
            "date", "expirytime", "recordedtime", "sampledrate", "authid", "severitytext", "metadata",
        ])
    func extensions(name: String) {
        for data in [nil, "{}"] {
            #expect(read(EventText.call.with("data", data).with(name, quoted("x")).text).event?.quantity == 1)
        }
    }

    @Test(
        "What is missing is told by the name that stands there instead",
        arguments: [
            (EventText.usage, #"{"feature":"f","calls":5}"#, "data.quantity", "data.calls", "quantity"),
            (EventText.usage, #"{"feature":"f","Quantity":5}"#, "data.quantity", "data.Quantity", "quantity"),
            (EventText.usage, #"{"feature":"f","count":5,"quantity":null}"#, "data.quantity", "data.count", "quantity"),
            (EventText.usage, #"{"features":["f"],"quantity":5}"#, "data.feature", "data.features", "feature"),
            (EventText.activity, #"{"feature":"f","devices":["d"]}"#, "data.device", "data.devices", "device"),
            (EventText.activity, #"{"feature":"f","deviceId":"d"}"#, "data.device", "data.deviceId", "device"),
            (
                EventText.activity, #"{"Feature":"f","device":"d"}"#, "data.feature or data.features", "data.Feature",
                "feature"
            ),
        ])
    func misnamedMembers(event: EventText, data: String, missing: String, there: String, meant: String) {
        let reason = read(event.with("data", data).text).reason
        #expect(reason == "\(missing) is missing, but \(there) is there: rename it to \(meant)")
    }

    @Test(
        "data_base64 is read as data is, whatever the type",
        arguments: [
            (EventText.activity, "eyJmZWF0dXJlIjoiYmFzaWNfYW5hbHlzaXMiLCJkZXZpY2UiOiJiNmYzIn0="),
            (EventText.call, "eyJjYWxscyI6MTIwMCwiYXBpIjoiY29tLmFjbWUucGF5In0="),
            (EventText.usage, "IHsiZmVhdHVyZSI6InN5bmNocm9uaXplZF9tZXNzYWdlcyIsInF1YW50aXR5Ijo4NzAwMH0K"),
        ])
    func base64(event: EventText, data: String) {
        let packed = event.with("data", nil).with("data_base64", quoted(data))
        var expected = read(event.text).event
        expected?.raw = packed.text
        #expect(read(packed.text).event == expected)
        #expect(expected != nil)
    }

    @Test(
        "data_base64 that is no base64, or holds no object, is refused and kept",
        arguments: [
            ("7", "data_base64 must be a string, not 7"),
            (quoted("e30"), #"data_base64 is not base64 (RFC 4648, with padding): "e30""#),
            (quoted("e31="), #"data_base64 is not base64 (RFC 4648, with padding): "e31=""#),
            (quoted("e3 0="), #"data_base64 is not base64 (RFC 4648, with padding): "e3 0=""#),
            (quoted("===="), #"data_base64 is not base64 (RFC 4648, with padding): "====""#),
            (quoted(""), "data_base64 is empty"),
            (quoted("IA=="), "data_base64 is empty"),
            (quoted("e30ge30="), "data_base64 decodes to no valid JSON, at byte 3: nothing more is expected"),
            (quoted("ew=="), "data_base64 decodes to no valid JSON, at byte 1: the text ends in the middle"),
            (quoted("MTI="), "data must be an object, not 12"),
            (quoted("W10="), "data must be an object, not an array"),
        ])
    func badBase64(value: String, reason: String) {
        for event in [EventText.call, .activity, .usage] {
            let reading = read(event.with("data", nil).with("data_base64", value).text)
            #expect(reading.code == .malformed)
            #expect(reading.reason == reason)
            #expect(reading.isJSON)
        }
        let both = read(EventText.call.with("data_base64", quoted("e30=")).text)
        #expect(both.reason == "data and data_base64 exclude each other")
    }

    @Test("Nesting within data_base64 is bounded as within data")
    func base64Nesting() {
        // 30 arrays in the data object in the event are 32 levels.
        let fits = #"{"calls":2,"x":\#(String(repeating: "[", count: 30))\#(String(repeating: "]", count: 30))}"#
        let deep = fits.replacing("[]", with: "[[]]")
        for (data, isTaken) in [(fits, true), (deep, false)] {
            let packed = quoted(base64Text(data))
            #expect((read(EventText.call.with("data", data).text).event != nil) == isTaken)
            #expect((read(EventText.call.with("data", nil).with("data_base64", packed).text).event != nil) == isTaken)
        }
    }

    @Test(
        "Byte order marks and NUL bytes before an event do no harm",
        arguments: ["\u{FEFF}", "\u{0}", "\u{0}\u{0}\u{FEFF} \u{FEFF}\n"])
    func leadingMarks(mark: String) {
        #expect(read(mark + EventText.call.text) == read(EventText.call.text))
        #expect(read(EventText.call.text + mark).code == .malformed)
    }

    @Test("A text without an event says what it is instead")
    func noText() {
        #expect(read("").reason == "there is no text")
        #expect(read("\u{FEFF} ").reason == "there is no text")
        #expect(read("\u{0}\u{0}").reason == "there are NUL bytes only")
        #expect(read([0xFF, 0xFE, 0x7B, 0]).reason == "the text is UTF-16; write it in UTF-8")
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
            (
                "1799553600",
                #"time must be an RFC 3339 date and time, not 1799553600; if that counts seconds since 1970, write "2027-01-10T04:00:00Z""#
            ),
            (
                "1799553600120",
                #"time must be an RFC 3339 date and time, not 1799553600120; if that counts milliseconds since 1970, write "2027-01-10T04:00:00.12Z""#
            ),
            (
                #""1709164800000001""#,
                #"time must be an RFC 3339 date and time, not "1709164800000001"; if that counts microseconds since 1970, write "2024-02-29T00:00:00.000001Z""#
            ),
            (
                "951782400000000000",
                #"time must be an RFC 3339 date and time, not 951782400000000000; if that counts nanoseconds since 1970, write "2000-02-29T00:00:00Z""#
            ),
            ("20270110", "time must be a string, not 20270110"),
            ("99999999999999999999", "time must be a string, not 99999999999999999999"),
            (#""""#, #"time must be an RFC 3339 date and time with an offset, as 2027-01-10T12:00:00+08:00, not """#),
            (
                #""2027-01-10T12:00:00""#,
                #"time must be an RFC 3339 date and time with an offset, as 2027-01-10T12:00:00+08:00, not "2027-01-10T12:00:00""#
            ),
            (#""2026-11-31T12:00:00Z""#, #"time "2026-11-31T12:00:00Z": there is no such day"#),
            (#""2027-13-01T12:00:00Z""#, #"time "2027-13-01T12:00:00Z": there is no such day"#),
            (
                #""2026-11-31T25:00:00Z""#,
                #"time must be an RFC 3339 date and time with an offset, as 2027-01-10T12:00:00+08:00, not "2026-11-31T25:00:00Z""#
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
            (#"{"device":"d","feature":"a\tb"}"#, #"data.feature has control characters: "a\tb""#),
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

/// A plain way to write base64.
private func base64Text(_ text: String) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var bytes = Array(text.utf8)
    let padding = (3 - bytes.count % 3) % 3
    bytes += Array(repeating: 0, count: padding)
    var written = ""
    for at in stride(from: 0, to: bytes.count, by: 3) {
        let bits = Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
        for shift in [18, 12, 6, 0] { written.append(digits[bits >> shift & 63]) }
    }
    return String(written.dropLast(padding)) + String(repeating: "=", count: padding)
}
