// The runs of identities of days that are over: built, found, interrupted, dropped.

import GRDB
import Ingestion
import LedgerFixture
import Operations
import Quantities
import TestSupport
import Testing
import UsageStore

@Suite("The runs of identities (Billing rules, section 2)", .computing)
struct IdentityRunTests {
    /// 12,000 identities on one day: three slices of a run.
    private func ledger(_ count: Int = 12_000) throws -> LedgerFixture {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest((0..<count).map { EventLine.calls(1, id: "\($0)").text })
        return ledger
    }

    private func prepare(_ ledger: LedgerFixture, now: String) throws {
        try ledger.set(now: now)
        try ledger.ledger.prepareIngestion(clock: ledger.clock)
    }

    private func runs(_ ledger: LedgerFixture) throws -> [String] {
        try ledger.rows(
            """
            SELECT date(arrival_day * 86400, 'unixepoch'), identities,
                (SELECT count(*) FROM identity_run AS run WHERE run.arrival_day = day.arrival_day)
            FROM identity_run_day AS day
            ORDER BY arrival_day
            """)
    }

    private let samples = [0, 1, 4_999, 5_000, 9_999, 11_999].map { EventLine.calls(1, id: "\($0)").text }
    private let strangers = (20_000..<20_300).map { EventLine.calls(1, id: "\($0)", at: "2027-01-11T00:00:00Z").text }

    @Test("A run is built when its day is over, holds every identity, and answers in this process and the next")
    func built() throws {
        let ledger = try ledger()
        try prepare(ledger, now: "2027-01-10T23:59:59Z")
        #expect(try runs(ledger) == [])
        try prepare(ledger, now: "2027-01-11T00:00:00Z")
        #expect(try runs(ledger) == ["2027-01-10 12000 12000"])
        for _ in 0..<2 {
            #expect(try ledger.ingest(samples).words(of: 6) == samples.map { _ in "duplicate" })
            try ledger.reopen()
        }
        #expect(try ledger.ingest(strangers).words(of: 300) == strangers.map { _ in "accepted" })
        #expect(try ledger.ingest(strangers).words(of: 300) == strangers.map { _ in "duplicate" })
        try prepare(ledger, now: "2027-01-12T00:00:00Z")
        #expect(try runs(ledger) == ["2027-01-10 12000 12000", "2027-01-11 300 300"])
        #expect(try ledger.ingest(samples + strangers).words(of: 306).allSatisfy { $0 == "duplicate" })
    }

    @Test("It is dropped when its identities are free; the records stay")
    func dropped() throws {
        let ledger = try ledger(5_001)
        try prepare(ledger, now: "2027-02-15T23:59:59Z")
        #expect(try runs(ledger) == ["2027-01-10 5001 5001"])
        try prepare(ledger, now: "2027-02-16T00:00:00Z")
        #expect(try runs(ledger) == [])
        #expect(try ledger.rows("SELECT count(*) FROM identity_run") == ["0"])
        #expect(try ledger.rows("SELECT count(*) FROM usage_event") == ["5001"])
        let again = EventLine.calls(1, id: "0", at: "2027-02-16T00:00:00Z").text
        #expect(try ledger.ingest(again, again).words(of: 2) == ["accepted", "duplicate"])
    }

    @Test(
        "Interrupted, it is built anew; until then memory answers",
        arguments: [
            "INSERT ON identity_run",
            "INSERT ON identity_run WHEN (SELECT count(*) FROM identity_run) = 5000",
            "INSERT ON identity_run WHEN (SELECT count(*) FROM identity_run) = 11999",
            "INSERT ON identity_run_day",
        ])
    func interrupted(stage: String) throws {
        let ledger = try ledger()
        try ledger.fail(at: stage)
        for restarted in [false, true] {
            #expect(throws: DatabaseError.self) { try prepare(ledger, now: "2027-01-11T00:00:00Z") }
            if restarted { try ledger.reopen(failingAt: stage) }
            #expect(try runs(ledger) == [])
            #expect(try ledger.ingest(samples).words(of: 6) == samples.map { _ in "duplicate" }, "\(stage)")
        }
        try ledger.failNoMore()
        try prepare(ledger, now: "2027-01-11T00:00:00Z")
        #expect(try runs(ledger) == ["2027-01-10 12000 12000"])
        #expect(
            try ledger.ingest(samples + strangers).words(of: 306) == samples.map { _ in "duplicate" }
                + strangers.map { _ in "accepted" })
    }

    @Test("Dropping that was interrupted is finished the next time")
    func droppingInterrupted() throws {
        let ledger = try ledger()
        try prepare(ledger, now: "2027-01-11T00:00:00Z")
        try ledger.fail(at: "DELETE ON identity_run_day")
        #expect(throws: DatabaseError.self) { try prepare(ledger, now: "2027-02-16T00:00:00Z") }
        try ledger.reopen(failingAt: "DELETE ON identity_run_day")
        let again = EventLine.calls(1, id: "0", at: "2027-02-16T00:00:00Z").text
        #expect(try ledger.ingest(again).words(of: 1) == ["accepted"])
        try ledger.failNoMore()
        try prepare(ledger, now: "2027-02-16T00:00:00Z")
        #expect(try runs(ledger) == [])
        #expect(try ledger.rows("SELECT count(*) FROM identity_run") == ["0"])
        #expect(try ledger.ingest(again).words(of: 1) == ["duplicate"])
    }

    // MARK: Passes

    /// Passes and slices so small that a few thousand identities have many.
    private static var small: IdentityIndex.Bounds {
        var bounds = IdentityIndex.Bounds()
        (bounds.identitiesPerPass, bounds.rowsPerSlice) = (700, 100)
        return bounds
    }

    private func maintain(_ ledger: LedgerFixture, today: String, between: () throws -> Void = {}) throws {
        let store = try UsageStore(
            file: ledger.ledger.file, key: ledger.ledger.eventKey, identities: Self.small)
        let today = try #require(Day(today))
        try store.identities.maintainRuns(today: today, heldFrom: today - 36, between: between)
    }

    @Test("A day of more identities than a pass holds is filed whole")
    func passes() throws {
        let ledger = try ledger(5_000)
        try maintain(ledger, today: "2027-01-11")
        #expect(try runs(ledger) == ["2027-01-10 5000 5000"])
        try ledger.set(now: "2027-01-11T12:00:00Z")
        try ledger.reopen()
        let all = (0..<5_000).map { EventLine.calls(1, id: "\($0)").text }
        #expect(try ledger.ingest(all).duplicates == 5_000)
    }

    @Test("A day that takes arrivals while it is filed, by a clock that was set back, is filed the next time")
    func arrivalsMeanwhile() throws {
        let ledger = try ledger(2_000)
        var hasArrived = false
        try maintain(ledger, today: "2027-01-11") {
            if !hasArrived { _ = try ledger.ingest(EventLine.calls(7, id: "meanwhile").text) }
            hasArrived = true
        }
        #expect(hasArrived)
        #expect(try runs(ledger) == [])
        try ledger.set(now: "2027-01-11T12:00:00Z")
        try ledger.reopen()
        #expect(try ledger.ingest(EventLine.calls(7, id: "meanwhile").text).duplicates == 1)
        try maintain(ledger, today: "2027-01-11")
        #expect(try runs(ledger) == ["2027-01-10 2001 2001"])
        try ledger.reopen()
        #expect(try ledger.ingest(EventLine.calls(7, id: "meanwhile").text).duplicates == 1)
    }
}
