// kill -9 of the daemon while many send to it: what was acknowledged is there once, whatever was sent again.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Seeded
import TestSupport
import Testing

/// METERD_DAEMON_ROUNDS, METERD_KILL_POINTS and METERD_DAEMON_SEED choose how many rounds and points, and which;
/// `scripts/kill-rounds` sets them.
private let rounds = ProcessInfo.processInfo.environment["METERD_DAEMON_ROUNDS"].flatMap { Int($0) } ?? 50
private let points = ProcessInfo.processInfo.environment["METERD_KILL_POINTS"].flatMap { Int($0) } ?? 12
private let seed = ProcessInfo.processInfo.environment["METERD_DAEMON_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("A daemon that is killed", .inTurn)
struct KillTests {
    private static let senders = 16
    private static let leastRequests = 1_000
    private static let runs = "SELECT count(*) FROM rating_run"

    /// What the clock shows in a round: over all rounds some twelve days, so that days are settled and sealed on the way,
    /// by the nightly rating and by commands, and events for them come as corrections.
    private static func now(in round: Int) -> String {
        let day = 10 + round / max(4, rounds / 12)
        return "2027-01-\(day)T12:00:00Z"
    }

    @Test(
        """
        kill -9 at random moments under load, day after day: every acknowledged event counts exactly once, none twice, \
        and days are settled and sealed on the way
        """)
    func kill() async throws {
        let scene = try await DaemonScene.make()
        let outbox = Outbox()
        var chance = SeededGenerator(seed: seed)
        start(outbox, &chance)
        defer { outbox.with { $0.mayBegin = false } }
        var inFlight = 0
        var rated = 0
        for round in 0..<rounds {
            let now = Self.now(in: round)
            outbox.with { $0.now = now }
            let daemon = try scene.serve()
            var command: RunningCommand?
            // Now and then it is killed while it starts.
            if Int.random(in: 0..<8, using: &chance) == 0 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<250, using: &chance)))
            } else {
                let port = try await daemon.port()
                outbox.with { ($0.port, $0.round) = (port, round) }
                try await eventually("requests are in flight") { outbox.with { $0.inFlight } > 0 }
                if round % 3 == 0 {
                    let runs = try scene.rows(Self.runs)
                    command = try scene.begin(["rate", "--date", "\(now.prefix(10))", "--now", now])
                    try await eventually("the rating has begun") {
                        try scene.rows(Self.runs) != runs || command?.process.end != nil
                    }
                }
                // Every other rating is killed as soon as it has begun.
                if round % 6 != 0 {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 5..<250, using: &chance)))
                }
            }
            if outbox.with({ $0.inFlight }) > 0 { inFlight += 1 }
            try await daemon.kill()
            #expect(daemon.process.end == .killed(signal: SIGKILL), "round \(round): \(daemon.log)")
            outbox.with { $0.port = nil }
            rated += daemon.log.components(separatedBy: " notice rated ").count - 1
            // By itself it would write the ledger, and be no daemon's.
            command?.process.send(signal: SIGKILL)
            if try await command?.process.end() == .exited(0) { rated += 1 }
        }
        // However few rounds there were, the first days are settled in the end.
        outbox.with { $0.now = Self.now(in: max(rounds, 20)) }
        let runs = Int(try scene.rows(Self.runs)[0]) ?? 0
        let hits = try await finish(
            outbox, scene, round: rounds,
            what: "\(rounds) kills, \(inFlight) in flight, \(rated) of \(runs) ratings done")
        #expect(hits * 2 >= rounds, "a good part of the kills should hit requests in flight")
        #expect(rounds < 20 || rated < runs, "no kill came in the middle of a rating")
        #expect(try scene.rows("SELECT count(*) FROM sealed_device") != ["0"])
        #expect(try scene.rows("SELECT count(*) FROM settled_day") != ["0"])
        #expect(try scene.rows("SELECT count(*) FROM identity_run_day") != ["0"])
    }

    @Test("kill -9 before a write or sync of a group commit: every acknowledged event counts exactly once, none twice")
    func killInCommit() async throws {
        let scene = try await DaemonScene.make()
        let outbox = Outbox()
        var chance = SeededGenerator(seed: seed)
        start(outbox, &chance)
        defer { outbox.with { $0.mayBegin = false } }
        let journals = try ScratchFolder()
        var eventsOfCommits: [Int] = []
        for point in 0..<points {
            let isSync = point % 2 == 0
            let number = Int.random(in: isSync ? 2...12 : 20...150, using: &chance)
            var interposition = Interposition(folder: scene.folder.url.path)
            interposition.journal = journals.path("\(point)")
            // Those that come during the sync before are in the next commit together.
            interposition.faults =
                [Fault(isSync ? .sync : .write, of: "-wal", at: number, .kill)]
                + (isSync ? [Fault(.sync, of: "-wal", at: number - 1, .delay(milliseconds: 300))] : [])
            // A rating has commits too.
            let daemon = try scene.serve(settings: interposition.environment.merging(["METERD_RATE_AT": "off"]) { $1 })
            let port = try await daemon.port()
            outbox.with { ($0.port, $0.round) = (port, point) }
            let end = try await daemon.process.end()
            #expect(end == .killed(signal: SIGKILL), "point \(point): \(daemon.log)")
            outbox.with { $0.port = nil }
            let written = try offsetsSinceSync(interposition.journal ?? "")
            var place = "group commit, before \(isSync ? "sync" : "write") \(number) of the log: "
            if isSync {
                let start = try #require(written.first, "a commit that is to be synced was written")
                eventsOfCommits.append(try events(sinceLogOffset: start, scene))
                place += "\(eventsOfCommits[eventsOfCommits.count - 1]) events in "
            }
            print(place + "\(written.count) writes into a commit")
        }
        let hits = try await finish(outbox, scene, round: points, what: "\(points) kills in group commits")
        #expect(hits == points, "each kill should hit requests in flight")
        // A request has its own events, and one that all send.
        #expect(points < 12 || eventsOfCommits.contains { $0 > Sender.ownEvents + 1 }, "no commit of several requests")
    }

    /// How far the last commit had come: where it has written to the log since the last sync.
    private func offsetsSinceSync(_ journal: String) throws -> [Int] {
        let records = try Journal.read(journal)
        let synced = records.syncs(of: "meterd.db-wal").last ?? -1
        return records.writes(to: "meterd.db-wal").filter { $0 > synced }.compactMap { place in
            if case .write(_, let offset, _) = records[place] { offset } else { nil }
        }
    }

    /// How many events a ledger has more by what its log holds from an offset on.
    private func events(sinceLogOffset offset: Int, _ scene: DaemonScene) throws -> Int {
        func count(_ scene: DaemonScene) throws -> Int {
            try #require(Int(scene.rows("SELECT count(*) FROM usage_event")[0]))
        }
        let before = try scene.copy()
        #expect(truncate(before.ledger + "-wal", offset) == 0)
        return try count(scene.copy()) - count(before)
    }

    private func start(_ outbox: Outbox, _ chance: inout SeededGenerator) {
        for number in 0..<Self.senders {
            Sender("sender-\(number)", seed: chance.next(), outbox: outbox).start()
        }
    }

    /// Lets the senders deliver to a last daemon what they have, and looks at what is stored.
    ///
    /// - Returns: how many kills left requests without an answer.
    private func finish(_ outbox: Outbox, _ scene: DaemonScene, round: Int, what: String) async throws -> Int {
        let daemon = try scene.serve()
        let port = try await daemon.port()
        outbox.with { ($0.port, $0.round) = (port, round) }
        try await eventually("\(Self.leastRequests) requests are acknowledged") {
            outbox.with { $0.acknowledged.count >= Self.leastRequests || !$0.problems.isEmpty }
        }
        outbox.with { $0.mayBegin = false }
        try await outbox.finish()
        #expect(try await daemon.stop().end == .exited(0))

        let state = outbox.with { $0 }
        print(
            """
            kill -9, seed \(seed): \(what), \(state.roundsHit.count) left requests without an answer; \
            \(state.acknowledged.count) requests acknowledged; \(state.unanswered) times no answer came, \
            \(state.unansweredStored) requests of these were found stored when they were sent again
            """)
        #expect(state.problems == [])
        #expect(state.acknowledged.count >= Self.leastRequests)
        try await scene.expectExactlyOnce(state.acknowledged, state.accepted, "seed \(seed)", now: state.now)
        return state.roundsHit.count
    }
}
