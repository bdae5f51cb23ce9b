// A ledger with three apps, seeded usage for it, and ways to make its transactions fail.

import Foundation
import Ingestion
import LedgerFixture
import Operations
import Quantities
import Seeded
import Storage

extension LedgerFixture {
    static let apps = ["shop", "kiosk", "rides"]

    static func withApps(now: String) throws -> LedgerFixture {
        let ledger = try LedgerFixture(now: now)
        try ledger.addTenant("acme", apps: ["shop", "kiosk"])
        try ledger.addTenant("bolt", apps: ["rides"])
        return ledger
    }

    func rate(_ day: String) throws {
        guard let day = Day(day) else { preconditionFailure("'\(day)' is no day") }
        _ = try ledger.rate(day, clock: clock)
    }

    /// Makes transactions fail at a change: `INSERT ON touch WHEN NEW.counts < 0`.
    func fail(at change: String) throws {
        try execute("CREATE TRIGGER failure BEFORE \(change) BEGIN SELECT raise(ABORT, 'made to fail'); END")
    }

    /// Opens it anew, as another process would, and lets the same change fail there. A file that holds somebody else's
    /// trigger is not opened, so the trigger comes after.
    func reopen(failingAt change: String) throws {
        try failNoMore()
        try reopen()
        try fail(at: change)
    }

    func failNoMore() throws { try execute("DROP TRIGGER failure") }

    /// A ledger of the same bytes in another file, newly opened.
    func copy() throws -> LedgerFixture { try LedgerFixture(copying: self) }

    /// Everything that the usage tables hold.
    func usageTables() throws -> [String: [String]] {
        var tables: [String: [String]] = [:]
        for table in [
            "device", "new_device", "touch", "sealed_device", "usage_counter", "usage_record", "feed",
            "outcome_counter",
        ] {
            tables[table] = try rows("SELECT * FROM \(table)")
        }
        return tables
    }

    /// Each device that counts, and where.
    func countedDevices() throws -> [String] {
        try rows("SELECT app, item, month, usage_day, posted_day, device FROM counted_device ORDER BY 1, 2, 3, 4, 5, 6")
    }

    /// What the counters say of device items, to be compared with the evidence.
    func expectedCounts() throws -> [String] {
        try rows(
            """
            SELECT app, item, usage_day, posted_day, quantity
            FROM usage_daily
            JOIN item ON item.code = usage_daily.item
            WHERE quantity <> 0 AND aggregation = 'unique_devices'
            ORDER BY 1, 2, 3, 4
            """)
    }

    func evidenceCounts() throws -> [String] {
        try rows(
            """
            SELECT app, item, usage_day, posted_day, count(DISTINCT device)
            FROM counted_device
            GROUP BY 1, 2, 3, 4
            ORDER BY 1, 2, 3, 4
            """)
    }
}

/// Seeded events: devices that come again on other days, late ones, sum events that repeat.
enum RandomUsage {
    static func batch(
        _ count: Int, days: ClosedRange<Int>, month: String, _ chance: inout SeededGenerator
    ) -> [String] {
        (0..<count).map { _ in
            let app = LedgerFixture.apps[Int.random(in: 0..<3, using: &chance)]
            let day = Int.random(in: days, using: &chance)
            let time = "\(month)-\(day < 10 ? "0" : "")\(day)T10:00:00Z"
            if Int.random(in: 0..<4, using: &chance) == 0 {
                let id = Int.random(in: 0..<200, using: &chance)
                return EventLine.calls(Int64(id + 1), id: "\(id)", at: time, app: app).text
            }
            let features = ["basic_analysis", "mini_program_analysis", "message_push"]
            return EventLine.device(
                "device-\(Int.random(in: 0..<60, using: &chance))",
                of: features[Int.random(in: 0..<3, using: &chance)], at: time, app: app
            ).text
        }
    }
}
