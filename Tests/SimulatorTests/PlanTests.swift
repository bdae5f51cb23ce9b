// Plans: the same for the same seed, down to the number of transactions, and full of what can come in between.

import Operations
import Oracle
import Simulator
import TestSupport
import Testing

@Suite("Plans of the simulator", .computing)
struct PlanTests {
    /// Of what ten seeds do: other processes, which order hashed collections otherwise, come to the same. They change with
    /// the generator, the rules of time zones, and with what the engine enters, hashes, or puts into a transaction.
    private static let digests: [(seed: UInt64, digest: UInt64)] = [
        (1_000, 0x968E0C7AA8D26902), (1_001, 0x5A66BC256166957E), (1_002, 0x683EE32526240118),
        (1_003, 0x363EEE9D6CA43E52), (1_004, 0x284C8FA0B885CB69), (1_005, 0x89973C04D97A24D5),
        (1_006, 0xD9EFE49D35940700), (1_007, 0x93C6F4C0128002F7), (1_008, 0x19FD0D0784A17E59),
        (1_009, 0xC784B70D656F2C36),
    ]

    @Test("do the same, transaction by transaction, whenever and wherever a seed is run", arguments: digests)
    func areDeterministic(seed: UInt64, digest: UInt64) throws {
        let plan = Plan.random(seed: seed)
        #expect(plan.description == Plan.random(seed: seed).description)
        var first = try Simulation(plan)
        try first.run(isVerified: false)
        var second = try Simulation(plan)
        try second.run(isVerified: false)
        #expect(first.trace == second.trace)
        #expect(Digest.of([plan.description] + first.trace) == digest)
    }

    @Test("meet every circumstance, each several times in 240 seeds")
    func meetEveryCircumstance() throws {
        var met: [Simulation.Circumstance: Int] = [:]
        for seed in UInt64(2_000)..<2_240 {
            var simulation = try Simulation(Plan.random(seed: seed))
            try simulation.run(isVerified: false)
            for circumstance in simulation.reached { met[circumstance, default: 0] += 1 }
        }
        for circumstance in Simulation.Circumstance.allCases {
            #expect(met[circumstance, default: 0] >= 3, "\(circumstance.rawValue)")
        }
    }

    @Test("that fail are shrunk to what the failure needs")
    func areShrunk() throws {
        var sabotage = Simulation.Sabotage()
        sabotage.told = { step in
            guard case .ingest(let events) = step.action else { return step }
            return step.with(.ingest(events.filter { $0.id != "n5" }))
        }
        func failure(_ plan: Plan) -> Simulation.Failure? {
            Simulation.failure(of: plan, sabotage: sabotage, isVerified: false)
        }
        let seed = try #require((0..<50).first { failure(Plan.random(seed: $0)) != nil })
        let plan = Plan.random(seed: seed)
        let shortest = Shrinking.shrink(
            plan, failing: try #require(failure(plan)).law, attempts: 200, failure: failure)
        #expect(failure(shortest)?.law == failure(plan)?.law)
        #expect(shortest.steps.count == 1)
        #expect(shortest.history.steps.compactMap(\.events).joined().map(\.id) == ["n5"])
    }
}

/// FNV-1a, which needs no key.
enum Digest {
    static func of(_ lines: [String]) -> UInt64 {
        lines.joined(separator: "\n").utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
