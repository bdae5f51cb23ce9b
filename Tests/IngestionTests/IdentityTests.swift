// The identity of sum events: what is the same event, and for how long.

import LedgerFixture
import Operations
import TestSupport
import Testing

@Suite("The identity of sum events (Billing rules, section 2)", .computing)
struct IdentityTests {
    private func ledger(now: String = "2027-01-10T12:00:00Z") throws -> LedgerFixture {
        let ledger = try LedgerFixture(now: now)
        try ledger.addTenant("acme", apps: ["shop", "kiosk"])
        return ledger
    }

    private func calls(_ ledger: LedgerFixture) throws -> [String] {
        try ledger.rows("SELECT sum(quantity) FROM usage_daily WHERE item = 'gateway_calls'")
    }

    private let first = EventLine.calls(5, id: "1", at: "2027-01-10T10:00:00Z")

    @Test("Repeated in its batch, in a later one and after a restart, an event counts once")
    func repetition() throws {
        let ledger = try ledger()
        #expect(try ledger.ingest(first.text, first.text).words(of: 2) == ["accepted", "duplicate"])
        #expect(try ledger.ingest(first.text).words(of: 1) == ["duplicate"])
        try ledger.reopen()
        #expect(try ledger.ingest(first.text).words(of: 1) == ["duplicate"])
        #expect(try calls(ledger) == ["5"])
    }

    @Test(
        "With other content it is a conflict, in the same batch as in a later one",
        arguments: [
            ("app 'shop' is stored, 'kiosk' given", EventLine.calls(5, id: "1", app: "kiosk")),
            ("app 'shop' is stored, 'nowhere' given", EventLine.calls(5, id: "1", app: "nowhere")),
            (
                "feature 'mobile_gateway' is stored, 'gateway_calls' given",
                EventLine.usage(5, of: "gateway_calls", id: "1")
            ),
            (
                "time 2027-01-10T10:00:00Z is stored, 2027-01-10T10:00:00.000001Z given",
                EventLine.calls(5, id: "1", at: "2027-01-10T10:00:00.000001Z")
            ),
            (
                "time 2027-01-10T10:00:00Z is stored, 2027-01-09T10:00:00Z given",
                EventLine.calls(5, id: "1", at: "2027-01-09T10:00:00Z")
            ),
            ("quantity 5 is stored, 6 given", EventLine.calls(6, id: "1")),
            (
                "app 'shop' is stored, 'kiosk' given; time 2027-01-10T10:00:00Z is stored, 2027-01-10T09:00:00Z given; "
                    + "quantity 5 is stored, 1 given",
                EventLine.calls(1, id: "1", at: "2027-01-10T09:00:00Z", app: "kiosk")
            ),
        ])
    func conflict(difference: String, other: EventLine) throws {
        let ledger = try ledger()
        let together = try ledger.ingest(first.text, other.text, first.text)
        #expect(together.words(of: 3) == ["accepted", "conflict", "duplicate"])
        let reason = "source '/test', id '1' was taken by an event of other content: " + difference
        #expect(together.reason(1) == reason)
        #expect(try ledger.ingest(other.text).words(of: 1) == ["conflict"])
        try ledger.reopen()
        #expect(try ledger.ingest(other.text).reason(0) == reason)
        #expect(try calls(ledger) == ["5"])
        #expect(try ledger.rows("SELECT code FROM quarantine") == ["conflict"])
    }

    @Test(
        "Written in another way, the same content is the same event",
        arguments: [
            EventLine.calls(5, id: "1", at: "2027-01-10T18:00:00+08:00"),
            EventLine.calls(5, id: "1", at: "2027-01-10T10:00:00.000000Z"),
            EventLine.calls(5, id: "1", at: "2027-01-10t10:00:00z"),
            EventLine.calls(5, id: "\\u0031").with("data.api", "\"com.acme.pay\""),
            EventLine.calls(5, id: "1").with("traceparent", "\"00-4bf9\""),
            EventLine.usage(5, of: "mobile_gateway", id: "1"),
        ])
    func sameContent(other: EventLine) throws {
        let ledger = try ledger()
        let text = other.text.replacing("\\\\u0031", with: "\\u0031")
        #expect(try ledger.ingest(first.text, text).words(of: 2) == ["accepted", "duplicate"], "\(text)")
        #expect(try calls(ledger) == ["5"])
    }

