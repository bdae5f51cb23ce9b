// Looking for the nearest of many words: the same as looking at each, and no dearer than it may be.

import Quantities
import Testing

@Suite("The nearest of many words")
struct WordIndexTests {
    private static let codes = (0..<5_000).map { "feature_\($0 % 71)_of_\($0)" }

    @Test(
        "is the same but for capitals, else the one with the fewest changes or that begins alike",
        arguments: [
            ("ACME", "acme"), ("acm", "acme"), ("amce", "acme"), ("shpo", "shop"), ("shopping", "shop"),
            ("stroe", "store"), ("zzzz", nil), ("", nil), ("sho", "shop"), ("sh", nil),
        ] as [(String, String?)])
    func offers(typed: String, offered: String?) {
        var work = Int.max
        let found = WordIndex(["acme", "acme2", "shop", "store", "ab"]).nearest(to: typed, work: &work)
        #expect(found.word == offered)
        #expect(found.isComplete)
    }

    @Test("costs what it says, and nothing more is looked at once that is used up")
    func work() {
        let index = WordIndex(Self.codes)
        var work = 1_000_000
        let whole = index.nearest(to: "featrue_13_of_84", work: &work)
        #expect(whole.word == "feature_13_of_84")
        #expect(whole.isComplete)
        #expect(work < 1_000_000)
        var little = 100
        #expect(!index.nearest(to: "featrue_13_of_4984", work: &little).isComplete)
        #expect(little <= 0)
        let before = little
        #expect(index.nearest(to: "feature", work: &little).word == nil)
        #expect(little == before)
    }

    @Test("costs little where nothing is near: letters that a word lacks tell before any comparison")
    func letters() {
        var work = 1_000_000
        #expect(WordIndex(Self.codes).nearest(to: "QQWWXXYYZZKKJJ", work: &work).word == nil)
        #expect(work == 1_000_000 - Self.codes.count)
    }
}
