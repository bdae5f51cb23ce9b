// A wall clock that jumps under a live daemon: it decides which days usage belongs to, and nothing else.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon whose clock", .inTurn)
struct ClockTests {
    /// A daemon on a ledger that goes by the system's clock.
    private struct Stage {
        let clock: SetClock
        let scene: DaemonScene
        let daemon: ServingDaemon
        let port: Int
        let connection: HTTPConnection

        init(
            at time: String, timeZone: String = "UTC", settings: [String: String] = [:], hold: Hold? = nil
        ) async throws {
            clock = try SetClock(time)
            scene = try await DaemonScene.make(now: nil, timeZone: timeZone, environment: clock.environment)
            // The hold's environment names the same library as the clock's.
            let held = hold?.environment(scene) ?? [:]
            daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"].merging(settings) { $1 }.merging(held) { $1 })
            port = try await daemon.port()
            connection = try HTTPConnection(port: port)
        }

        /// What becomes of events: `accepted`, `duplicate`, `correction` or the code of the refusal.
        func post(_ events: [EventLine]) throws -> [String] {
            let answer = try EventsAnswer(connection.post(lines: events.map(\.text), now: nil))
            var words = answer.statuses(of: events.count)
            for result in answer.results { words[result.index] = result.code ?? words[result.index] }
            return words
        }

        func post(_ events: EventLine...) throws -> [String] { try post(events) }

        func rate(_ day: String) async throws -> CommandOutcome { try await scene.outcome(["rate", "--date", day]) }

        /// Stops the daemon; the ledger must agree.
        func finish() async throws {
            #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
            #expect(!daemon.log.contains(" error "), "\(daemon.log)")
            try await scene.run(["verify"])
        }
    }

    private static let entries = """
        SELECT posted_day, usage_day, app, item, source, quantity, amount_micros FROM ledger ORDER BY entry_id
        """

    // MARK: Two days ahead and back

    @Test(
        """
        jumps two days ahead and back, and behind: events count once on their own days, settled days stay as they are, \
        what comes late for them is a correction
        """)
    func twoDays() async throws {
        let stage = try await Stage(at: "2027-05-10T12:00:00Z")
        let first = EventLine.calls(100, id: "1", at: "2027-05-10T11:00:00Z")
        let device = EventLine.device("phone", at: "2027-05-10T11:00:00Z")
        #expect(try stage.post(first, device) == ["accepted", "accepted"])

        // Ahead: who has the right time is two days behind it, which is no more than the days that are open.
        try stage.clock.set(to: "2027-05-12T12:00:00Z")
        let second = EventLine.calls(10, id: "2", at: "2027-05-10T11:30:00Z")
        let ahead = EventLine.calls(7, id: "ahead", at: "2027-05-12T11:00:00Z")
        #expect(
            try stage.post(first, device, second, ahead, .device("phone", at: "2027-05-12T11:00:00Z"))
                == ["duplicate", "accepted", "accepted", "accepted", "accepted"])
        #expect(try await stage.rate("2027-05-12").end == .exited(0))
        #expect(try stage.scene.rows("SELECT count(*) FROM settled_day") == ["0"])

