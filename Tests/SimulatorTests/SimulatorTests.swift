// The engine and the oracle, driven through the same plans, agree after every step, and all laws hold.

import Foundation
import Operations
import Oracle
import Simulator
import TestSupport
import Testing

@Suite("The simulator", .computing)
struct SimulatorTests {
    @Test("comes to the figures of every worked case", arguments: Scenario.all)
    func workedCases(scenario: Scenario) throws {
        let plan = Plan(scenario.history)
        let driver = try LedgerDriver(plan)
        for step in plan.steps { _ = try driver.take(step) }
        let ledger = try PublicViews(driver.reader).ledger
        #expect(Scenario.quantities(of: ledger) == scenario.quantities)
        #expect(Scenario.amountsMicros(of: ledger) == scenario.amountsMicros)
        #expect(Scenario.amountsMicros(of: ledger).values.reduce(0, +) == scenario.totalMicros)
    }

    /// In blocks, which run beside each other. The environment may ask for more histories, or others.
    private static let blocks = setting("METERD_HISTORIES", default: 2_000) / 25
    private static let firstSeed = setting("METERD_FIRST_SEED", default: 0)

    private static func setting(_ name: String, default standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }

    @Test("finds no difference in random histories", arguments: 0..<blocks)
    func randomHistories(block: Int) {
        for offset in block * 25..<block * 25 + 25 {
            check(seed: UInt64(Self.firstSeed + offset), isVerified: offset % 10 == 0)
        }
    }

    /// A seed that failed once, and what was wrong. It stands for its history until the generator is changed, which the
    /// digest of the plan shows; what was wrong has a test of its own as well.
    struct KeptSeed: Sendable, CustomStringConvertible {
        let seed: UInt64
        let digest: UInt64
        let description: String
    }

    private static let keptSeeds = [
        KeptSeed(
            seed: 545, digest: 0xD8C26EE53DE95029,
            description: "usage ahead of its arrival, over a skipped date, did not verify")
    ]

    @Test("finds no difference in the histories that failed once", arguments: keptSeeds)
    func keptHistories(kept: KeptSeed) {
        #expect(
            Digest.of([Plan.random(seed: kept.seed).description]) == kept.digest,
            "the generator was changed: this seed is no longer the history that failed")
        check(seed: kept.seed, isVerified: true)
    }

    private func check(seed: UInt64, isVerified: Bool) {
        let plan = Plan.random(seed: seed)
        guard let failure = Simulation.failure(of: plan, isVerified: isVerified) else { return }
        let details = failure.details.joined(separator: "\n")
        Issue.record("\(plan)\nfails at step \(failure.step): \(failure.law)\n\(details)")
    }
}
