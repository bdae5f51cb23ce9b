// Bad input in the middle of good: refused with a code and a reason, kept, tried again; the neighbours count.

import EventCodec
import Ingestion
import LedgerFixture
import PriceBookFile
import TestSupport
import Testing

@Suite("A bad event among good ones (Billing rules, section 4)", .computing)
struct RefusalTests {
    private func ledger() throws -> LedgerFixture {
        let ledger = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try ledger.addTenant("acme", apps: ["shop"])
        try ledger.addTenant("pioneer", apps: ["veteran"], isLegacy: true)
        return ledger
    }

    private let before = EventLine.device("left", id: "before").text
    private let after = EventLine.calls(7, id: "after").text

    private let countedNeighbours = [
        "acme shop basic_analysis 2027-01-10 2027-01-10 1 1",
        "acme shop gateway_calls 2027-01-10 2027-01-10 7 0",
    ]

    private func usage(_ ledger: LedgerFixture) throws -> [String] {
        try ledger.rows("SELECT * FROM usage_daily ORDER BY item")
    }

    private func mend(_ mend: BadEvent.Mend, _ ledger: LedgerFixture) throws -> Bool {
        switch mend {
        case .none: return false
        case .app(let app): try ledger.addApp(app, tenant: "acme")
        case .priceBook(let old, let new):
            let book = PriceBookFile.builtIn.replacing("effective: 2026-01-01", with: "effective: 2027-01-10")
                .replacing(old, with: new)
            try ledger.apply(priceBook: book)
        case .clock(let now): try ledger.set(now: now)
        }
        return true
    }

    @Test(
        "is refused with its code, does not spoil its neighbours, and is taken once its cause is mended",
        arguments: BadEvent.all)
    func refusal(bad: BadEvent) throws {
        let ledger = try ledger()
        let report = try ledger.ingest(before, bad.text, after)
        #expect(report.words(of: 3) == ["accepted", bad.code.rawValue, "accepted"])
        let reason = try #require(report.reason(1))
        #expect(bad.isUnreadable || reason.contains(bad.reason), "\(reason)")
        #expect(!reason.contains("not kept"))
        #expect(try usage(ledger) == countedNeighbours)

        let kept = try ledger.rows("SELECT code, CAST(event AS TEXT) FROM quarantine")
        #expect(kept == (bad.isUnreadable ? [] : ["\(bad.code.rawValue) \(bad.text)"]))
        let isMended = try mend(bad.mend, ledger)
        let retried = try ledger.retryQuarantine()
        if isMended {
            #expect(retried.words(of: 1) == ["accepted"])
            #expect(try ledger.rows("SELECT * FROM quarantine") == [])
            #expect(Set(try usage(ledger)).subtracting(countedNeighbours) == [bad.counted])
        } else {
            #expect(retried.words(of: kept.count) == kept.map { _ in bad.code.rawValue })
            #expect(try ledger.rows("SELECT code, CAST(event AS TEXT) FROM quarantine") == kept)
            #expect(try usage(ledger) == countedNeighbours)
        }
    }

