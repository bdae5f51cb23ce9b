// What counts as JSON: a table of texts, each tried in every place of an event where a value may stand.

import EventCodec
import Foundation
import TestSupport
import Testing

@Suite("Strictness of the JSON reader", .computing)
struct JSONStrictnessTests {
    /// The value in a member that is ignored: at the top, in `data`, deep inside, and as a member the rules ask for.
    private func places(_ value: [UInt8]) -> [[UInt8]] {
        let wholes = [
            #"{"x":@}"#, #"{"data":{"x":@}}"#, #"{"x":[0,{"y":[@]}]}"#, #"{"id":@}"#, #"{"data":@}"#,
            #"{"data":{"features":@}}"#, #"{"data":{"features":[@]}}"#, #"{"data":{"calls": @ }}"#,
        ]
        return wholes.map { whole in
            Array(whole.utf8.split(separator: UInt8(ascii: "@")).joined(separator: value))
        }
    }

    @Test(
        "Values that are JSON",
        arguments: [
            "null", "true", "false", "0", "-0", "10", "-1.5", "0.0", "1e5", "1E+5", "1.25e-400",
            "12345678901234567890123",
            "[]", "{}", "[ ]", "{ }", "[1 , 2]", #"{"a" : 1 , "b":[{}]}"#, #""""#, #""\"\\\/\b\f\n\r\t""#,
            #""\u0000\u001f\u007F\uffFF""#, #""\ud83d\ude00\uDBFF\uDFFF""#, "\"\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\"",
            "\"\u{10000}\u{10FFFF}\"", "\"0123456é\"", "\"01234567é89012345\u{1F600}\"",
            "{\"a\":1,\"A\":2,\"\u{E1}\":3,\"a\u{301}\":4}",
            #"{"":1}"#,
        ])
    func json(value: String) {
        for text in places(Array(value.utf8)) {
            #expect(read(text).isJSON, "\(String(decoding: text, as: UTF8.self)): \(read(text))")
        }
    }

    @Test(
        "Values that are no JSON, or none that is taken",
        arguments: [
            "", ",", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "undefined", "'a'", "a",
            "01", "-01", "00", "+1", ".5", "5.", "-", "1e", "1e+", "1.e5", "0x10", "1_000", "1,", "--1", "- 1", "1 2",
            "[1,]", "[,1]", "[1 2]", "[1}", "[", "]", "{", "}", #"{"a":1,}"#, "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#,
            "{a:1}", "{1:1}", #"{"a":1 "b":2}"#, #"{"a"::1}"#, "/* */ 1", "1 // one", "[1]]", "{}}",
            #"""#, #""\""#, #""\x41""#, #""\u12""#, #""\u12G4""#, #""\U0041""#, #""\'""#, #""\u+123""#,
            #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\u0041""#, #""\ud800\ud800""#, #""\ud83d\n""#,
            #""\ude00\ud83d""#, #""\ud800\udc""#, "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"01234567\u{1F}\"", "\u{FEFF}1",
            "\u{A0}1", "\u{0}", "\u{B}1",
            #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"{"\u00e9":1,"é":2}"#, #"[{"x":{"a":1,"a":2}}]"#,
            #"{"":1,"":2}"#,
        ])
    func notJSON(value: String) {
        for text in places(Array(value.utf8)) {
            // An empty place in an array or a comma there may still be what it was around it.
            let whole = String(decoding: text, as: UTF8.self)
            if value.isEmpty && whole.contains("[]") { continue }
            let reading = read(text)
            #expect(!reading.isJSON, "\(whole)")
            #expect(reading.code == .malformed)
            #expect(reading.reason?.hasPrefix("not valid JSON at byte ") == true, "\(reading)")
        }
    }

