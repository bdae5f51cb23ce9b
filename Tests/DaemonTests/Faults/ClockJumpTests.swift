// A clock that is far ahead: nothing is stored or settled by it, the operator is told, and all goes on once it is right.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A clock that jumps (Billing rules, section 4)", .inTurn)
struct ClockJumpTests {
    /// A ledger that goes by the system's clock, with a call of 9 May rated and a resource package that holds 999,999.
    private struct Stage {
        let clock: SetClock
        let scene: DaemonScene

        static let start = "2027-05-10T12:00:00Z"

        init() async throws {
            clock = try SetClock("2027-05-09T12:00:00Z")
            scene = try await DaemonScene.make(now: nil, environment: clock.environment)
            try await scene.run([
                "grant", "add", "R", "--tenant", "acme", "--offer", "resource_package", "--item", "gateway_calls",
                "--quantity", "1000000", "--purchased-at", "2027-05-09T00:00:00Z", "--price", "60",
            ])
            try clock.set(to: Self.start)
            let event = EventLine.calls(1, id: "first", at: "2027-05-10T11:00:00Z").text
            try await scene.run(["ingest", scene.write(event + "\n", to: "first.ndjson")])
            try await scene.run(["rate", "--date", "2027-05-09"])
        }

        func serve(_ settings: [String: String] = [:]) async throws -> (daemon: ServingDaemon, HTTPConnection) {
            let daemon = try scene.serve(settings: ["METERD_RATE_AT": "00:10"].merging(settings) { $1 })
            return (daemon, try HTTPConnection(port: try await daemon.port()))
        }

        /// What the ledger holds but for the latest instant: nothing of it may change by a clock that is not believed.
        func contents() throws -> [String: [String]] {
            var contents = try scene.contents()
            contents["ledger_state"] = try scene.rows(
                "SELECT closed_through, settled_through, rated_through, change_count FROM ledger_state")
            return contents
        }

        func latestInstant() throws -> String {
            try scene.rows(
                "SELECT strftime('%Y-%m-%d', latest_instant / 1000000, 'unixepoch') FROM ledger_state")[0]
        }

        func stop(_ daemon: ServingDaemon) async throws {
            #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
            try await scene.run(["verify"])
        }
    }

    private static func call(_ id: String, _ calls: Int64, at time: String) -> String {
        EventLine.calls(calls, id: id, at: time).text
    }

    private static let notBelieved = "it is not believed, and nothing was stored."

    // MARK: With a daemon

