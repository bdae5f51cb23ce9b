// The quarantine: what is kept once, what clears it, and where it ends.

import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import TestSupport
import Testing

@Suite("The quarantine (Billing rules, section 4)", .computing)
struct QuarantineTests {
    private func ledger() throws -> LedgerFixture {
        let ledger = try LedgerFixture()
        try ledger.addTenant("acme", apps: ["shop"])
        return ledger
    }

    private let stray = EventLine.calls(5, id: "stray", app: "kiosk").text

    private func kept(_ ledger: LedgerFixture) throws -> [String] {
        try ledger.rows("SELECT code, source, id FROM quarantine ORDER BY quarantine_id")
    }

    @Test("Identical refused events are kept once: in a batch, in the next one, after a restart, after a retry")
    func identicalEvents() throws {
        let ledger = try ledger()
        #expect(try ledger.ingest(stray, stray).words(of: 2) == ["unknown_app", "unknown_app"])
        #expect(try ledger.ingest(stray, "  \(stray) ").words(of: 2) == ["unknown_app", "unknown_app"])
        try ledger.reopen()
        #expect(try ledger.ingest(stray).words(of: 1) == ["unknown_app"])
        #expect(try ledger.retryQuarantine().words(of: 1) == ["unknown_app"])
        #expect(try kept(ledger) == ["unknown_app /test stray"])
    }

    @Test("Events that differ in a byte are two")
    func otherBytes() throws {
        let ledger = try ledger()
        _ = try ledger.ingest(stray, stray.replacing("\"calls\":5", with: "\"calls\": 5"))
        #expect(try kept(ledger) == ["unknown_app /test stray", "unknown_app /test stray"])
    }

    @Test("Sent again and accepted, an event leaves the quarantine, also after a restart", arguments: [false, true])
    func acceptanceClears(restart: Bool) throws {
        let ledger = try ledger()
        let device = EventLine.device("d", id: "stray", app: "kiosk").text
        _ = try ledger.ingest(stray, device)
        #expect(try kept(ledger).count == 2)
        try ledger.addApp("kiosk", tenant: "acme")
        if restart { try ledger.reopen() }
        #expect(try ledger.ingest(device, stray).words(of: 2) == ["accepted", "accepted"])
        #expect(try kept(ledger) == [])
        #expect(try ledger.retryQuarantine().received == 0)
    }

    @Test("Refused and taken in one batch, and taken as a correction, it leaves the quarantine as well")
    func otherWaysOut() throws {
        let ledger = try ledger()
        let late = EventLine.device("late", at: "2027-01-07T10:00:00Z", app: "kiosk").text
        _ = try ledger.ingest(late)
        try ledger.addApp("kiosk", tenant: "acme")
        #expect(try ledger.ingest(late).words(of: 1) == ["correction"])
        #expect(try kept(ledger) == [])
    }

    @Test("A later refusal of the same event notes the cause that it has now")
    func newCause() throws {
        let ledger = try ledger()
        let event = EventLine.calls(5, id: "stray", at: "2027-01-12T10:00:00Z", app: "kiosk").text
        _ = try ledger.ingest(event)
        try ledger.addApp("kiosk", tenant: "acme")
        #expect(try ledger.retryQuarantine().words(of: 1) == ["in_future"])
        #expect(try kept(ledger) == ["in_future /test stray"])
    }

    @Test("A retry is a new arrival: the event is posted on a day that is open now")
    func retryIsAnArrival() throws {
        let ledger = try ledger()
        _ = try ledger.ingest(stray)
        try ledger.addApp("kiosk", tenant: "acme")
        try ledger.set(now: "2027-01-20T08:00:00Z")
        #expect(try ledger.retryQuarantine().words(of: 1) == ["correction"])
        #expect(
            try ledger.rows("SELECT usage_day, posted_day, quantity FROM usage_daily") == ["2027-01-10 2027-01-18 5"])
    }

    @Test("An operator drops what is named, or everything; what was dropped is kept when it comes again")
    func dropping() throws {
        let ledger = try ledger()
        let other = EventLine.device("d", of: "teleport").text
        _ = try ledger.ingest(stray, other)
        let ids = try ledger.rows("SELECT quarantine_id FROM quarantine ORDER BY quarantine_id").compactMap {
            Int64($0)
        }
        #expect(throws: LedgerError.notInQuarantine([98, 99])) {
            try ledger.ledger.dropQuarantine(ids: [99, ids[0], 98], clock: ledger.clock)
        }
        #expect(throws: LedgerError.notInQuarantine([99])) {
            try ledger.ledger.retryQuarantine(ids: [ids[0], 99], clock: ledger.clock)
        }
        #expect(try ledger.ledger.dropQuarantine(ids: [ids[0]], clock: ledger.clock) == 1)
        #expect(try kept(ledger) == ["unknown_feature /test 1"])
        _ = try ledger.ingest(stray)
        #expect(try kept(ledger) == ["unknown_feature /test 1", "unknown_app /test stray"])
        #expect(try ledger.ledger.dropQuarantine(ids: [], clock: ledger.clock) == 2)
        #expect(try kept(ledger) == [])
    }

    @Test("An event over 64 KiB is refused and not kept, and the answer says so")
    func eventBound() throws {
        let ledger = try ledger()
        func event(bytes: Int) -> String {
            let line = EventLine.calls(5, id: "stray", app: "kiosk")
            let rest = bytes - line.with("pad", "\"\"").text.utf8.count
            return line.with("pad", "\"" + String(repeating: "x", count: rest) + "\"").text
        }
        let largest = try ledger.ingest(event(bytes: Quarantine.maxEventBytes))
        #expect(largest.reason(0) == "app 'kiosk' is not in the ledger")
        let larger = try ledger.ingest(event(bytes: Quarantine.maxEventBytes + 1))
        #expect(larger.words(of: 1) == ["unknown_app"])
        #expect(larger.reason(0) == "app 'kiosk' is not in the ledger (not kept in quarantine: over 65536 bytes)")
        #expect(larger.notKept == 1 && larger.unreadable == 0)
        #expect(try kept(ledger).count == 1)
    }

    @Test("A full quarantine keeps no more, and the answer says so; good events are taken all the same")
    func countBound() throws {
        let ledger = try ledger()
        try ledger.execute(
            """
            WITH RECURSIVE number (n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < \(Quarantine.maxEvents - 1))
            INSERT INTO quarantine (arrived_at, code, reason, event, digest)
            SELECT 0, 'malformed', 'filled', x'7b7d', CAST(printf('%016d', n) AS BLOB) FROM number
            """)
        try ledger.reopen()
        let next = EventLine.calls(6, id: "next", app: "kiosk").text
        let report = try ledger.ingest(stray, next, EventLine.calls(7, id: "good").text, stray)
        #expect(report.words(of: 4) == ["unknown_app", "unknown_app", "accepted", "unknown_app"])
        #expect(report.notKept == 1)
        #expect(report.reason(0) == "app 'kiosk' is not in the ledger")
        #expect(report.reason(1) == "app 'kiosk' is not in the ledger (not kept: the quarantine is full)")
        #expect(report.reason(3) == "app 'kiosk' is not in the ledger")
        // Room again: one leaves, one comes.
        #expect(try ledger.ledger.dropQuarantine(ids: [1], clock: ledger.clock) == 1)
        #expect(try ledger.ingest(next).reason(0) == "app 'kiosk' is not in the ledger")
        #expect(try ledger.rows("SELECT count(*) FROM quarantine") == ["\(Quarantine.maxEvents)"])
    }
}