    @Test("is counted by its code, and the counts of a day add up to what was received")
    func outcomeCounters() throws {
        let ledger = try ledger()
        let late = EventLine.device("late", id: "late", at: "2027-01-07T10:00:00Z").text
        _ = try ledger.ingest([before, after, after, late] + BadEvent.ofUsage.map(\.text))
        let counts = try ledger.rows("SELECT outcome, code, events FROM outcome_counter ORDER BY outcome, code")
        #expect(
            counts == [
                "accepted  2", "correction  1", "duplicate  1", "received  21", "refused bad_quantity 7",
                "refused legacy_item 2", "refused malformed 5", "refused not_metered 1", "refused unknown_feature 1",
                "refused wrong_type 1",
            ])
    }

    @Test("is not a gateway call without data: that is one call, sent again a duplicate of one that says so")
    func callWithoutData() throws {
        let ledger = try ledger()
        let bare = EventLine.calls(5, id: "bare").with("data", nil).text
        let report = try ledger.ingest(bare, EventLine.calls(1, id: "bare").text, EventLine.calls(2, id: "bare").text)
        #expect(report.words(of: 3) == ["accepted", "duplicate", "conflict"])
        #expect(try usage(ledger) == ["acme shop gateway_calls 2027-01-10 2027-01-10 1 0"])
    }

    @Test("of which there are several lists each with its index, source and id")
    func indices() throws {
        let ledger = try ledger()
        let noID = EventLine.device("d").with("id", nil).text
        let report = try ledger.ingest(before, noID, after, "metered!", after)
        #expect(report.words(of: 5) == ["accepted", "malformed", "accepted", "malformed", "duplicate"])
        #expect(report.results.map(\.index) == [1, 3, 4])
        #expect(report.results.map { $0.source ?? "-" } == ["/test", "-", "/test"])
        #expect(report.results.map { $0.id ?? "-" } == ["-", "-", "after"])
    }

    @Test("that an app's sum of a day has no room for is refused alone, whatever comes in one batch with it")
    func fullCounter() throws {
        let ledger = try ledger()
        let large: Int64 = 1_000_000_000_000
        #expect(try ledger.ingest(EventLine.calls(large, id: "first").text).words(of: 1) == ["accepted"])
        try ledger.execute("UPDATE usage_counter SET quantity = 1000000000000000000 - 2 * \(large)")
        let report = try ledger.ingest(
            EventLine.calls(large, id: "fits").text, EventLine.calls(large, id: "last").text,
            EventLine.calls(large, id: "more").text, EventLine.calls(1, id: "small").text,
            EventLine.calls(large, id: "other", at: "2027-01-09T10:00:00Z").text, EventLine.device("d").text)
        #expect(
            report.words(of: 6) == ["accepted", "accepted", "bad_quantity", "accepted", "accepted", "accepted"])
        #expect(
            report.reason(2)
                == "with 1000000000000 more, an item of app 'shop' would have beyond 1000000000000000000 on 2027-01-10")
        #expect(
            try ledger.rows("SELECT usage_day, quantity FROM usage_daily WHERE item = 'gateway_calls' ORDER BY 1")
                == ["2027-01-09 1000000000000", "2027-01-10 1000000000000000001"])
    }

    @Test("that names a feature of another version of the price book is told which, and from when on it has it")
    func featureOfLaterVersion() throws {
        let ledger = try ledger()
        try ledger.apply(
            priceBook: PriceBookFile.builtIn.replacing("effective: 2026-01-01", with: "effective: 2027-01-20")
                .replacing("features:", with: "features:\n  novelty: { name: Novelty, items: [ basic_analysis ] }"))
        let report = try ledger.ingest(EventLine.device("d", of: "novelty").text)
        #expect(report.words(of: 1) == ["unknown_feature"])
        #expect(
            report.reason(0)
                == "feature 'novelty' is not in version 1 of the price book, which prices its day; version 2 has it, from "
                + "2027-01-20 on")
    }

    @Test("that names a feature with items of both kinds is told that none can")
    func mixedFeature() throws {
        let ledger = try LedgerFixture(
            now: "2027-01-10T12:00:00Z",
            priceBook: PriceBookFile.builtIn.replacing(
                "features:", with: "features:\n  both: { name: Both, items: [ basic_analysis, gateway_calls ] }"))
        try ledger.addTenant("acme", apps: ["shop"])
        let report = try ledger.ingest(
            EventLine.device("d", of: "both").text, EventLine.usage(1, of: "both", id: "1").text)
        #expect(report.words(of: 2) == ["wrong_type", "wrong_type"])
        for index in 0..<2 {
            #expect(report.reason(index)?.hasPrefix("feature 'both' feeds items of devices and items of sums") == true)
        }
    }

    @Test("that is late is refused by its age on the local calendar, whatever the hour")
    func age() throws {
        // Arrival at 00:00 and at 23:59 local; 35 dates before, first and last instant; 36 before, last instant.
        let cases: [(now: String, time: String, word: String)] = [
            ("2027-01-09T16:00:00Z", "2026-12-05T16:00:00Z", "correction"),
            ("2027-01-09T16:00:00Z", "2026-12-05T15:59:59.999999Z", "too_old"),
            ("2027-01-10T15:59:59.999999Z", "2026-12-05T16:00:00Z", "correction"),
            ("2027-01-10T15:59:59.999999Z", "2026-12-05T15:59:59.999999Z", "too_old"),
            ("2027-01-10T16:00:00Z", "2026-12-06T15:59:59.999999Z", "too_old"),
            ("2027-01-10T15:50:00Z", "2027-01-10T16:00:00Z", "accepted"),
            ("2027-01-10T15:50:00Z", "2027-01-10T16:00:00.000001Z", "in_future"),
        ]
        for row in cases {
            let ledger = try LedgerFixture(now: row.now, timeZone: "Asia/Shanghai")
            try ledger.addTenant("acme", apps: ["shop"])
            let report = try ledger.ingest(EventLine.calls(1, id: "1", at: row.time).text)
            #expect(report.words(of: 1) == [row.word], "now \(row.now), time \(row.time)")
        }
    }
}
