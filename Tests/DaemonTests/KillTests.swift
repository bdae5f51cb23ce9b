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
        try await expectExactlyOnce(state.acknowledged, state.accepted, scene)
    }

    private func expectExactlyOnce(
        _ batches: [SentBatch], _ accepted: [String: Int], _ scene: DaemonScene
    ) async throws {
        let events = Set(batches.flatMap { $0.own + $0.repeated })
        let devices = Set(batches.flatMap(\.devices))
        #expect(accepted.filter { $0.value > 1 }.isEmpty, "an event was answered twice with 'accepted'")
        let stored = events.map { "/test \($0.id) acme \($0.app) gateway_calls \($0.day)T10:00:00Z \($0.calls)" }
        expectSame(
            try scene.rows("SELECT source, id, tenant, app, item, time, quantity FROM usage_event"), stored,
            "usage_event")
        let sums = Dictionary(grouping: events) { "\($0.app) gateway_calls \($0.day)" }
            .map { "\($0) \($1.reduce(0) { $0 + $1.calls })" }
        let days = Dictionary(grouping: devices) { "\($0.app) \($0.item) 2027-01-09" }.map { "\($0) \($1.count)" }
        expectSame(
            try scene.rows("SELECT app, item, usage_day, sum(quantity) FROM usage_daily GROUP BY app, item, usage_day"),
            sums + days, "usage_daily")
        expectSame(
            try scene.rows("SELECT app, item, device FROM counted_device"),
            devices.map { "\($0.app) \($0.item) \($0.device)" }, "counted_device")
        expectSame(
            try scene.rows("SELECT app, item, month, devices FROM mau"),
            Dictionary(grouping: devices) { "\($0.app) \($0.item) 2027-01" }.map { "\($0) \($1.count)" }, "mau")
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    private func expectSame(_ found: [String], _ expected: [String], _ view: String) {
        guard found.sorted() != expected.sorted() else { return }
        let differences = Set(found).symmetricDifference(expected).sorted().prefix(4)
        Issue.record("\(view): \(found.count) rows for \(expected.count), seed \(seed): \(differences)")
    }
}
