// The engine and the oracle, driven with the same histories, agree on every outcome, counter and entry.

import Foundation
import Operations
import Oracle
import Storage
import Testing
import Verification

@Suite("The engine agrees with the oracle")
struct OracleAgreementTests {
    @Test("on every worked case", arguments: Scenario.all)
    func workedCases(scenario: Scenario) throws {
        let driver = try HistoryDriver(scenario.history)
        for step in scenario.history.steps { _ = try driver.take(step) }
        let ledger = try LedgerReading.ledger(driver.ledger.file)
        #expect(Scenario.quantities(of: ledger) == scenario.quantities)
        #expect(Scenario.amountsMicros(of: ledger) == scenario.amountsMicros)
        #expect(Scenario.amountsMicros(of: ledger).values.reduce(0, +) == scenario.totalMicros)
    }

    /// In blocks, which run beside each other. The environment may ask for more histories, or others.
    private static let blocks = setting("METERD_HISTORIES", default: 1_000) / 25
    private static let firstSeed = setting("METERD_FIRST_SEED", default: 0)

    private static func setting(_ name: String, default standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }

    @Test("on a thousand random histories", arguments: 0..<blocks)
    func randomHistories(block: Int) throws {
        for offset in block * 25..<block * 25 + 25 {
            try compare(History.random(seed: UInt64(Self.firstSeed + offset)))
        }
    }

    @Test("on random histories whose file is closed and opened between any two steps", arguments: 0..<6)
    func reopenedHistories(block: Int) throws {
        for seed in UInt64(10_000 + block * 10)..<UInt64(10_000 + block * 10 + 10) {
            try compare(History.random(seed: seed), reopening: true)
        }
    }

    /// Runs both through a history, comparing what each step answers and, after each rating and at the end, all they
    /// hold. The first difference ends the run: what follows it says little.
    ///
    /// - Parameter reopening: also closes and opens the file before each step, and verifies it after each rating.
    private func compare(_ history: History, reopening: Bool = false) throws {
        var oracle = BillingOracle(history)
        let driver = try HistoryDriver(history)
        for (index, step) in history.steps.enumerated() {
            let place: Comment = "\(history.name), step \(index): \(step)"
            if reopening { try driver.reopen() }
            let expected = oracle.take(step)
            let answered = try driver.take(step)
            try #require(answered == expected, place)
            if case .ingest = step.action { continue }
            try compareHoldings(oracle, driver, place)
            if reopening, case .rate = step.action {
                let report = try Verification(file: driver.ledger.file).run { _ in }
                try #require(report.findings.map(\.sentence) == [], place)
            }
        }
        try compareHoldings(oracle, driver, "\(history.name), at the end")
    }

    private func compareHoldings(_ oracle: BillingOracle, _ driver: HistoryDriver, _ place: Comment) throws {
        let file = driver.ledger.file
        let differences =
            differences("usage", try LedgerReading.usage(file), oracle.usageDaily)
            + differences("unique devices", try LedgerReading.monthlyDevices(file), oracle.monthlyDevices)
            + differences("counted devices", try LedgerReading.countedDevices(file), oracle.monthlyDevices)
            + differences("ledger", try LedgerReading.ledger(file), oracle.ledger)
            + differences(
                "consumption", try LedgerReading.consumption(file), oracle.consumption.filter { $0.value != 0 })
            + differences("bill", try LedgerReading.bills(file), oracle.bills())
        try #require(differences == [], place)
    }

    private func differences<Key: Hashable, Value: Equatable>(
        _ what: String, _ engine: [Key: Value], _ oracle: [Key: Value]
    ) -> [String] {
        Set(engine.keys).union(oracle.keys).filter { engine[$0] != oracle[$0] }.map { key in
            "\(what), \(key): engine \(engine[key].map { "\($0)" } ?? "-"), oracle \(oracle[key].map { "\($0)" } ?? "-")"
        }.sorted()
    }
}