    @Test(
        "A daemon started with a clock that is far ahead settles nothing and says so, and goes on once the clock is right",
        arguments: ["2099-05-10T12:00:00Z", "2028-06-13T12:00:00Z"])
    func startedAhead(time: String) async throws {
        let stage = try await Stage()
        let before = try stage.contents()
        try stage.clock.set(to: time)
        let (daemon, connection) = try await stage.serve()
        try await daemon.line(with: " error the clock is not believed", time.prefix(10).description, "2027-05-10T12:")

        let today = Self.call("today", 5_000_000, at: "2027-05-10T11:30:00Z")
        for event in [today, Self.call("ahead", 1, at: time)] {
            let refused = try connection.post(lines: [event], now: nil)
            #expect(refused.status == 503 && refused.text.contains(Self.notBelieved), "\(refused.text)")
            #expect(refused.text.contains("meterd clock confirm"), "\(refused.text)")
        }
        let ready = try connection.get("/readyz")
        #expect(ready.status == 503 && ready.text.contains(Self.notBelieved), "\(ready.text)")
        #expect(try connection.get("/metrics").text.contains("\nmeterd_clock_believed 0\n"))
        #expect(try connection.get("/v1/ledger").status == 200)
        for command in [
            ["rate", "--date", "2027-05-10"], ["rate", "--date", "yesterday"], ["tenant", "add", "bolt"],
            ["app", "add", "rides", "--tenant", "acme"], ["grant", "void", "R"], ["quarantine", "drop", "--all"],
            ["quarantine", "retry"], ["device", "erase", "x", "--app", "shop"],
            ["ingest", try stage.scene.write(today + "\n", to: "today.ndjson")],
        ] {
            let outcome = try await stage.scene.outcome(command)
            #expect(outcome.end == .exited(1) && outcome.errors.contains(Self.notBelieved), "\(command): \(outcome)")
        }
        // Longer than the nightly rating waits between two looks at the clock.
        try await Task.sleep(for: .seconds(6))
        #expect(try stage.contents() == before)
        #expect(try stage.latestInstant() == "2027-05-10")
        #expect(daemon.log.components(separatedBy: " error the clock is not believed").count == 2, "\(daemon.log)")

        // Set right, as a service that keeps the time does.
        try stage.clock.set(to: "2027-05-10T12:05:00Z")
        try await daemon.line(with: " notice the clock is believed again")
        #expect(try connection.get("/readyz").status == 200)
        #expect(try connection.get("/metrics").text.contains("\nmeterd_clock_believed 1\n"))
        #expect(try connection.post(lines: [today], now: nil).text.hasPrefix(#"{"accepted":1,"#))
        #expect(try await stage.scene.run(["rate", "--date", "2027-05-10"]).contains("no day became settled"))
        #expect(
            try stage.scene.rows("SELECT posting_day, sum(quantity) FROM usage_counter GROUP BY 1") == ["20948 5000001"]
        )
        #expect(
            try stage.scene.rows("SELECT day, status FROM bill ORDER BY day") == [
                "2027-05-09 draft", "2027-05-10 draft",
            ])
        #expect(try stage.scene.rows("SELECT count(*) FROM ledger WHERE source = 'forfeit'") == ["0"])
        #expect(try stage.scene.rows("SELECT consumed FROM grant_balance") == ["1000000"])
        try await stage.stop(daemon)
    }

    @Test("A clock that jumps under a daemon is not believed until it is right again, and nothing was stored meanwhile")
    func jumpsMeanwhile() async throws {
        let stage = try await Stage()
        let (daemon, connection) = try await stage.serve()
        try await daemon.line(with: " notice rated ", " through=2027-05-09")
        #expect(try connection.post(lines: [Self.call("1", 2, at: "2027-05-10T11:30:00Z")], now: nil).status == 200)
        let before = try stage.contents()
        for time in ["2027-05-20T12:30:00Z", "2028-06-13T12:00:00Z"] {
            try stage.clock.set(to: time)
            let refused = try connection.post(lines: [Self.call("2", 3, at: "2027-05-10T11:30:00Z")], now: nil)
            #expect(refused.status == 503 && refused.text.contains(Self.notBelieved), "\(refused.text)")
            try await Task.sleep(for: .seconds(6))
            #expect(try stage.contents() == before)
            try stage.clock.set(to: "2027-05-10T12:10:00Z")
            #expect(try connection.post(lines: [Self.call("1", 2, at: "2027-05-10T11:30:00Z")], now: nil).status == 200)
        }
        #expect(daemon.log.components(separatedBy: " error the clock is not believed").count == 3, "\(daemon.log)")
        try await stage.stop(daemon)
    }

    @Test("A daemon whose machine has slept for 30 days has seen the time pass, and goes on at once")
    func sleeps() async throws {
        let stage = try await Stage()
        let (daemon, connection) = try await stage.serve()
        try await daemon.line(with: " notice rated ", " through=2027-05-09")
        try stage.clock.sleep(days: 30)
        let event = Self.call("june", 7, at: "2027-06-09T11:30:00Z")
        let answer = try connection.post(lines: [event], now: nil)
        #expect(answer.text.hasPrefix(#"{"accepted":1,"#), "\(answer.text)")
        try await daemon.line(with: " notice rated ", " through=2027-06-08", withinSeconds: 30)
        #expect(try stage.scene.rows("SELECT max(day) FROM settled_day") == ["20975"])
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
        try await stage.stop(daemon)
    }

    @Test("A clock that the kernel calls synchronised is believed, one of which it says nothing is not")
    func kernel() async throws {
        let stage = try await Stage()
        try stage.clock.set(to: "2027-06-20T12:00:00Z")
        try stage.clock.say(.silent)
        let (daemon, connection) = try await stage.serve(["METERD_RATE_AT": "off"])
        let event = Self.call("june", 7, at: "2027-06-20T11:30:00Z")
        #expect(try connection.post(lines: [event], now: nil).status == 503)
        let shown = try await stage.scene.outcome(["clock"])
        #expect(shown.end == .exited(1))
        #expect(shown.output.contains("does not say whether its clock is synchronised: Operation not permitted"))
        try stage.clock.say(.synchronised)
        #expect(try connection.post(lines: [event], now: nil).status == 200)
        #expect(try stage.latestInstant() == "2027-06-20")
        try await stage.stop(daemon)
    }

    @Test("A person's word is enough: confirmed by a command beside the daemon, which goes on from there")
    func confirmed() async throws {
        let stage = try await Stage()
        try stage.clock.set(to: "2027-07-20T12:00:00Z")
        let (daemon, connection) = try await stage.serve(["METERD_RATE_AT": "off"])
        let event = Self.call("july", 7, at: "2027-07-20T11:30:00Z")
        #expect(try connection.post(lines: [event], now: nil).status == 503)
        let shown = try await stage.scene.outcome(["clock", "--format", "json"])
        #expect(shown.end == .exited(1))
        #expect(
            shown.output.contains(#""believed":false,"reason":"not_believed","kernel":"unsynchronized""#), "\(shown)")
        #expect(try await stage.scene.run(["clock", "confirm"]).contains("clock confirmed: 2027-07-20T12:"))
        #expect(try connection.post(lines: [event], now: nil).status == 200)
        #expect(try await stage.scene.run(["clock"]).contains("believed  yes: it is at most 10 days"))
        // Also with the command that changes something.
        try stage.clock.set(to: "2027-09-20T12:00:00Z")
        #expect(try await stage.scene.outcome(["tenant", "add", "bolt"]).end == .exited(1))
        try await stage.scene.run(["tenant", "add", "bolt", "--confirm-clock"])
        #expect(try stage.latestInstant() == "2027-09-20")
        try await stage.scene.run(["tenant", "add", "cafe"])
        try await stage.stop(daemon)
    }

    @Test("An idle daemon records what time it is, so that days go by without a person's word")
    func recordsEachHour() async throws {
        let stage = try await Stage()
        try stage.clock.set(to: "2027-05-14T12:00:00Z")
        let (daemon, _) = try await stage.serve(["METERD_RATE_AT": "off"])
        try await eventually("the time is recorded") { try stage.latestInstant() == "2027-05-14" }
        // More than an hour later, by the clock since boot too.
        try stage.clock.sleep(days: 1)
        try await eventually("the time is recorded again") { try stage.latestInstant() == "2027-05-15" }
        try await stage.stop(daemon)
    }

    @Test("A clock that nobody has set shows 1970: the daemon starts, waits, and goes on once it is set")
    func neverSet() async throws {
        let stage = try await Stage()
        let before = try stage.contents()
        try stage.clock.set(to: "1970-01-01T00:01:00Z")
        let (daemon, connection) = try await stage.serve()
        try await daemon.line(with: " error the clock is not believed", "before the year 1971")
        let event = Self.call("1", 2, at: "2027-05-10T11:30:00Z")
        #expect(try connection.post(lines: [event], now: nil).status == 503)
        #expect(try connection.get("/readyz").status == 503)
        #expect(try await stage.scene.outcome(["tenant", "add", "bolt"]).end == .exited(1))
        #expect(try await stage.scene.outcome(["clock"]).output.contains("believed  no: nobody has set the clock"))
        #expect(try stage.contents() == before)
        try stage.clock.set(to: "2027-05-10T12:05:00Z")
        #expect(try connection.post(lines: [event], now: nil).status == 200)
        try await stage.stop(daemon)
    }

    // MARK: Without a daemon

    @Test("Commands by themselves refuse a clock that is far ahead with both instants, and change nothing")
    func alone() async throws {
        let stage = try await Stage()
        let before = try stage.contents()
        try stage.clock.set(to: "2099-05-10T12:00:00Z")
        let event = try stage.scene.write(Self.call("1", 2, at: "2027-05-10T11:30:00Z") + "\n", to: "1.ndjson")
        for command in [
            ["rate", "--date", "2027-05-10"], ["rate", "--date", "yesterday"],
            ["rate", "--date", "2027-05-10", "--dry-run"],
            ["ingest", event], ["tenant", "add", "bolt"], ["app", "add", "rides", "--tenant", "acme"],
            ["grant", "void", "R"], ["quarantine", "drop", "--all"], ["quarantine", "retry"],
            ["device", "erase", "x", "--app", "shop"],
        ] {
            let outcome = try await stage.scene.outcome(command)
            #expect(outcome.end == .exited(1), "\(command): \(outcome)")
            for words in ["2099-05-10T12:", "2027-05-10T12:", "meterd clock confirm", "--confirm-clock"] {
                #expect(outcome.errors.contains(words), "\(command): \(outcome)")
            }
        }
        #expect(try stage.contents() == before)
        for reading in [["usage"], ["bill"], ["ledger"], ["grant", "list"], ["verify"], ["tenant", "list"]] {
            #expect(try await stage.scene.outcome(reading).end == .exited(0), "\(reading)")
        }
        let copy = stage.scene.folder.path("copy.db")
        #expect(try await stage.scene.outcome(["backup", copy]).end == .exited(0))
        #expect(try await stage.scene.outcome(["clock"]).end == .exited(1))

        // Behind what is recorded nothing is wrong with it, and it can be confirmed all the same after a mistake.
        try await stage.scene.run(["clock", "confirm"])
        #expect(try stage.latestInstant() == "2099-05-10")
        try stage.clock.set(to: "2027-05-10T12:30:00Z")
        try await stage.scene.run(["ingest", event])
        #expect(try stage.latestInstant() == "2099-05-10")
        // Until then a wrong clock would be believed for 72 years: verifying says so, also of a copy before it is restored.
        let ahead = stage.scene.folder.path("ahead.db")
        try await stage.scene.run(["backup", ahead])
        for command in [["verify"], ["restore", ahead, "--db", stage.scene.folder.path("again.db")]] {
            let outcome = try await stage.scene.outcome(command)
            #expect(outcome.end == .exited(1), "\(command): \(outcome)")
            let words = "the latest instant that the ledger has recorded is 2099-05-10T12:"
            let said = outcome.output + outcome.errors
            #expect(said.contains(words) && said.contains("'meterd clock confirm'"), "\(command): \(outcome)")
        }
        try await stage.scene.run(["clock", "confirm"])
        #expect(try stage.latestInstant() == "2027-05-10")
        try await stage.scene.run(["verify"])
        try stage.clock.set(to: "2028-05-10T12:30:00Z")
        #expect(try await stage.scene.outcome(["ingest", event]).end == .exited(1))
        try await stage.scene.run(["verify"])
    }

    @Test("A confirmed ingestion records the instant with its first batch, and the next command needs no word")
    func confirmedIngestion() async throws {
        let stage = try await Stage()
        try stage.clock.set(to: "2027-08-10T12:00:00Z")
        let event = try stage.scene.write(Self.call("1", 2, at: "2027-08-10T11:30:00Z") + "\n", to: "1.ndjson")
        #expect(try await stage.scene.outcome(["ingest", event]).end == .exited(1))
        #expect(try await stage.scene.run(["ingest", event, "--confirm-clock"]).hasPrefix("1 event: 1 accepted"))
        #expect(try stage.latestInstant() == "2027-08-10")
        try await stage.scene.run(["rate", "--date", "yesterday"])
        #expect(try stage.scene.rows("SELECT quantity FROM usage_daily ORDER BY usage_day") == ["1", "2"])
    }
}
