// Verifying beside whoever writes: nothing is found in a ledger that is sound, wherever something is stored, rated or
// sealed between two reads, and what is wrong is found all the same.

import Foundation
import GRDB
import Operations
import Oracle
import Seeded
import Simulator
import Storage
import TestSupport
import Testing
import UsageStore
import Verification

/// Verifies a file again and again on a thread of its own, which goes on by one read transaction when it is told to: so
/// what happens between which reads is the same in each run of a test.
private final class SteppedVerification: @unchecked Sendable {
    private let turn = DispatchSemaphore(value: 0)
    private let taken = DispatchSemaphore(value: 0)
    // Each side touches these only in its turn.
    private(set) var reports: [VerificationReport] = []
    private(set) var failure: (any Error)?
    private var isEnding = false
    private var hasEnded = false

    private struct Ended: Error {}

    init(_ path: String, rowsPerSlice: Int) {
        let thread = Thread { [self] in
            turn.wait()
            do {
                while !isEnding { try verify(path, rowsPerSlice) }
            } catch {
                failure = error
            }
            hasEnded = true
            taken.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    private func verify(_ path: String, _ rowsPerSlice: Int) throws {
        var bounds = Verification.Bounds()
        bounds.rowsPerSlice = rowsPerSlice
        // So that what is sorted takes several passes.
        bounds.sortedBytes = rowsPerSlice * 64
        let file = try LedgerFile.openForReading(at: path)
        let verification = Verification(
            file: file, bounds: bounds,
            between: { [self] in
                guard !isEnding else { throw Ended() }
                taken.signal()
                turn.wait()
            })
        let report = try verification.run { _ in }
        if !isEnding { reports.append(report) }
    }

    func step() {
        guard !hasEnded else { return }
        turn.signal()
        taken.wait()
    }

    /// Goes on to the end of so many verifications, counted from now.
    func finish(_ count: Int) {
        let wanted = reports.count + count
        while reports.count < wanted, !hasEnded { step() }
    }

    func end() {
        isEnding = true
        step()
    }
}

@Suite("Verifying beside whoever writes", .computing)
struct VerifyingBesideTests {
    /// The environment may ask for more histories, or others.
    private static let seeds: Range<UInt64> = {
        func setting(_ name: String, default standard: UInt64) -> UInt64 {
            ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
        }
        let first = setting("METERD_FIRST_SEED", default: 20_000)
        return first..<first + setting("METERD_VERIFIED_HISTORIES", default: 24)
    }()

    /// Takes a history's steps, with reads of a verification between any two transactions.
    private func take(
        _ history: History, _ driver: LedgerDriver, beside verification: SteppedVerification,
        _ chance: inout SeededGenerator
    ) throws {
        for step in history.steps {
            var own = SeededGenerator(seed: chance.next())
            driver.ledger.betweenTransactions = {
                for _ in 0..<Int.random(in: 0...4, using: &own) { verification.step() }
            }
            _ = try driver.take(PlannedStep(step))
            driver.ledger.betweenTransactions = {}
            for _ in 0..<Int.random(in: 0...60, using: &chance) { verification.step() }
        }
    }

    @Test("finds nothing where nothing is wrong", arguments: seeds)
    func sound(seed: UInt64) throws {
        let history = History.random(seed: seed)
        var plan = Plan(history)
        (plan.bounds.filing.fewestDevices, plan.bounds.filing.devicesPerSlice) = (1, 2)
        let driver = try LedgerDriver(plan)
        var chance = SeededGenerator(seed: seed)
        let verification = SteppedVerification(driver.path, rowsPerSlice: .random(in: 1...12, using: &chance))
        defer { verification.end() }
        try take(history, driver, beside: verification, &chance)
        verification.finish(1)
        #expect(verification.failure == nil, "seed \(seed)")
        #expect(verification.reports.flatMap(\.findings).map { "\($0.check): \($0.sentence)" } == [], "seed \(seed)")
    }

    @Test("finds what was tampered with before it began")
    func tampered() throws {
        let found = try Self.seeds.prefix(12).map { try findsTampering(seed: $0) }
        #expect(found.allSatisfy { $0 ?? true }, "\(found)")
        // A short history may seal nothing.
        #expect(found.count { $0 != nil } >= 3, "\(found)")
    }

    /// - Returns: whether each verification finds it; nil when there is nothing to tamper with.
    private func findsTampering(seed: UInt64) throws -> Bool? {
        let history = History.random(seed: seed)
        let driver = try LedgerDriver(Plan(history))
        for step in history.steps { _ = try driver.take(PlannedStep(step)) }
        guard try tamper(driver.path) else { return nil }
        var chance = SeededGenerator(seed: seed)
        let verification = SteppedVerification(driver.path, rowsPerSlice: 3)
        defer { verification.end() }
        // The last events again, and again, are duplicates, or activity that counts no more; they are written all the same.
        let last = history.steps.map(\.at).max() ?? 0
        for step in history.steps.suffix(20) {
            guard case .ingest = step.action else { continue }
            _ = try driver.take(PlannedStep(History.Step(at: last, step.action)))
            for _ in 0..<Int.random(in: 0...40, using: &chance) { verification.step() }
        }
        verification.finish(1)
        #expect(verification.failure == nil, "seed \(seed)")
        return !verification.reports.isEmpty
            && verification.reports.allSatisfy { $0.findings.contains { $0.check == "counters" } }
    }

    /// Raises the counter of a day whose evidence is sealed.
    ///
    /// - Returns: whether there is any.
    private func tamper(_ path: String) throws -> Bool {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.write { database in
            try database.execute(
                sql: """
                    UPDATE usage_counter SET quantity = quantity + 1
                    WHERE (app_id, item_id, usage_day, posting_day) = (
                        SELECT app_id, item_id, usage_day, posting_day
                        FROM usage_counter
                        WHERE posting_day <= (SELECT sealed_through FROM seal_progress)
                        ORDER BY posting_day
                        LIMIT 1)
                    """)
            return database.changesCount > 0
        }
    }
}