    @Test(
        "Bytes that are not UTF-8",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80], [0xF0, 0x90, 0x80, 0x41],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        for before in ["", "abcdefg", "abcdefgh"] {
            let string = Array("\"\(before)".utf8) + bytes + Array("xxxxxxxx\"".utf8)
            for text in places(string) + places(Array("{".utf8) + string + Array(":1}".utf8)) {
                #expect(read(text).reason?.hasSuffix("this is not UTF-8") == true, "\(bytes)")
            }
        }
    }

    @Test(
        "The reason says what is wrong and at which byte",
        arguments: [
            (#"{"a":1,}"#, "not valid JSON at byte 7: a member name in quotes is expected"),
            (#"{"a":1"#, "not valid JSON at byte 6: the text ends in the middle"),
            (#"{"a"#, "not valid JSON at byte 3: the text ends in the middle"),
            (#"{"a" 1}"#, "not valid JSON at byte 5: ':' is expected"),
            (#"{"a":1 "b":2}"#, "not valid JSON at byte 7: ',' or '}' is expected"),
            (#"{"a":[1 2]}"#, "not valid JSON at byte 8: ',' or ']' is expected"),
            (#"{"a":]}"#, "not valid JSON at byte 5: a value is expected"),
            (#"{"a":nil}"#, "not valid JSON at byte 5: there is no JSON value"),
            (#"{"a":012}"#, "not valid JSON at byte 5: this is no number"),
            (#"{"a":1} {"#, "not valid JSON at byte 8: nothing more is expected"),
            ("\u{FEFF}{\u{FEFF}}", "not valid JSON at byte 4: a member name in quotes is expected"),
            ("\u{0}x", "not valid JSON at byte 1: there is no JSON value"),
            (#"{"id":1,"id":2}"#, "not valid JSON at byte 8: the object has a member of this name already"),
            (#"{"a":1,"b":2,"\u0061":2}"#, "not valid JSON at byte 13: the object has a member of this name already"),
            ("", "there is no text"),
            ("  ", "there is no text"),
            ("[]", "an event must be a JSON object, not an array"),
            (#""a\tb""#, #"an event must be a JSON object, not "a\tb""#),
            ("1.50", "an event must be a JSON object, not 1.50"),
            ("null", "an event must be a JSON object, not null"),
        ])
    func reasons(text: String, reason: String) {
        #expect(read(text) == .refused(.malformed, reason: reason, source: nil, id: nil, raw: nil))
    }

    @Test("Duplicates of the members that the rules ask about are found, escaped or not, and even if both are null")
    func duplicateKnownMembers() {
        for name in ["specversion", "type", "source", "id", "subject", "time", "data"] {
            let escaped = name.replacingFirst("\\u\(String(name.utf8.first!, radix: 16).leftPadded)")
            #expect(!read("{\"\(name)\":null,\"x\":1,\"\(name)\":null}").isJSON)
            #expect(!read("{\"\(name)\":null,\"x\":1,\"\(escaped)\":null}").isJSON)
            #expect(read("{\"\(name)\":null,\"x\":1,\"y\":{\"\(name)\":null}}").isJSON)
        }
        for name in ["feature", "features", "device", "quantity", "calls"] {
            #expect(!read("{\"data\":{\"\(name)\":null,\"\(name)\":null}}").isJSON)
            #expect(read("{\"data\":{\"\(name)\":null},\"\(name)\":null}").isJSON)
        }
    }

    @Test("Duplicates are found in objects of any size", arguments: [2, 11, 12, 13, 14, 200])
    func duplicatesInLargeObjects(count: Int) {
        let names = (0..<count).map { "\"member-with-a-long-name-\($0 * 7919 % 1009)\":0" }
        #expect(read("{" + names.joined(separator: ",") + "}").isJSON)
        for repeated in [0, count / 2, count - 1] {
            #expect(!read("{" + (names + [names[repeated]]).joined(separator: ",") + "}").isJSON)
        }
    }

    @Test("An object of very many members takes no quadratic time")
    func manyMembers() {
        func processorSeconds(members count: Int) -> Double {
            let members = (0..<count).map { "\"\($0 * 7919 % 100_003)\":0" }.joined(separator: ",")
            #expect(members.utf8.count < 1 << 20)
            var (start, end) = (timespec(), timespec())
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
            #expect(read("{\(members)}").isJSON)
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
            return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
        }
        // Eight times as many take eight times as long, quadratically 64 times.
        #expect(processorSeconds(members: 88_000) < 24 * processorSeconds(members: 11_000))
    }

    @Test("Nesting is bounded, the event being the first level")
    func nesting() {
        func nested(_ levels: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
        }
        #expect(read("{\"x\":" + nested(31, "[", "]") + "}").isJSON)
        #expect(read("{\"x\":" + nested(31, "{\"a\":", "}") + "}").isJSON)
        #expect(!read("{\"x\":" + nested(32, "[", "]") + "}").isJSON)
        #expect(!read("{\"x\":" + nested(32, "{\"a\":", "}") + "}").isJSON)
        #expect(read("{\"data\":{\"features\":" + nested(30, "[", "]") + "}}").isJSON)
        #expect(!read("{\"data\":{\"features\":" + nested(31, "[", "]") + "}}").isJSON)
        #expect(read("{\"x\":" + String(repeating: "[", count: 500_000)).reason?.hasSuffix("nested too deep") == true)
        #expect(read("{\"x\":[" + String(repeating: "[],", count: 1000) + "[]]}").isJSON)
    }

    @Test("An event of 1 MiB is taken, one byte more is not")
    func size() {
        let frame = EventText.activity.with("x", quoted("")).text.utf8.count
        let padding = String(repeating: "x", count: (1 << 20) - frame)
        #expect(read(EventText.activity.with("x", quoted(padding)).text).event != nil)
        let reading = read(EventText.activity.with("x", quoted(padding + "x")).text)
        #expect(reading.reason == "the event has 1048577 bytes, 1048576 at most are allowed")
        #expect(!reading.isJSON)
    }
}

extension String {
    fileprivate var leftPadded: String { String(repeating: "0", count: 4 - count) + self }

    fileprivate func replacingFirst(_ replacement: String) -> String { replacement + dropFirst() }
}
