// Which characters are shown as they are, and what stands in the place of the others.

import Quantities
import Testing

@Suite("Text from elsewhere")
struct ShownTextTests {
    @Test(
        "is shown with an escape for each character that says something to the terminal and nothing to the reader",
        arguments: [
            ("\u{1B}[31mred", #"\u{1B}[31mred"#), ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{0}", #"\u{0}"#),
            ("\u{7F}", #"\u{7F}"#), ("\u{9B}2J", #"\u{9B}2J"#), ("\u{85}", #"\u{85}"#),
            ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#), ("\u{202A}\u{202E}", #"\u{202A}\u{202E}"#),
            ("\u{2066}x\u{2069}", #"\u{2066}x\u{2069}"#), ("\u{200E}\u{200F}\u{61C}", #"\u{200E}\u{200F}\u{61C}"#),
            ("\u{FEFF}a\u{200B}b", #"\u{FEFF}a\u{200B}b"#), ("\u{E0041}", #"\u{E0041}"#),
        ])
    func escaped(text: String, shown: String) {
        #expect(text.fitToShow == shown)
        #expect(ShownText.firstUnfit(in: text) != nil)
    }

    @Test(
        "is shown as it is in any script",
        arguments: [
            "", "shop", "快递", "한국어", "مرحبا", "می\u{200C}خواهم", "क्\u{200D}ष", "👩\u{200D}🚀", "🇨🇳", "e\u{301}", "C:\\x",
            "\u{FFFD}",
        ])
    func plain(text: String) {
        #expect(text.fitToShow == text)
        #expect(text.linesFitToShow == text)
        #expect(ShownText.firstUnfit(in: text) == nil)
    }

    @Test("keeps its lines where lines are shown, and nothing else")
    func lines() { #expect("a\n\u{1B}b\r\n".linesFitToShow == "a\n\\u{1B}b\\r\n") }

    @Test("has a name for each character in messages")
    func names() {
        #expect(ShownText.name("\u{7}") == "U+0007")
        #expect(ShownText.name("\u{E0041}") == "U+E0041")
    }
}
