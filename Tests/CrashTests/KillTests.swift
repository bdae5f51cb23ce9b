// kill -9 at random moments: what was acknowledged stays, what was not leaves no trace, the next run finishes.

import Foundation
import LedgerFixture
import Seeded
import TestSupport
import Testing

/// METERD_CRASH_ROUNDS and METERD_CRASH_SEED choose how many rounds, and which.
private let rounds = ProcessInfo.processInfo.environment["METERD_CRASH_ROUNDS"].flatMap { Int($0) } ?? 25
private let seed = ProcessInfo.processInfo.environment["METERD_CRASH_SEED"].flatMap { UInt64($0) } ?? 1

/// Whether a round's ledger is verified too, which takes as long as the comparison: a few of them are, but where rounds
/// are chosen all.
private func isVerified(_ round: Int) -> Bool { rounds > 25 || round.isMultiple(of: 5) }

@Suite("A run that is killed is finished by the next (Billing rules, sections 2 and 6)", .serialized, .inTurn)
struct KillTests {
    /// Runs `work` on a copy killed once or twice at random moments, then to the end, then `after`; what it all comes
    /// to must be what it comes to uninterrupted.
    ///
    /// - Parameter progress: a query whose answer tells a run that was stopped half-way from all or nothing.
    private func survive(
        _ scene: CrashScene, base: Program, work: [String], after: [[String]], name: String, progress: String
    ) throws {
        func finish(_ program: Program) throws {
            for command in after { try program.run(command) }
        }
        let whole = try scene.copy(of: base.ledger, named: "\(name)-whole")
        let nothingDone = try count(progress, whole)
        let start = ContinuousClock.now
        try whole.run(work)
        var aim = KillAim(whole: ContinuousClock.now - start)
        let allDone = try count(progress, whole)
        try finish(whole)
        let expected = try CrashScene.contents(of: whole)
        #expect(expected["integrity"] == ["ok"])

        var chance = SeededGenerator(seed: seed)
        var kills = 0
        var hits = 0
        var halfway = 0
        var round = 0
        // The aim follows a machine that others use too; where it takes longer to settle there are more rounds.
        while round < rounds || round < rounds * 10 && rounds >= 20 && (hits * 4 < kills || halfway == 0) {
            defer { round += 1 }
            let program = try scene.copy(of: base.ledger, named: "\(name)-\(round)")
            for _ in 0...Int.random(in: 0...1, using: &chance) {
                kills += 1
                guard try aim.isHit(work, of: program, &chance) else { continue }
                hits += 1
                let done = try count(progress, program)
                if done != nothingDone, done != allDone { halfway += 1 }
            }
            // Usage that arrives before the run is finished must not tell that there was a crash, either.
            try finish(program)
            try program.run(work)
            try finish(program)
            let found = try CrashScene.contents(of: program)
            for (view, rows) in expected where found[view] != rows {
                let differences = Set(rows).symmetricDifference(found[view] ?? []).sorted().prefix(4)
                    .map { $0.prefix(300) }
                Issue.record("seed \(seed), \(name), round \(round): \(view) differs: \(differences)")
            }
            if isVerified(round) { try program.run(["verify"]) }
            scene.remove(program)
        }
        print(
            "\(name), seed \(seed): \(round) rounds, \(kills) kills, \(hits) while it ran, \(halfway) half-way"
        )
        #expect(rounds < 20 || hits * 4 >= kills, "a good part of the kills should hit: \(hits) of \(kills) did")
        #expect(rounds < 20 || halfway > 0, "no kill came between nothing and all")
    }

    private func count(_ query: String, _ program: Program) throws -> [String] {
        try CrashScene.rows(of: program, query)
    }

    @Test("ingest: every event of the files counts once")
    func ingest() throws {
        let scene = try CrashScene(seed: seed)
        let base = try scene.copy(named: "before-ingest")
        try survive(
            scene, base: base, work: ["ingest"] + scene.files + ["--now", CrashScene.arrival], after: [],
            name: "ingest", progress: "SELECT sum(events) FROM outcome_counter WHERE outcome = 'received'")
    }

    @Test("rate: the same ledger, and the same evidence of counted devices, late events included")
    func rate() throws {
        let scene = try CrashScene(seed: seed)
        let base = try scene.copy(named: "before-rate")
        try base.run(["ingest"] + scene.files + ["--now", CrashScene.arrival])
        try survive(
            scene, base: base, work: ["rate", "--date", "2027-02-02", "--now", CrashScene.rating],
            after: [
                ["ingest", scene.later, "--now", CrashScene.rating],
                ["rate", "--date", "2027-02-03", "--now", CrashScene.rating],
            ],
            name: "rate",
            progress:
                """
                SELECT
                    (SELECT count(*) FROM ledger), (SELECT count(*) FROM touch), (SELECT count(*) FROM sealed_device)
                """
        )
    }
}
