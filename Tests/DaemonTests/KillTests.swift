// kill -9 of the daemon while many send to it: what was acknowledged is there once, whatever was sent again.

import BuiltProgram
import Foundation
import Seeded
import Testing

/// METERD_DAEMON_ROUNDS and METERD_DAEMON_SEED choose how many rounds, and which.
private let rounds = ProcessInfo.processInfo.environment["METERD_DAEMON_ROUNDS"].flatMap { Int($0) } ?? 50
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
        for number in 0..<Self.senders {
            Sender("sender-\(number)", seed: chance.next(), outbox: outbox).start()
        }
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
        let daemon = try scene.serve()
        let port = try await daemon.port()
        outbox.with { ($0.port, $0.round) = (port, rounds) }
        try await eventually("\(Self.leastRequests) requests are acknowledged", withinSeconds: 60) {
            outbox.with { $0.acknowledged.count >= Self.leastRequests || !$0.problems.isEmpty }
        }
        outbox.with { $0.mayBegin = false }
        try await outbox.finish(withinSeconds: 60)
        #expect(try await daemon.stop().end == .exited(0))

        let state = outbox.with { $0 }
        print(
            """
            kill -9, seed \(seed): \(rounds) kills, \(inFlight) with requests in flight, \(state.roundsHit.count) left \
            requests without an answer; \(state.acknowledged.count) requests acknowledged; \(state.unanswered) times no \
            answer came, \(state.unansweredStored) requests of these were found stored when they were sent again
            """)
        #expect(state.problems == [])
        #expect(state.acknowledged.count >= Self.leastRequests)
        #expect(state.roundsHit.count * 2 >= rounds, "a good part of the kills should hit requests in flight")
        try await scene.expectExactlyOnce(state.acknowledged, state.accepted, "seed \(seed)")
    }
}