        // Set right: what was taken stays, and what is yet to come is refused.
        try stage.clock.set(to: "2027-05-10T12:10:00Z")
        #expect(
            try stage.post(first, second, ahead, .calls(1, id: "3", at: "2027-05-10T12:05:00Z"))
                == ["duplicate", "duplicate", "duplicate", "accepted"])
        #expect(try stage.post(.calls(1, id: "later", at: "2027-05-12T11:00:00Z")) == ["in_future"])
        let early = try await stage.rate("2027-05-12")
        #expect(early.end == .exited(1))
        #expect(early.errors.contains("--date 2027-05-12 lies in the future (today is 2027-05-10"), "\(early)")
        #expect(try await stage.rate("2027-05-10").end == .exited(0))

        // Behind: senders with the right time are ahead of it.
        try stage.clock.set(to: "2027-05-08T12:10:00Z")
        #expect(
            try stage.post(
                first, .calls(2, id: "4", at: "2027-05-08T12:00:00Z"), .calls(1, id: "5", at: "2027-05-10T12:00:00Z"))
                == ["duplicate", "accepted", "in_future"])

        // Ahead until days are settled, and right again: these days stay closed.
        try stage.clock.set(to: "2027-05-13T12:00:00Z")
        #expect(try await stage.rate("2027-05-13").end == .exited(0))
        #expect(try stage.scene.rows("SELECT max(day) FROM settled_day") == ["20948"])
        let settled = try stage.scene.rows(Self.entries)
        try stage.clock.set(to: "2027-05-10T12:20:00Z")
        #expect(
            try stage.post(
                .calls(1000, id: "6", at: "2027-05-10T12:15:00Z"), .device("phone", at: "2027-05-10T12:15:00Z"))
                == ["correction", "correction"])
        #expect(try await stage.rate("2027-05-10").end == .exited(0))
        let entries = try stage.scene.rows(Self.entries)
        #expect(Array(entries.prefix(settled.count)) == settled)
        #expect(
            entries.dropFirst(settled.count) == ["2027-05-11 2027-05-10 shop gateway_calls overage 1000 15000"],
            "\(entries)")
        #expect(
            try stage.scene.rows(
                "SELECT usage_day, sum(quantity) FROM usage_daily WHERE item = 'gateway_calls' GROUP BY usage_day")
                == ["2027-05-08 2", "2027-05-10 1111", "2027-05-12 7"])
        #expect(try stage.scene.rows("SELECT app, item, devices FROM mau") == ["shop basic_analysis 1"])
        #expect(try stage.scene.rows("SELECT sum(quantity) FROM ledger WHERE item = 'gateway_calls'") == ["1120"])
        try await stage.finish()
    }

    // MARK: Over the days' bounds

    struct Bound: Sendable, CustomTestStringConvertible {
        let name: String
        let timeZone: String
        /// Where the clock is set, one after the other.
        let times: [String]
        /// The local day of each.
        let days: [String]

        var testDescription: String { name }
    }

    static let bounds = [
        Bound(
            name: "the hour that is left out in spring, New York", timeZone: "America/New_York",
            times: [
                "2027-03-14T04:59:30Z", "2027-03-14T05:00:01Z", "2027-03-14T06:59:59Z", "2027-03-14T07:00:01Z",
                "2027-03-15T03:59:30Z", "2027-03-15T04:00:01Z",
            ],
            days: ["2027-03-13", "2027-03-14", "2027-03-14", "2027-03-14", "2027-03-14", "2027-03-15"]),
        Bound(
            name: "the hour that comes twice in autumn, New York", timeZone: "America/New_York",
            times: [
                "2027-11-07T03:59:30Z", "2027-11-07T04:00:01Z", "2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z",
                "2027-11-08T04:59:30Z", "2027-11-08T05:00:01Z",
            ],
            days: ["2027-11-06", "2027-11-07", "2027-11-07", "2027-11-07", "2027-11-07", "2027-11-08"]),
        Bound(
            name: "the leap day, Shanghai", timeZone: "Asia/Shanghai",
            times: ["2028-02-28T15:59:30Z", "2028-02-28T16:00:01Z", "2028-02-29T15:59:30Z", "2028-02-29T16:00:01Z"],
            days: ["2028-02-28", "2028-02-29", "2028-02-29", "2028-03-01"]),
        Bound(
            name: "the end of the year", timeZone: "UTC",
            times: ["2027-12-31T23:59:30Z", "2028-01-01T00:00:01Z", "2028-01-01T23:59:30Z", "2028-01-02T00:00:01Z"],
            days: ["2027-12-31", "2028-01-01", "2028-01-01", "2028-01-02"]),
    ]

    @Test(
        "jumps over the bounds of days and back: every event is of the day that it was on, and counts once",
        arguments: bounds)
    func overBounds(_ bound: Bound) async throws {
        let stage = try await Stage(at: bound.times[0], timeZone: bound.timeZone)
        // Ahead, back to the first bound, and ahead again.
        var expected: [String: Int] = [:]
        var number = 0
        for index in Array(bound.times.indices) + [1, 0] + Array(bound.times.indices) {
            try stage.clock.set(to: bound.times[index])
            number += 1
            let event = EventLine.calls(Int64(number), id: "\(number)", at: bound.times[index])
            let device = EventLine.device("device-\(bound.days[index])", at: bound.times[index])
            #expect(try stage.post(event, device) == ["accepted", "accepted"], "\(bound.times[index])")
            #expect(try stage.post(event, device) == ["duplicate", "accepted"], "\(bound.times[index])")
            expected[bound.days[index], default: 0] += number
            #expect(
                try stage.scene.rows("SELECT arrival_day FROM usage_event WHERE id = '\(number)'") == [
                    bound.days[index]
                ])
        }
        #expect(
            try stage.scene.rows(
                """
                SELECT usage_day, sum(quantity)
                FROM usage_daily
                WHERE item = 'gateway_calls'
                GROUP BY usage_day
                ORDER BY usage_day
                """) == expected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
        let devices = Set(bound.days)
        #expect(
            try stage.scene.rows(
                """
                SELECT usage_day, sum(quantity)
                FROM usage_daily
                WHERE item = 'basic_analysis' AND quantity > 0
                GROUP BY usage_day
                ORDER BY usage_day
                """) == devices.sorted().map { "\($0) 1" })
        let months = Dictionary(grouping: devices) { $0.prefix(7) }.map { "\($0) \($1.count)" }.sorted()
        #expect(try stage.scene.rows("SELECT month, devices FROM mau ORDER BY month") == months)
        #expect(try await stage.rate(bound.days[bound.days.count - 1]).end == .exited(0))
        try await stage.finish()
    }

    @Test("passes midnight, the end of the year: what comes before is of the old day, what comes after of the new one")
    func midnight() async throws {
        let stage = try await Stage(at: "2027-12-31T23:00:00Z")
        var number = 0
        func post() throws {
            // The times of the events are the sender's: always the old year.
            #expect(try stage.post(.calls(1, id: "\(number)", at: "2027-12-31T22:59:50Z")) == ["accepted"])
            number += 1
        }
        try post()
        try stage.clock.set(to: "2027-12-31T23:59:56Z")
        let byDay =
            "SELECT arrival_day, min(CAST(id AS INTEGER)) FROM usage_event GROUP BY arrival_day ORDER BY arrival_day"
        try await eventually("the year has ended") {
            try post()
            return try stage.scene.rows(byDay).count == 2
        }
        for _ in 0..<10 { try post() }
        let days = try stage.scene.rows(byDay)
        #expect(days.count == 2)
        #expect(days.first == "2027-12-31 0")
        #expect(days.last?.hasPrefix("2028-01-01 ") == true)
        #expect(try stage.scene.rows("SELECT usage_day, quantity FROM usage_daily") == ["2027-12-31 \(number)"])
        try await stage.finish()
    }

    // MARK: What does not go by it

    @Test("jumps: the nightly rating comes when its day has, a second time it changes nothing")
    func nightly() async throws {
        let stage = try await Stage(at: "2027-05-10T12:00:00Z", settings: ["METERD_RATE_AT": "00:10"])
        try await stage.daemon.line(with: " notice rated ", " through=2027-05-09")
        #expect(try stage.post(.calls(100, id: "1", at: "2027-05-10T11:00:00Z")) == ["accepted"])
        try stage.clock.set(to: "2027-05-12T12:00:00Z")
        try await stage.daemon.line(with: " notice rated ", " through=2027-05-11")
        let entries = try stage.scene.rows(Self.entries)
        #expect(entries == ["2027-05-10 2027-05-10 shop gateway_calls overage 100 1500"])
        // Set right, that day's rating is due again.
        try stage.clock.set(to: "2027-05-10T12:01:00Z")
        try await eventually("it has rated again") {
            stage.daemon.log.components(separatedBy: " notice rated ").count == 4
        }
        #expect(try stage.scene.rows(Self.entries) == entries)
        try await stage.finish()
    }

    @Test("jumps: deadlines, the watchdog and commands that wait go by a clock that nobody sets")
    func deadlines() async throws {
        let socket = try NotifySocket(.path)
        let hold = try Hold()
        let stage = try await Stage(
            at: "2027-05-10T12:00:00Z",
            settings: [
                "NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "1000000", "METERD_REQUEST_TIMEOUT_SECONDS": "3",
            ], hold: hold)
        func unfinished() throws -> HTTPConnection {
            let connection = try HTTPConnection(port: stage.port)
            try connection.send(
                HTTPConnection.request(
                    "POST", "/v1/events", [("Content-Type", "application/x-ndjson"), ("Content-Length", "100")]))
            return connection
        }
        for time in ["2027-05-12T12:00:00Z", "2027-05-08T12:00:00Z"] {
            let start = ContinuousClock.now
            let connection = try unfinished()
            try await Task.sleep(for: .milliseconds(200))
            try stage.clock.set(to: time)
            // Neither is its time over at once, nor does it last two days longer.
            #expect(try connection.receive().status == 408)
            #expect(ContinuousClock.now - start >= .seconds(3))
            _ = socket.received()
            try await eventually("it says that it lives") { socket.received().contains("WATCHDOG=1") }
        }
        // A command that waits for the writer hears every other second that it is being worked on.
        try hold.begin()
        let command = try stage.scene.begin(["tenant", "add", "bolt"])
        try await Task.sleep(for: .seconds(1))
        try stage.clock.set(to: "2027-05-12T12:00:00Z")
        try await Task.sleep(for: .seconds(3))
        #expect(command.process.end == nil)
        try hold.end()
        #expect(try await command.outcome().end == .exited(0))
        try await stage.finish()
    }
}
