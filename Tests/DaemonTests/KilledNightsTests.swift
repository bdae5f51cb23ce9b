// kill -9 of the daemon day after day, while it rates and while many send: the whole ledger in the end.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Seeded
import TestSupport
import Testing

/// METERD_DAEMON_SEED chooses the moments and the events.
private let seed = ProcessInfo.processInfo.environment["METERD_DAEMON_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("A daemon that is killed in its ratings and between them", .inTurn)
struct KilledNightsTests {
    private static let days = 10...19
    private static let senders = 8
    private static let requestsOfDay = 60
    private static let killsOfDay = 2
    /// A daemon rates whenever it starts. One that has started twice would have rated more, and have noted differences.
    private static let onlyTaking = ["METERD_RATE_AT": "off"]

    private static func now(on day: Int) -> String { "2027-01-\(day)T12:00:00Z" }

    /// With something to draw on: for the calls of all days, and for all usage from the 10th on.
    private func scene() async throws -> DaemonScene {
        let scene = try await DaemonScene.make()
        for grant in [
            [
                "pack", "--offer", "mini_program_package", "--devices", "10000", "--purchased-at",
                "2027-01-09T00:00:00Z",
            ],
            [
                "calls", "--offer", "resource_package", "--item", "gateway_calls", "--quantity", "60000",
                "--purchased-at", "2027-01-07T00:00:00Z",
            ],
        ] {
            try await scene.run(["grant", "add"] + grant + ["--tenant", "acme", "--now", DaemonScene.now])
        }
        return scene
    }

    @Test("leaves, in every view, the ledger of one that nobody interrupted")
    func sameLedger() async throws {
        let killed = try await scene()
        let whole = try killed.copy()
        let outbox = Outbox()
        var chance = SeededGenerator(seed: seed)
        defer { outbox.with { $0.mayBegin = false } }
        var killsInRatings = 0
        for day in Self.days {
            killsInRatings += try await rate(killed, on: day, &chance)
            let batches = try await send(outbox, to: killed, on: day, &chance)
            try await rateInPeace(whole, on: day)
            try await takeInPeace(batches, whole, on: day)
        }
        let end = Self.now(on: Self.days.upperBound)
        for scene in [killed, whole] {
            try await scene.run(["rate", "--date", String(end.prefix(10)), "--now", end])
            try await scene.run(["verify"])
        }
        let state = outbox.with { $0 }
        #expect(state.problems == [])
        let contents = try killed.contents()
        let expected = try whole.contents()
        for (view, rows) in expected where contents[view] != rows {
            let differences = Set(rows).symmetricDifference(contents[view] ?? []).sorted().prefix(4)
            Issue.record("seed \(seed), \(view): \(contents[view]?.count ?? 0) rows for \(rows.count): \(differences)")
        }
        print(
            """
            kill -9, seed \(seed): \(killsInRatings) in ratings of \(Self.days.count) nights, \
            \(state.unanswered) requests without an answer of \(state.acknowledged.count); \
            \(expected["ledger"]?.count ?? 0) entries
            """)
        #expect(killsInRatings >= Self.days.count / 2)
        #expect(state.unanswered >= Self.days.count)
        // What is told by the views is more than the simplest.
        for query in [
            "SELECT count(*) FROM settled_day", "SELECT count(*) FROM sealed_device",
            "SELECT count(*) FROM ledger WHERE source = 'package'",
            "SELECT count(*) FROM ledger WHERE source = 'resource_package'",
            "SELECT count(*) FROM ledger WHERE posted_day <> usage_day",
        ] {
            #expect(try killed.rows(query) != ["0"], "\(query)")
        }
    }

    /// The nightly rating by the daemon, which is killed before one of its writes, three times at most, and then is not.
    ///
    /// - Returns: how often it was killed in the middle of it.
    private func rate(
        _ scene: DaemonScene, on day: Int, _ chance: inout SeededGenerator
    ) async throws -> Int {
        var kills = 0
        for _ in 0..<3 {
            var interposition = Interposition(folder: scene.folder.url.path)
            interposition.faults = [Fault(.write, of: "-wal", at: Int.random(in: 1...60, using: &chance), .kill)]
            let before = try Self.runs(scene)
            let daemon = try scene.serve(["--now", Self.now(on: day)], settings: interposition.environment)
            try await eventually("it is killed, or has rated") {
                daemon.process.end != nil || daemon.log.contains(" rated ")
            }
            // One that has rated may meet its fault while it stops.
            if daemon.process.end == nil, try await daemon.stop().end == .exited(0) { break }
            #expect(daemon.process.end == .killed(signal: SIGKILL), "\(daemon.log)")
            // A run is noted when it begins.
            if try Self.runs(scene) > before, !daemon.log.contains(" rated ") { kills += 1 }
        }
        try await rateInPeace(scene, on: day)
        return kills
    }

    private static func runs(_ scene: DaemonScene) throws -> Int {
        try Int(scene.rows("SELECT count(*) FROM rating_run")[0]) ?? 0
    }

    private func rateInPeace(_ scene: DaemonScene, on day: Int) async throws {
        let daemon = try scene.serve(["--now", Self.now(on: day)])
        try await daemon.line(with: " rated ")
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
    }

    /// Sends the requests of a day, by a daemon that is killed while they come.
    ///
    /// - Returns: what was acknowledged, all of it.
    private func send(
        _ outbox: Outbox, to scene: DaemonScene, on day: Int, _ chance: inout SeededGenerator
    ) async throws -> [SentBatch] {
        let before = outbox.with { state in
            (state.now, state.mayBegin) = (Self.now(on: day), true)
            return state.acknowledged.count
        }
        for number in 0..<Self.senders {
            Sender("\(day)-\(number)", seed: chance.next(), outbox: outbox).start()
        }
        for kill in 0...Self.killsOfDay {
            let daemon = try scene.serve(settings: Self.onlyTaking)
            let port = try await daemon.port()
            outbox.with { ($0.port, $0.round) = (port, day * 10 + kill) }
            guard kill == Self.killsOfDay else {
                try await eventually("requests are in flight") { outbox.with { $0.inFlight } > 0 }
                try await Task.sleep(for: .milliseconds(Int.random(in: 5..<80, using: &chance)))
                try await daemon.kill()
                outbox.with { $0.port = nil }
                continue
            }
            try await eventually("the requests of a day are acknowledged") {
                outbox.with { $0.acknowledged.count >= before + Self.requestsOfDay || !$0.problems.isEmpty }
            }
            outbox.with { $0.mayBegin = false }
            try await outbox.finish()
            outbox.with { $0.port = nil }
            #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        }
        return outbox.with { Array($0.acknowledged[before...]) }
    }

    /// The same requests, one after the other.
    private func takeInPeace(_ batches: [SentBatch], _ scene: DaemonScene, on day: Int) async throws {
        let daemon = try scene.serve(settings: Self.onlyTaking)
        let connection = try HTTPConnection(port: try await daemon.port())
        for batch in batches {
            let answer = try connection.post(lines: batch.lines, now: Self.now(on: day))
            #expect(answer.status == 200, "\(answer.text)")
        }
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
    }
}
