// A batch whose transaction fails leaves nothing: neither in the file nor in the memory of the process that goes on.

import GRDB
import Ingestion
import LedgerFixture
import Seeded
import TestSupport
import Testing

@Suite("A batch that fails", .computing)
struct RollbackTests {
    /// Each with the change that fails: early, in the middle, at the end.
    private static let failures = [
        "INSERT ON new_device",
        "INSERT ON new_device WHEN NEW.name = 'only-now'",
        "INSERT ON touch WHEN NEW.counts < 0",
        "INSERT ON touch WHEN NEW.touch_id & 0xFFFFFFFFFF > 150",
        "INSERT ON usage_record WHEN NEW.id = '199'",
        "UPDATE ON usage_counter",
        "INSERT ON outcome_counter",
        "UPDATE ON ledger_state",
    ]

    @Test("leaves the memory as a newly opened process has it", arguments: failures)
    func memory(failure: String) throws {
        for seed in UInt64(0)..<4 {
            var chance = SeededGenerator(seed: seed)
            let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
            _ = try ledger.ingest(RandomUsage.batch(150, days: 7...10, month: "2027-01", &chance))
            let before = try ledger.usageTables()
            // Late usage and new devices, then what surely changes a place, so that every failure is met.
            var failing = RandomUsage.batch(300, days: 4...10, month: "2027-01", &chance)
            failing += [
                EventLine.device("mover", at: "2027-01-10T10:00:00Z").text,
                EventLine.device("mover", at: "2027-01-09T10:00:00Z").text,
                EventLine.calls(200, id: "199", at: "2027-01-10T11:00:00Z", app: "rides").with("source", "\"/x\"").text,
                EventLine.device("only-now").text,
            ]
            try ledger.fail(at: failure)
            #expect(throws: DatabaseError.self, "\(failure), seed \(seed)") { try ledger.ingest(failing) }
            try ledger.failNoMore()
            #expect(try ledger.usageTables() == before)

            // One goes on with the memory it had, the other opens a copy: the same words, the same rows.
            let reopened = try ledger.copy()
            for _ in 0..<3 {
                let next =
                    RandomUsage.batch(200, days: 5...10, month: "2027-01", &chance) + failing.shuffled(using: &chance)
                let words = try ledger.ingest(next).words(of: next.count)
                #expect(try reopened.ingest(next).words(of: next.count) == words, "\(failure), seed \(seed)")
            }
            #expect(try reopened.usageTables() == ledger.usageTables(), "\(failure), seed \(seed)")
            #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
        }
    }

    @Test("as the very first one of a process leaves nothing either")
    func firstBatch() throws {
        var chance = SeededGenerator(seed: 9)
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest(RandomUsage.batch(100, days: 7...10, month: "2027-01", &chance))
        try ledger.reopen()
        try ledger.fail(at: "INSERT ON outcome_counter")
        let batch = RandomUsage.batch(200, days: 5...10, month: "2027-01", &chance)
        #expect(throws: DatabaseError.self) { try ledger.ingest(batch) }
        try ledger.failNoMore()
        let reopened = try ledger.copy()
        #expect(try ledger.ingest(batch).words(of: 200) == reopened.ingest(batch).words(of: 200))
        #expect(try reopened.usageTables() == ledger.usageTables())
    }

    @Test(
        "because a process could not read what it begins with is no beginning: the next batch reads anew",
        arguments: ["touch", "new_device", "usage_record", "sealed_device"])
    func unreadable(table: String) throws {
        var chance = SeededGenerator(seed: 10)
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest(RandomUsage.batch(100, days: 7...10, month: "2027-01", &chance))
        let batch = RandomUsage.batch(200, days: 7...10, month: "2027-01", &chance)
        try ledger.reopen()
        let reopened = try ledger.copy()
        // A table that is gone for a moment stands for a disk that can't be read.
        func rename(_ name: String, to other: String) throws {
            try ledger.execute("PRAGMA legacy_alter_table = ON; ALTER TABLE \(name) RENAME TO \(other)")
        }
        try rename(table, to: "elsewhere")
        #expect(throws: DatabaseError.self) { try ledger.ingest(batch) }
        try rename("elsewhere", to: table)
        #expect(try ledger.ingest(batch).words(of: 200) == reopened.ingest(batch).words(of: 200))
        #expect(try reopened.usageTables() == ledger.usageTables())
    }