    @Test("Source and id belong together: neither alone is an identity, and neither is both run together")
    func sourceAndID() throws {
        let ledger = try ledger()
        let texts = [("/a", "1"), ("/b", "1"), ("/a", "2"), ("/a1", "2"), ("/a", "12"), ("/", "a12")].map {
            first.with("source", EventLine.quoted($0.0)).with("id", EventLine.quoted($0.1)).text
        }
        #expect(
            try ledger.ingest(texts + texts).words(of: 12) == texts.map { _ in "accepted" }
                + texts.map { _ in "duplicate" })
    }

    @Test("Identities are bytes: two forms of é that look the same are two events, in any member of the identity")
    func canonicalForms() throws {
        let ledger = try ledger()
        let forms = ["caf\u{E9}", "cafe\u{301}"]
        let ids = forms.map { first.with("id", EventLine.quoted($0)).text }
        let sources = forms.map { first.with("source", EventLine.quoted($0)).text }
        #expect(try ledger.ingest(ids + sources).words(of: 4) == Array(repeating: "accepted", count: 4))
        try ledger.reopen()
        #expect(try ledger.ingest(ids + sources).words(of: 4) == Array(repeating: "duplicate", count: 4))
        // Devices are compared in the same way.
        let devices = forms.map { EventLine.device($0).text }
        _ = try ledger.ingest(devices + devices)
        #expect(try ledger.rows("SELECT devices FROM mau") == ["2"])
    }

    @Test("A refused event claims no identity: the same one with other content is taken afterwards")
    func refusedClaimsNothing() throws {
        let ledger = try ledger()
        let refused = [
            EventLine.calls(5, id: "1", app: "nowhere"), EventLine.calls(5, id: "1", at: "2026-01-10T10:00:00Z"),
            EventLine.calls(5, id: "1", at: "2027-01-11T10:00:00Z"), EventLine.usage(5, of: "teleport", id: "1"),
            EventLine.usage(5, of: "basic_analysis", id: "1"), EventLine.calls(0, id: "1"),
        ].map(\.text)
        let words = try ledger.ingest(refused + [EventLine.calls(8, id: "1").text]).words(of: 7)
        #expect(
            words == [
                "unknown_app", "too_old", "in_future", "unknown_feature", "wrong_type", "bad_quantity", "accepted",
            ])
        #expect(try calls(ledger) == ["8"])
    }

    @Test("Device activity has no identity: an id that repeats is no objection, delivered again it is accepted")
    func deviceActivity() throws {
        let ledger = try ledger()
        let words = try ledger.ingest(
            EventLine.device("a", id: "1").text, EventLine.device("b", id: "1").text, first.text,
            EventLine.device("a", id: "1").text
        ).words(of: 4)
        #expect(words == Array(repeating: "accepted", count: 4))
        #expect(try ledger.rows("SELECT devices FROM mau") == ["2"])
    }

    /// The age limit is 35 days: an identity that arrived on 10 January is held through 15 February.
    @Test(
        "It is held through its arrival date plus the age limit plus one day, then free",
        arguments: [
            // arrival of the copy, same content, other content
            ("2027-01-11T00:00:00Z", "duplicate", "conflict"),
            ("2027-02-14T12:00:00Z", "duplicate", "conflict"),
            ("2027-02-15T00:00:00Z", "duplicate", "conflict"),
            ("2027-02-15T23:59:59.999999Z", "duplicate", "conflict"),
            // Free, but the same content is too old by now: it can't be counted twice.
            ("2027-02-16T00:00:00Z", "too_old", "accepted"),
            ("2027-03-16T00:00:00Z", "too_old", "accepted"),
        ])
    func lifetime(copyArrives: String, same: String, other: String) throws {
        for prepared in [false, true] {
            for restarted in [false, true] {
                let ledger = try ledger()
                _ = try ledger.ingest(first.text)
                try ledger.set(now: copyArrives)
                if restarted { try ledger.reopen() }
                // Past days' identities are in memory, or in a run in the file.
                if prepared { try ledger.ledger.prepareIngestion(clock: ledger.clock) }
                let fresh = EventLine.calls(6, id: "1", at: copyArrives).text
                let words = try ledger.ingest(first.text, fresh).words(of: 2)
                #expect(words == [same, other], "prepared: \(prepared), restarted: \(restarted)")
            }
        }
    }

    @Test(
        "Two events hold an identity after the clock was set back: each of them again is a duplicate, a third a conflict"
    )
    func heldTwice() throws {
        for prepared in [false, true] {
            for restarted in [false, true] {
                let ledger = try ledger()
                _ = try ledger.ingest(first.text)
                try ledger.set(now: "2027-03-16T12:00:00Z")
                let second = EventLine.calls(6, id: "1", at: "2027-03-16T10:00:00Z").text
                #expect(try ledger.ingest(second).words(of: 1) == ["accepted"])
                // Days that are over are filed in a run each.
                if prepared {
                    try ledger.set(now: "2027-03-17T12:00:00Z")
                    try ledger.ledger.prepareIngestion(clock: ledger.clock)
                }
                // As one that goes by the system's clock never knew how late it was.
                try ledger.execute("UPDATE ledger_state SET latest_instant = NULL")
                try ledger.set(now: "2027-01-12T12:00:00Z")
                if restarted { try ledger.reopen() }
                if prepared {
                    try ledger.ledger.prepareIngestion(clock: ledger.clock)
                    #expect(try ledger.rows("SELECT count(*) FROM identity_run_day") == ["2"])
                }
                let third = EventLine.calls(7, id: "1").text
                #expect(
                    try ledger.ingest(first.text, second, third).words(of: 3) == [
                        "duplicate", "duplicate", "conflict",
                    ],
                    "prepared: \(prepared), restarted: \(restarted)")
            }
        }
    }

    @Test("The day of arrival is the ledger's local one")
    func localArrival() throws {
        let ledger = try LedgerFixture(now: "2027-01-10T15:59:59Z", timeZone: "Asia/Shanghai")
        try ledger.addTenant("acme", apps: ["shop"])
        _ = try ledger.ingest(first.text)
        try ledger.set(now: "2027-02-15T15:59:59Z")
        #expect(
            try ledger.ingest(EventLine.calls(6, id: "1", at: "2027-02-15T12:00:00Z").text).words(of: 1) == ["conflict"]
        )
        try ledger.set(now: "2027-02-15T16:00:00Z")
        #expect(
            try ledger.ingest(EventLine.calls(6, id: "1", at: "2027-02-15T12:00:00Z").text).words(of: 1) == ["accepted"]
        )
    }

    @Test("An event that is tomorrow's, taken within the ten minutes, is never counted twice either")
    func fromTomorrow() throws {
        let ledger = try ledger(now: "2027-01-10T23:55:00Z")
        let tomorrow = EventLine.calls(5, id: "1", at: "2027-01-11T00:05:00Z").text
        #expect(try ledger.ingest(tomorrow).words(of: 1) == ["accepted"])
        try ledger.set(now: "2027-02-15T23:59:00Z")
        #expect(try ledger.ingest(tomorrow).words(of: 1) == ["duplicate"])
        try ledger.set(now: "2027-02-16T00:00:00Z")
        #expect(try ledger.ingest(tomorrow).words(of: 1) == ["too_old"])
    }
}
