// The oracle's own proof: the worked cases of the billing rules, to the last figure.

import Oracle
import TestSupport
import Testing

@Suite("The oracle on the worked cases", .computing)
struct ScenarioTests {
    @Test("there are 49 of them, each with a name of its own")
    func everyCaseIsThere() {
        #expect(Scenario.all.count == 49)
        #expect(Set(Scenario.all.map(\.name)).count == 49)
    }

    @Test("the quantities by source and the amounts are exactly those of the case", arguments: Scenario.all)
    func givesTheExactAnswer(scenario: Scenario) {
        let ledger = BillingOracle.run(scenario.history).ledger
        let amounts = Scenario.amountsMicros(of: ledger)
        #expect(Scenario.quantities(of: ledger) == scenario.quantities)
        #expect(amounts == scenario.amountsMicros)
        #expect(amounts.values.reduce(0, +) == scenario.totalMicros)
    }
}
