// kill -9 of the daemon while many send to it: what was acknowledged is there once, whatever was sent again.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Seeded
import Testing

/// METERD_DAEMON_ROUNDS, METERD_KILL_POINTS and METERD_DAEMON_SEED choose how many rounds and points, and which;
/// `scripts/kill-rounds` sets them.
private let rounds = ProcessInfo.processInfo.environment["METERD_DAEMON_ROUNDS"].flatMap { Int($0) } ?? 50
private let points = ProcessInfo.processInfo.environment["METERD_KILL_POINTS"].flatMap { Int($0) } ?? 12
private let seed = ProcessInfo.processInfo.environment["METERD_DAEMON_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("A daemon that is killed", .ownThread)
struct KillTests {
    private static let senders = 16
    private static let leastRequests = 1_000

    @Test("kill -9 at random moments under load: every acknowledged event counts exactly once, none twice")
    func kill() async throws {
        let scene = try await DaemonScene.make()
        let outbox = Outbox()
        var chance = SeededGenerator(seed: seed)
        start(outbox, &chance)
        defer { outbox.with { $0.mayBegin = false } }
        var inFlight = 0
        for round in 0..<rounds {
            let daemon = try scene.serve()
            // Now and then it is killed while it starts.
            if Int.random(in: 0..<8, using: &chance) == 0 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<250, using: &chance)))
            } else {
                let port = try await daemon.port()
                outbox.with { ($0.port, $0.round) = (port, round) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 5..<250, using: &chance)))
            }
            if outbox.with({ $0.inFlight }) > 0 { inFlight += 1 }
            try await daemon.kill()
            #expect(daemon.process.end == .killed(signal: SIGKILL), "round \(round): \(daemon.log)")
            outbox.with { $0.port = nil }
        }
        let hits = try await finish(outbox, scene, round: rounds, what: "\(rounds) kills, \(inFlight) in flight")
        #expect(hits * 2 >= rounds, "a good part of the kills should hit requests in flight")
    }

    @Test("kill -9 before a write or sync of a group commit: every acknowledged event counts exactly once, none twice")
    func killInCommit() async throws {
        let scene = try await DaemonScene.make()
        let outbox = Outbox()
        var chance = SeededGenerator(seed: seed)
        start(outbox, &chance)
        defer { outbox.with { $0.mayBegin = false } }
        let journals = try ScratchFolder()
        for point in 0..<points {
            let isSync = point % 2 == 0
            let number = Int.random(in: isSync ? 2...12 : 20...150, using: &chance)
            var interposition = Interposition(folder: scene.folder.url.path)
            interposition.journal = journals.path("\(point)")
            interposition.faults = [Fault(isSync ? .sync : .write, of: "-wal", at: number, .kill)]
            let daemon = try scene.serve(settings: interposition.environment)
            let port = try await daemon.port()
            outbox.with { ($0.port, $0.round) = (port, point) }
            let end = try await daemon.process.end(withinSeconds: 60)
            #expect(end == .killed(signal: SIGKILL), "point \(point): \(daemon.log)")
            outbox.with { $0.port = nil }
            let written = try pagesSinceSync(interposition.journal ?? "")
            print(
                "group commit, before \(isSync ? "sync" : "write") \(number) of the log: "
                    + "\(written) writes into a commit")
        }
        let hits = try await finish(outbox, scene, round: points, what: "\(points) kills in group commits")
        #expect(hits == points, "each kill should hit requests in flight")
    }

    /// How far the last commit had come: writes to the log that no sync has followed.
    private func pagesSinceSync(_ journal: String) throws -> Int {
        var logs: Set<UInt64> = []
        var count = 0
        for record in try Journal.read(journal) {
            switch record {
            case .create(let inode, let name), .open(let inode, let name):
                if name.hasSuffix("-wal") { logs.insert(inode) }
            case .write(let inode, _, _): if logs.contains(inode) { count += 1 }
            case .sync(let inode, _): if logs.contains(inode) { count = 0 }
            default: continue
            }
        }
        return count
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
        try await eventually("\(Self.leastRequests) requests are acknowledged", withinSeconds: 60) {
            outbox.with { $0.acknowledged.count >= Self.leastRequests || !$0.problems.isEmpty }
        }
        outbox.with { $0.mayBegin = false }
        try await outbox.finish(withinSeconds: 60)
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
        try await scene.expectExactlyOnce(state.acknowledged, state.accepted, "seed \(seed)")
        return state.roundsHit.count
    }
}
