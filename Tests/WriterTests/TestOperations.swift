// Operations that hold the writer where a test wants it.

import Foundation
import GRDB
import LedgerStore
import Operations
import Storage

/// Doors that tests open, by number: operations are values and can't carry one.
enum Gate {
    private struct State {
        var reached: Set<Int> = []
        var open: Set<Int> = []
        var count = 0
    }

    private static let lock = NSLock()
    // Guarded by `lock`.
    nonisolated(unsafe) private static var state = State()

    static func make() -> Int {
        lock.withLock {
            state.count += 1
            return state.count
        }
    }

    static func reach(_ gate: Int) { lock.withLock { _ = state.reached.insert(gate) } }
    static func isReached(_ gate: Int) -> Bool { lock.withLock { state.reached.contains(gate) } }
    static func open(_ gate: Int) { lock.withLock { _ = state.open.insert(gate) } }
    static func isOpen(_ gate: Int) -> Bool { lock.withLock { state.open.contains(gate) } }
}

/// Holds the writer until the gate opens.
struct Hold: LedgerOperation {
    static let name = "test.hold"
    let gate: Int

    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Bool {
        Gate.reach(gate)
        while !Gate.isOpen(gate) { usleep(1_000) }
        return true
    }
}

/// Runs until so many call records are stored, by others.
struct WaitForUsage: LedgerOperation {
    static let name = "test.wait"
    let gate: Int
    var rows = 1

    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Int {
        while true {
            let count = try ledger.file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM usage_record") ?? 0 }
            if count >= rows { return count }
            Gate.reach(gate)
            usleep(1_000)
            try ledger.betweenTransactions()
        }
    }
}

/// Works in slices of 20 ms.
struct WorkInSlices: LedgerOperation {
    static let name = "test.slices"
    let slices: Int

    /// - Returns: how many times as long as the slices the pauses between them took.
    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Double {
        var (worked, paused) = (Duration.zero, Duration.zero)
        for _ in 0..<slices {
            worked += ContinuousClock().measure { usleep(20_000) }
            paused += try ContinuousClock().measure { try ledger.betweenTransactions() }
        }
        return paused / worked
    }
}

struct Execute: LedgerOperation {
    static let name = "test.execute"
    let sql: String

    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Bool {
        try ledger.file.write { try $0.execute(sql: sql) }
        return true
    }
}
