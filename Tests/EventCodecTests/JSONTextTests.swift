// Texts as JSON strings.

import EventCodec
import Foundation
import Testing

@Suite("A text as a JSON string")
struct JSONTextTests {
    @Test(
        "has an escape for what JSON doesn't allow, and for what is not fit to show",
        arguments: [
            (#"a"b\c"#, #""a\"b\\c""#), ("\n\r\t\u{1}", #""\n\r\t\u0001""#), ("\u{7F}", #""\u007f""#),
            ("\u{9B}", #""\u009b""#), ("a\u{2028}\u{202E}b", #""a\u2028\u202eb""#), ("\u{FEFF}", #""\ufeff""#),
            ("\u{E0041}", #""\udb40\udc41""#), ("Zürich 快递 🚀", #""Zürich 快递 🚀""#),
        ])
    func quoted(text: String, json: String) throws {
        #expect(JSONText.quoted(text) == json)
        #expect(try JSONDecoder().decode([String].self, from: Data("[\(json)]".utf8)) == [text])
    }
}
