// Plans: the same for the same seed, down to the number of transactions, and full of what can come in between.

import Operations
import Oracle
import Simulator
import Testing

@Suite("Plans of the simulator")
struct PlanTests {
    @Test("do the same, transaction by transaction, whenever a seed is run", arguments: 1_000..<1_010 as Range<UInt64>)
    func areDeterministic(seed: UInt64) throws {
        let plan = Plan.random(seed: seed)
        #expect(plan.description == Plan.random(seed: seed).description)
        var first = try Simulation(plan)
        try first.run(isVerified: false)
        var second = try Simulation(plan)
        try second.run(isVerified: false)
        #expect(first.trace == second.trace)
    }

    @Test("meet every circumstance, each several times in 150 seeds")
    func meetEveryCircumstance() throws {
        var met: [Simulation.Circumstance: Int] = [:]
        for seed in UInt64(2_000)..<2_150 {
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
            return History.Step(at: step.at, .ingest(events.filter { $0.id != "n5" }))
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
