// Runs a plan on a real ledger and on the oracle beside it, and compares them after every step.

import Operations
package import Oracle
import Verification

package struct Simulation {
    /// The first difference; what follows it would say little.
    package struct Failure: Error, Sendable {
        /// Which law is broken; what an operation threw counts as one.
        package var law: String
        package var step: Int
        package var details: [String]
    }

    /// What the oracle is told instead of what happens, and what happens to the ledger behind everybody's back: to see
    /// whether the simulation would notice. Nothing, in earnest.
    package struct Sabotage {
        package var told: (History.Step) -> History.Step = { $0 }
        package var settings: (History.Settings) -> History.Settings = { $0 }
        package var priceBook: (History.PriceBook) -> History.PriceBook = { $0 }
        package var misreading: BillingOracle.Misreading?
        package var losesLog = false
        /// Whether the ledger is told with each step that its clock is right.
        package var believesEveryClock = false
        /// Called before each step; says how many rows it changed.
        package var tampering: (LedgerDriver) throws -> Int = { _ in 0 }

        package init() {}
    }

    private let plan: Plan
    private let sabotage: Sabotage
    private let driver: LedgerDriver
    private var oracle: BillingOracle
    private var laws = Laws()
    private var views: PublicViews?
    /// A line for each step: what it took and what it came to.
    package private(set) var trace: [String] = []
    /// How many rows the tampering has changed.
    package private(set) var tamperedRows = 0
    /// Which circumstances it has met, by names.
    package private(set) var reached: Set<Circumstance> = []

    package enum Circumstance: String, CaseIterable, Sendable {
        case killedBeforeAStep = "killed before a step began"
        case killedWithinAStep = "killed between two transactions of a step"
        case killedBeforeTheAnswer = "killed between the last transaction and the answer"
        case stopped = "stopped between two transactions"
        case failed = "a transaction that could not be committed"
        case failedLater = "a later transaction of a step that could not be committed"
        case ratedInPart = "a rating that settled some of its days"
        case servedMeanwhile = "events served between two transactions"
        case severalSenders = "several senders in one transaction"
        case manyTransactions = "more than 20 transactions in a step"
        case ratedTwice = "rated twice"
        case openedForServing = "opened for serving"
        case clockNotBelieved = "a machine's clock that is not believed"
        case testClockStays = "a test clock that does not go where it is told"
    }

    package init(_ plan: Plan, sabotage: Sabotage = Sabotage()) throws {
        self.plan = plan
        self.sabotage = sabotage
        driver = try LedgerDriver(
            plan, losesLog: sabotage.losesLog, believesEveryClock: sabotage.believesEveryClock)
        var told = History(name: plan.name, settings: plan.settings, priceBook: plan.priceBook, steps: [])
        told.settings = sabotage.settings(told.settings)
        told.priceBook = sabotage.priceBook(told.priceBook)
        oracle = BillingOracle(told)
        oracle.misreading = sabotage.misreading
    }

    /// - Parameter isVerified: whether the ledger verifies itself in the end; that takes as long as some ten steps.
    /// - Returns: nil when everything agrees.
    package static func failure(
        of plan: Plan, sabotage: Sabotage = Sabotage(), isVerified: Bool = true
    ) -> Failure? {
        do {
            var simulation = try Simulation(plan, sabotage: sabotage)
            try simulation.run(isVerified: isVerified)
            return nil
        } catch let failure as Failure {
            return failure
        } catch {
            return Failure(law: Self.noStepFails, step: 0, details: ["\(error)"])
        }
    }

    /// The law that an operation which throws has broken.
    package static let noStepFails = "no step fails"

    /// - Throws: ``Failure``; what the tampering throws, as it is.
    package mutating func run(isVerified: Bool) throws {
        for (index, planned) in plan.steps.enumerated() {
            tamperedRows += try sabotage.tampering(driver)
            do {
                try take(planned, index)
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure(law: Self.noStepFails, step: index, details: ["\(error)"])
            }
        }
        guard isVerified else { return }
        let findings = try Verification(file: driver.ledger.file).run { _ in }.findings.map(\.sentence)
        try require("the ledger verifies", findings, plan.steps.count)
    }

    private func require(_ law: String, _ details: [String], _ index: Int) throws {
        if !details.isEmpty { throw Failure(law: law, step: index, details: details) }
    }

    // MARK: A step

    private mutating func take(_ planned: PlannedStep, _ index: Int) throws {
        let taken = try driver.take(planned)
        if let unexpected = driver.unexpected { throw unexpected }
        let step = sabotage.told(planned.step)
        let meanwhile =
            taken.meanwhile == nil
            ? nil
            : planned.meanwhile.map { sabotage.told(planned.meanwhileStep($0)) }
        let now = try PublicViews(
            driver.reader, after: views,
            isUsageKnown: planned.leavesUsage && planned.meanwhile == nil && planned.interruption == nil)
        var isRated = false
        switch taken.answer {
        case .outcome(let outcome):
            let ways = oracle.ways(of: step, meanwhile: meanwhile)
            let way =
                ways.count == 1
                ? ways[0]
                : ways.first {
                    $0.answer == outcome && $0.meanwhile == taken.meanwhile && Self.differences(now, $0.ledger).isEmpty
                } ?? ways[0]
            oracle = way.ledger
            try require("a step is answered by the rules", Self.differences(outcome, way.answer), index)
            try require(
                "events that come meanwhile are answered by the rules",
                Self.differences(taken.meanwhile, way.meanwhile), index)
            try require("the ledger agrees with the rules", Self.differences(now, oracle), index)
            // With events in between it is no longer all that there is to rate.
            isRated = outcome == .rating(.rated) && taken.meanwhile == nil
            trace.append("\(index) \(taken.transactions) \(taken.moments) \(outcome)")
        case .none(let isDone):
            try settle(step, meanwhile, taken, isDone: isDone, now, index)
            trace.append("\(index) \(taken.transactions) \(taken.moments) unanswered")
        }
        if case .kill = planned.interruption { oracle.restart(at: step) }
        note(planned, taken)
        if let breach = laws.check(now, isRated: isRated, unitPrice: oracle.unitPrice).first {
            throw Failure(law: breach.law.rawValue, step: index, details: breach.details)
        }
        views = now
        trace.append("\(now.entries.last.map { "\($0)" } ?? "-")")
        if isRated, planned.isRepeated, case .rate(let day) = planned.step.action {
            let appended = try driver.entriesAppended(byRating: day, at: planned.step.at)
            reached.insert(.ratedTwice)
            try require("a second rating appends nothing", appended == 0 ? [] : ["\(appended) entries"], index)
        }
    }

    private mutating func note(_ planned: PlannedStep, _ taken: LedgerDriver.Taken) {
        if let meanwhile = planned.meanwhile, taken.meanwhile != nil, taken.moments >= meanwhile.moment {
            reached.insert(.servedMeanwhile)
        }
        if planned.senders.count > 1 { reached.insert(.severalSenders) }
        if taken.transactions > 20 { reached.insert(.manyTransactions) }
        if taken.answer.isRefusedByClock {
            reached.insert(plan.settings.hasTestClock ? .testClockStays : .clockNotBelieved)
        }
        if case .reopen = planned.step.action, planned.isForServing { reached.insert(.openedForServing) }
        guard case .none(let isDone) = taken.answer, let interruption = planned.interruption else { return }
        switch interruption {
        case .kill(afterTransactions: 0): reached.insert(.killedBeforeAStep)
        case .kill: reached.insert(isDone ? .killedBeforeTheAnswer : .killedWithinAStep)
        case .stop: reached.insert(.stopped)
        case .failure(let number):
            reached.insert(.failed)
            if number > 1 { reached.insert(.failedLater) }
        }
    }

    /// Finds out how far a step had come whose answer nobody heard, and goes on from there.
    private mutating func settle(
        _ step: History.Step, _ meanwhile: History.Step?, _ taken: LedgerDriver.Taken, isDone: Bool,
        _ now: PublicViews, _ index: Int
    ) throws {
        let ways =
            isDone
            ? oracle.ways(of: step, meanwhile: meanwhile)
            : oracle.ways(interrupting: step, settled: now.progress.settledThrough, meanwhile: meanwhile)
        var nearest: [String]?
        let before = oracle.settledThrough
        for way in ways {
            let differences = Self.differences(taken.meanwhile, way.meanwhile) + Self.differences(now, way.ledger)
            if differences.isEmpty {
                oracle = way.ledger
                var whole = oracle
                _ = whole.take(step)
                let settled = oracle.settledThrough
                if settled != before, settled != whole.settledThrough { reached.insert(.ratedInPart) }
                return
            }
            if nearest.map({ differences.count < $0.count }) ?? true { nearest = differences }
        }
        try require("an interrupted step leaves what it had done", nearest ?? ["nothing agrees"], index)
    }

    // MARK: Comparing

    private static func differences(
        _ answered: BillingOracle.StepOutcome?, _ expected: BillingOracle.StepOutcome?
    ) -> [String] {
        func text(_ outcome: BillingOracle.StepOutcome?) -> String { outcome.map { "\($0)" } ?? "nothing" }
        return answered == expected ? [] : ["answered \(text(answered))", "expected \(text(expected))"]
    }

    private static func differences(_ views: PublicViews, _ oracle: BillingOracle) -> [String] {
        var consumption: [BillingOracle.ConsumptionKey: Int64] = [:]
        var grants: [String: Bool] = [:]
        for balance in views.balances {
            if balance.consumed != 0 { consumption[balance.key] = balance.consumed }
            grants[balance.key.grantCode] = balance.isVoided
        }
        var bills: [BillingOracle.BillKey: BillingOracle.Bill] = [:]
        for bill in views.bills where bill.amountMicros != 0 {
            bills[bill.key] = .init(amountMicros: bill.amountMicros, payableMicros: bill.payableMicros)
        }
        let quarantine = oracle.quarantined.map { "\($0.refusal.rawValue): \(EventText.json($0.event))" }
        let progress = PublicViews.Progress(
            settledThrough: oracle.settledThrough, closedThrough: oracle.closedThrough,
            ratedThrough: oracle.ratedThrough)
        return differences("usage", views.usage, oracle.usageDaily)
            + differences("unique devices", views.months, oracle.monthlyDevices)
            + differences("evidence", views.evidence, oracle.evidence)
            + differences("stored events", views.records, oracle.records)
            + differences("ledger", views.ledger, oracle.ledger)
            + differences("consumption", consumption, oracle.consumption.filter { $0.value != 0 })
            + differences("bill", bills, oracle.bills())
            + differences("grant", grants, oracle.recordedGrants)
            + differences("answers", views.tally, oracle.tally)
            + differences("quarantine", [0: views.quarantine], [0: quarantine])
            + differences("progress", [0: views.progress], [0: progress])
            + differences("latest instant", [0: views.latestInstant], [0: oracle.latestInstant])
            + differences(
                "how many", ["price books": views.priceBooks, "apps": views.apps],
                ["price books": oracle.priceBookCount, "apps": oracle.appCount])
    }

    private static func differences<Key: Hashable, Value: Equatable>(
        _ what: String, _ engine: [Key: Value], _ oracle: [Key: Value]
    ) -> [String] {
        // Mostly they are equal.
        if engine == oracle { return [] }
        return Set(engine.keys).union(oracle.keys).filter { engine[$0] != oracle[$0] }.map { key in
            "\(what), \(key): engine \(engine[key].map { "\($0)" } ?? "-"), oracle \(oracle[key].map { "\($0)" } ?? "-")"
        }.sorted()
    }
}
