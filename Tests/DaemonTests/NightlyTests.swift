// The nightly rating of the real daemon: what it owes when it starts.

import BuiltProgram
import Foundation
import TestSupport
import Testing

@Suite("The daemon's nightly rating", .inTurn)
struct NightlyTests {
    /// A ledger with usage of 8 to 10 January.
    private func scene(timeZone: String = "UTC") async throws -> DaemonScene {
        let scene = try await DaemonScene.make(timeZone: timeZone)
        let lines = (0..<120).map { number in
            number % 2 == 0
                ? SumEvent(id: "call-\(number)", number: number * 701).line
                : DeviceEvent(device: "device-\(number)", item: "basic_analysis", app: "kiosk").line
                    .replacing("2027-01-09", with: ["2027-01-08", "2027-01-09", "2027-01-10"][number % 3])
        }
        let file = try scene.write(lines.joined(separator: "\n"), to: "events.ndjson")
        try await scene.run(["ingest", file, "--now", DaemonScene.now])
        return scene
    }

    @Test(
        "It rates by itself what is due when it starts, as `meterd rate` does, and settles what is final",
        arguments: [
            // Three days off; the days before have become final.
            ("UTC", "2027-01-14T12:00:00Z", "00:10", "2027-01-13"),
            // A moment before and at the time of day at which yesterday is due.
            ("UTC", "2027-01-14T00:09:59Z", "00:10", "2027-01-12"),
            ("UTC", "2027-01-14T00:10:00Z", "00:10", "2027-01-13"),
            // By the ledger's clock it is the next day already.
            ("Asia/Shanghai", "2027-01-13T16:10:00Z", "00:10", "2027-01-13"),
            ("Asia/Shanghai", "2027-01-13T16:09:00Z", "00:10", "2027-01-12"),
        ]
    )
    func catchesUp(timeZone: String, now: String, rateAt: String, through: String) async throws {
        let served = try await scene(timeZone: timeZone)
        let rated = try served.copy()
        let daemon = try served.serve(["--now", now], settings: ["METERD_RATE_AT": rateAt])
        let line = try await daemon.line(with: "rated", "through=\(through)")
        try await rated.run(["rate", "--date", through, "--now", now])
        #expect(try served.contents() == rated.contents())
        #expect(try !served.rows("SELECT entry_id FROM ledger").isEmpty)
        let settled = try served.rows("SELECT date(settled_through * 86400, 'unixepoch') FROM ledger_state")
        #expect(line.contains("settled_through=\(settled[0])"), "\(line)")
        // Nothing more is due while its clock stands still.
        #expect(daemon.log.split(separator: "\n").filter { $0.contains(" rated ") }.count == 1)
        #expect(try await daemon.stop().end == .exited(0))
        try await served.run(["verify", "--now", now])
    }

    @Test("With rate_at off it rates nothing and says so")
    func off() async throws {
        let served = try await scene()
        let daemon = try served.serve(["--now", "2027-01-14T12:00:00Z"], settings: ["METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        try await daemon.line(with: "no nightly rating: rate_at is off")
        // Its writer has done everything that was asked of it when it is ready.
        try await HTTPConnection.waitUntilReady(port: port)
        #expect(try served.rows("SELECT entry_id FROM ledger") == [])
        #expect(!daemon.log.contains("rated through"))
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("The clock that events bring along makes the next day due while it runs")
    func midnightPasses() async throws {
        let served = try await scene()
        let rated = try served.copy()
        let daemon = try served.serve()
        let port = try await daemon.port()
        try await daemon.line(with: "rated", "through=2027-01-09")
        let event = SumEvent(id: "new", number: 2).line
        let answer = try HTTPConnection(port: port).post(lines: [event], now: "2027-01-11T00:10:00Z")
        #expect(try EventsAnswer(answer).accepted == 1)
        try await daemon.line(with: "rated", "through=2027-01-10")
        try await rated.run(["rate", "--date", "2027-01-09", "--now", "2027-01-10T12:00:00Z"])
        try await rated.run(["ingest", try rated.write(event, to: "new.ndjson"), "--now", "2027-01-11T00:10:00Z"])
        try await rated.run(["rate", "--date", "2027-01-10", "--now", "2027-01-11T00:10:00Z"])
        #expect(try served.contents() == rated.contents())
        #expect(try await daemon.stop().end == .exited(0))
        try await served.run(["verify"])
    }
}