    @Test("because an app of its last part could not be read takes back what its first part had done")
    func groupWithUnreadableApp() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        var chance = SeededGenerator(seed: 11)
        _ = try ledger.ingest(RandomUsage.batch(100, days: 7...10, month: "2027-01", &chance))
        try ledger.reopen()
        // From here on memory holds one app, and the next of the day's touches has its number.
        let known = (0..<20).map { EventLine.device("new-\($0)", at: "2027-01-10T09:00:00Z").text }
        _ = try ledger.ingest(Array(known.prefix(5)))
        let reopened = try ledger.copy()
        let group = [known, [EventLine.device("new", app: "rides").text]]
        try ledger.execute("PRAGMA legacy_alter_table = ON; ALTER TABLE touch RENAME TO elsewhere")
        #expect(throws: DatabaseError.self) { try ledger.ingest(group: group) }
        try ledger.execute("PRAGMA legacy_alter_table = ON; ALTER TABLE elsewhere RENAME TO touch")
        for _ in 0..<2 {
            #expect(try ledger.ingest(group: group).map(\.accepted) == [20, 1])
            #expect(try reopened.ingest(group: group).map(\.accepted) == [20, 1])
            #expect(try reopened.usageTables() == ledger.usageTables())
        }
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }

    @Test("forgets devices that it stored before it read other apps")
    func newDevicesBeforeUnreadApp() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest(EventLine.device("old").text)
        try ledger.reopen()
        // From here on memory holds one app. Its new devices are in the file when the other apps are read.
        _ = try ledger.ingest(EventLine.device("old").text)
        let reopened = try ledger.copy()
        let group = [
            (0..<40).map { EventLine.device("new-\($0)").text }, [EventLine.device("new", app: "rides").text],
        ]
        try ledger.fail(at: "INSERT ON touch WHEN (NEW.touch_id & 0xFFFFFFFFFF) = 41")
        #expect(throws: DatabaseError.self) { try ledger.ingest(group: group) }
        try ledger.failNoMore()
        for _ in 0..<2 {
            _ = try ledger.ingest(group: group)
            _ = try reopened.ingest(group: group)
            #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["42"])
            #expect(try reopened.usageTables() == ledger.usageTables())
        }
    }

    @Test("forgets the price book and the apps that it may have read", arguments: [false, true])
    func catalog(isKnown: Bool) throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        if isKnown { _ = try ledger.ingest(EventLine.calls(1, id: "0").text) }
        // The first record of a feature stores a feed: with the batch it is gone, and must be stored again.
        try ledger.fail(at: "INSERT ON outcome_counter")
        let event = EventLine.usage(4, of: "gateway_calls", id: "1").text
        #expect(throws: DatabaseError.self) { try ledger.ingest(event) }
        try ledger.failNoMore()
        #expect(try ledger.ingest(event, event).words(of: 2) == ["accepted", "duplicate"])
        #expect(try ledger.rows("SELECT quantity FROM usage_event WHERE id = '1'") == ["4"])
        try ledger.reopen()
        #expect(try ledger.ingest(event).words(of: 1) == ["duplicate"])
    }

    @Test("keeps nothing in quarantine")
    func quarantine() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        let stray = EventLine.calls(5, id: "1", app: "nowhere").text
        try ledger.fail(at: "INSERT ON outcome_counter")
        #expect(throws: DatabaseError.self) { try ledger.ingest(stray) }
        try ledger.failNoMore()
        #expect(try ledger.ingest(stray).words(of: 1) == ["unknown_app"])
        #expect(try ledger.rows("SELECT id FROM quarantine") == ["1"])
    }
}
