// Which word a mistyped one is taken for, and when none is offered.

import Quantities
import Testing

@Suite("The nearest word")
struct NearestWordTests {
    private static let words = ["basic_analysis", "custom_analysis", "data_sync", "mobile_gateway", "push"]

    @Test(
        "is the one with the fewest changes, or that begins alike; none when all are far",
        arguments: [
            ("basic_analytics", "basic_analysis"),
            ("Basic_Analysis", "basic_analysis"),
            ("data_snyc", "data_sync"),
            ("datasync", "data_sync"),
            ("mobile", "mobile_gateway"),
            ("pusch", "push"),
            ("pu", nil),
            ("x", nil),
            ("teleport", nil),
            ("", nil),
            (String(repeating: "x", count: 10_000), nil),
        ] as [(String, String?)])
    func offers(typed: String, offered: String?) {
        #expect(nearest(to: typed, of: Self.words) == offered)
    }

    @Test("is not offered when there are no words")
    func noWords() { #expect(nearest(to: "push", of: []) == nil) }

    @Test("is the one that differs only in capital letters, even beside a word with fewer changes")
    func capitals() {
        #expect(nearest(to: "ACME", of: ["ACM", "acme", "ACMES"]) == "acme")
        #expect(nearest(to: "acme", of: ["acm", "ACME"]) == "ACME")
        #expect(nearest(to: "BASIC_ANALYTICS", of: ["basic_analysis", "push"]) == "basic_analysis")
        #expect(nearest(to: "Zürich", of: ["zurich"]) == "zurich")
    }

    @Test("is not the first of several that begin alike")
    func manyBeginAlike() {
        #expect(nearest(to: "/v1", of: ["/v1/apps", "/v1/bills"]) == nil)
        #expect(nearest(to: "/v1/app", of: ["/v1/apps", "/v1/bills"]) == "/v1/apps")
        #expect(nearest(to: "/v1/ledger/7", of: ["/v1/apps", "/v1/ledger"]) == "/v1/ledger")
    }
}
