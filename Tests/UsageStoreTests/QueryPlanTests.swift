// The plans of every statement that ingest and rating really run: none reads a large table from end to end.

import GRDB
import Ingestion
import LedgerFixture
import Operations
import Seeded
import Storage
import TestSupport
import Testing

@Suite("Query plans", .computing)
struct QueryPlanTests {
    /// Noted on the writer's thread, and on that of its reading while it waits.
    private final class Statements: @unchecked Sendable {
        var texts: Set<String> = []

        func note(_ database: Database) {
            database.trace { event in
                if case .statement(let statement) = event { self.texts.insert(statement.sql) }
            }
        }
    }

    /// The statements that a block runs, and their plans' steps that scan a table without a bound.
    private func scans(
        _ ledger: LedgerFixture, of tables: [String], _ block: () throws -> Void
    ) throws -> (statements: Int, scans: [String]) {
        let statements = Statements()
        try ledger.ledger.file.connection { statements.note($0) }
        try ledger.ledger.file.readAside(between: {}) { statements.note($0) }
        try block()
        try ledger.ledger.file.readAside(between: {}) { $0.trace(options: []) }
        return try ledger.ledger.file.connection { database in
            database.trace(options: [])
            let plannable = statements.texts.filter { text in
                // The last entry is read from the end of its key, though the plan calls it a scan.
                ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains { text.hasPrefix($0) }
                    && !text.hasSuffix("ORDER BY entry_id DESC LIMIT 1")
            }
            var scans: [String] = []
            for text in plannable {
                // Parameters without values are NULL, which the plan does not depend on.
                let plan = try RawStatement(database, "EXPLAIN QUERY PLAN " + text)
                while try plan.step() {
                    let step = String(decoding: plan.bytes(3), as: UTF8.self)
                    let words = step.split(separator: " ")
                    if words[0] == "SCAN", tables.contains(String(words[1])) { scans.append("\(step): \(text)") }
                }
            }
            return (plannable.count, scans)
        }
    }

    private static let large = [
        "touch", "usage_record", "sealed_device", "sealed", "usage_counter", "device", "new_device", "identity_run",
        "ledger_entry",
        "entry", "rated_total", "day_start",
    ]

    @Test("Storing events reads no large table from end to end, nor does making ready for a new day")
    func ingest() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        var chance = SeededGenerator(seed: 1)
        _ = try ledger.ingest(RandomUsage.batch(300, days: 28...31, month: "2027-01", &chance))
        try ledger.set(now: "2027-02-05T12:00:00Z")
        try ledger.rate("2027-02-05")
        let found = try scans(ledger, of: Self.large) {
            // On time, late, to a sealed month, repeated, refused.
            for _ in 0..<2 {
                _ = try ledger.ingest(
                    RandomUsage.batch(300, days: 1...5, month: "2027-02", &chance)
                        + RandomUsage.batch(100, days: 20...31, month: "2027-01", &chance) + ["?", "{}"])
            }
            try ledger.set(now: "2027-02-06T12:00:00Z")
            try ledger.ledger.prepareIngestion(clock: ledger.clock)
            _ = try ledger.ingest(RandomUsage.batch(300, days: 1...6, month: "2027-02", &chance))
        }
        #expect(found.statements > 15)
        #expect(found.scans == [])
    }

    @Test("A rating reads what is not settled, and no large table from end to end")
    func rate() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        var chance = SeededGenerator(seed: 2)
        _ = try ledger.ingest(RandomUsage.batch(300, days: 28...31, month: "2027-01", &chance))
        try ledger.set(now: "2027-02-03T12:00:00Z")
        try ledger.rate("2027-02-03")
        _ = try ledger.ingest(RandomUsage.batch(300, days: 1...3, month: "2027-02", &chance))
        let found = try scans(ledger, of: Self.large) {
            try ledger.rate("2027-02-03")
            try ledger.set(now: "2027-02-05T12:00:00Z")
            try ledger.rate("2027-02-05")
        }
        #expect(found.statements > 15)
        #expect(found.scans == [])
    }

    @Test("A process that starts reads only touches of open days and new devices in whole")
    func load() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        var chance = SeededGenerator(seed: 3)
        _ = try ledger.ingest(RandomUsage.batch(300, days: 28...31, month: "2027-01", &chance))
        try ledger.set(now: "2027-02-03T12:00:00Z")
        try ledger.rate("2027-02-03")
        try ledger.reopen()
        let found = try scans(ledger, of: Self.large) {
            _ = try ledger.ingest(RandomUsage.batch(300, days: 1...3, month: "2027-02", &chance))
        }
        #expect(found.scans.filter { !$0.hasPrefix("SCAN touch:") && !$0.hasPrefix("SCAN new_device:") } == [])
    }

    @Test("Whoever reads which devices count meets each new one once")
    func countedDevices() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        let plan = try ledger.rows("EXPLAIN QUERY PLAN SELECT * FROM counted_device")
        #expect(plan.contains { $0.contains("SEARCH new_device USING AUTOMATIC") }, "\(plan)")
        #expect(!plan.contains { $0.contains("SCAN new_device") || $0.contains("SCAN device") })
    }
}
