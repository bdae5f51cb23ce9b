// The chain of the ledger against hashes that were worked out elsewhere (Python's hashlib over the documented bytes).

import Accounting
import Foundation
import Quantities
import Rating
import Testing

@Suite("The hash chain (Billing rules, section 8)")
struct ChainTests {
    private func code(_ text: String) throws -> Code { try #require(Code(text)) }
    private func day(_ text: String) throws -> Day { try #require(Day(text)) }

    @Test("hashes the columns one a line, NULL as the empty line, after the hash before")
    func knownHashes() throws {
        let usd = try #require(Currency(code: "USD"))
        let first = EntryDraft(
            postedDay: try day("2027-01-05"), usageDay: try day("2027-01-04"), tenant: try code("acme"),
            app: try code("shop"), item: try code("gateway_calls"), source: .overage, tier: 1,
            quantity: Quantity(1200), amount: Money(micros: 18_000), priceVersion: 1,
            reason: "correction: arrived after 2027-01-04 was final")
        let firstStamp = EntryStamp(entryID: 1, currency: usd, runID: 7, createdAt: "2027-01-08T00:00:00Z")
        let firstText = Chain.text(of: first, stamp: firstStamp, previous: Chain.origin)
        let lines = [
            String(repeating: "0", count: 64), "1", "2027-01-05", "2027-01-04", "acme", "shop", "gateway_calls",
            "overage", "", "1", "1200", "18000", "USD", "1", "7", "correction: arrived after 2027-01-04 was final",
            "2027-01-08T00:00:00Z",
        ]
        #expect(String(decoding: firstText, as: UTF8.self) == lines.joined(separator: "\n"))
        let firstHash = Chain.hash(of: firstText)
        #expect(
            Chain.hexadecimal(firstHash) == "27170c2b16f77b93b6b27656aace79629b71610b7c1cd229441d6bc0a33990cd")

        let second = EntryDraft(
            postedDay: try day("2027-01-08"), usageDay: try day("2027-01-08"), tenant: try code("acme"),
            item: try code("basic_analysis"), source: .purchase, grant: try code("pack-1"),
            amount: Money(micros: 60_000_000))
        let secondStamp = EntryStamp(entryID: 2, currency: usd, runID: nil, createdAt: "2027-01-08T01:02:03.5Z")
        let secondText = Chain.text(of: second, stamp: secondStamp, previous: firstHash)
        #expect(
            Chain.hexadecimal(Chain.hash(of: secondText))
                == "be82921afc7adba44e7838d6618af1640672d2342f91948eed8fa4b17b6fd4f9")
    }

    @Test("A hash is shown as 64 lower-case digits")
    func hexadecimal() {
        #expect(Chain.hexadecimal([0, 1, 15, 16, 171, 255]) == "00010f10abff")
        #expect(
            Chain.hexadecimal(Chain.hash(of: [])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("A head is written as number and hash, and read back")
    func head() throws {
        #expect(ChainHead.origin.description == "0:" + String(repeating: "0", count: 64))
        let head = ChainHead(entryID: 9553, hash: Chain.hash(of: []))
        #expect(head.description == "9553:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(ChainHead(head.description) == head)
        #expect(ChainHead(head.description.uppercased()) == head)
    }

    @Test(
        "Nothing else is a head",
        arguments: [
            "", "9553", "9553:", ":" + zeros, "1:" + zeros.dropLast(), "1:" + zeros + "0",
            "1:" + zeros.dropLast() + "g",
            "-1:" + zeros, "+1:" + zeros, " 1:" + zeros, "1:" + zeros + ":", "1:2:" + zeros,
            "9223372036854775808:" + zeros,
        ])
    func noHead(text: String) { #expect(ChainHead(text) == nil) }

    private static let zeros = String(repeating: "0", count: 64)

    @Test("The article's example has the bytes and the hash that it says")
    func articleExample() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardized
        let article = try String(
            contentsOf: sources.appending(path: "meterd/Documentation.docc/BillingRules.md"), encoding: .utf8)
        let example = try #require(article.firstMatch(of: /```text\n(0{64}\n[^`]*)\n```\n\nThese ([0-9]+) bytes/))
        let hash = try #require(article.firstMatch(of: /have the hash\n`([0-9a-f]{64})`/))
        #expect(Int(example.2) == example.1.utf8.count)
        #expect(Chain.hexadecimal(Chain.hash(of: Array(example.1.utf8))) == String(hash.1))
    }
}
