// In which order the events of a day come, and how they are cut into batches, leaves no trace.

import Ingestion
import LedgerFixture
import Operations
import Quantities
import Seeded
import TestSupport
import Testing
import Verification

@Suite("The order of arrival", .computing)
struct ArrivalOrderTests {
    /// Events of their own identities: devices that come again on several days and in several apps, calls, late ones.
    private static func events(_ chance: inout SeededGenerator) -> [String] {
        (0..<600).map { number in
            let app = ["shop", "kiosk", "lions"].randomElement(using: &chance) ?? "shop"
            let time =
                "2027-01-\(Int.random(in: 10...19, using: &chance))T0\(Int.random(in: 0...9, using: &chance)):00:00Z"
            guard Int.random(in: 0..<3, using: &chance) > 0 else {
                return EventLine.calls(
                    Int64.random(in: 1...90_000, using: &chance), id: "\(number)", at: time, app: app
                ).text
            }
            let feature = ["basic_analysis", "mini_program_analysis", "message_push"].randomElement(using: &chance)
            return EventLine.device(
                "d\(Int.random(in: 0..<40, using: &chance))", of: feature ?? "", id: "\(number)", at: time, app: app
            ).text
        }
    }

    private static func contents(taking batches: [[String]]) throws -> [String: [String]] {
        let fixture = try LedgerFixture(now: "2027-01-19T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop", "kiosk"])
        try fixture.addTenant("zoo", apps: ["lions"])
        for batch in batches {
            let report = try fixture.ingest(batch)
            #expect(report.accepted + report.corrections == batch.count)
        }
        for now in ["2027-01-19T13:00:00Z", "2027-01-20T12:00:00Z"] {
            try fixture.set(now: now)
            _ = try fixture.ledger.rate(#require(Day(String(now.prefix(10)))), clock: fixture.clock)
        }
        let report = try Verification(file: fixture.ledger.file).run { _ in }
        #expect(report.findings.map(\.sentence) == [])
        return try withExtendedLifetime(fixture) { try LedgerContents.read(at: fixture.path) }
    }

    @Test("changes no view of the ledger, nor do the batches", arguments: [1, 2, 3] as [UInt64])
    func leavesNoTrace(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let events = Self.events(&chance)
        let expected = try Self.contents(taking: [events])
        #expect(expected["ledger"]?.isEmpty == false)
        let others = [
            [Array(events.reversed())], events.map { [$0] }, [events.shuffled(using: &chance)],
            stride(from: 0, to: events.count, by: 7).map { Array(events[$0..<min($0 + 7, events.count)]) }.reversed(),
        ]
        for (number, batches) in others.enumerated() {
            let contents = try Self.contents(taking: batches)
            for (view, rows) in expected { #expect(contents[view] == rows, "\(view), way \(number)") }
        }
    }
}
