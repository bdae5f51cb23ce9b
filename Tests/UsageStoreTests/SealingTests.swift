// Sealing, interrupted at every stage: the evidence is exact at all times, and the next process goes on.

import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import RatingRun
import Seeded
import Storage
import TestSupport
import Testing
import UsageStore

@Suite("Sealing", .computing)
struct SealingTests {
    /// Usage of the last days of January, 13,000 devices on the last: sealed in three slices of 5,000.
    private func ledger() throws -> LedgerFixture {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        var chance = SeededGenerator(seed: 3)
        _ = try ledger.ingest(RandomUsage.batch(400, days: 27...31, month: "2027-01", &chance))
        _ = try ledger.ingest((0..<13_000).map { EventLine.device("many-\($0)", at: "2027-01-31T11:00:00Z").text })
        try ledger.set(now: "2027-02-03T12:00:00Z")
        return ledger
    }

    private static let stages = [
        "INSERT ON sealed_device",
        "INSERT ON sealed_device WHEN NEW.device_id & 0xFFFFFFFF = 100",
        "INSERT ON sealed_device WHEN NEW.device_id & 0xFFFFFFFF = 7000",
        "INSERT ON sealed_device WHEN NEW.device_id & 0xFFFFFFFF = 12000",
        "UPDATE ON seal_progress WHEN NEW.sealed_through IS NOT OLD.sealed_through",
        // The last day of the month is sealed, its touches still wait to be cleared away.
        "DELETE ON touch WHEN OLD.usage_day = unixepoch('2027-01-31') / 86400",
        "DELETE ON touch",
        "INSERT ON device",
        "INSERT ON device WHEN NEW.name = 'many-9000'",
        "DELETE ON new_device WHEN OLD.name = 'many-5000'",
    ]

    @Test("is exact wherever it is interrupted, and is finished by the next rating", arguments: stages)
    func interruption(stage: String) throws {
        let ledger = try ledger()
        let counted = try ledger.countedDevices()
        try ledger.fail(at: stage)
        for _ in 0..<2 {
            #expect(throws: DatabaseError.self, "\(stage)") { try ledger.rate("2027-02-03") }
            #expect(try ledger.countedDevices() == counted, "\(stage)")
            try ledger.reopen(failingAt: stage)
        }
        try ledger.failNoMore()
        try ledger.rate("2027-02-03")
        #expect(try ledger.countedDevices() == counted)
        #expect(try ledger.rows("SELECT count(*) FROM touch") == ["0"])
        #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["0"])
        #expect(try ledger.rows("SELECT count(*) FROM sealed_device") == ["\(counted.count)"])
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }

    @Test("that was interrupted does not disturb the usage that arrives next", arguments: stages)
    func usageAfterInterruption(stage: String) throws {
        let ledger = try ledger()
        let whole = try ledger.copy()
        try whole.rate("2027-02-03")
        try ledger.fail(at: stage)
        #expect(throws: DatabaseError.self, "\(stage)") { try ledger.rate("2027-02-03") }
        try ledger.failNoMore()
        try ledger.reopen()

        // Known devices of January come late, and a new one; February's come on time.
        var chance = SeededGenerator(seed: 4)
        let late = (0..<20).map { EventLine.device("many-\($0 * 650)", at: "2027-01-30T10:00:00Z").text }
        let next =
            RandomUsage.batch(200, days: 25...31, month: "2027-01", &chance) + late
            + RandomUsage.batch(200, days: 1...3, month: "2027-02", &chance)
        let words = try whole.ingest(next).words(of: next.count)
        #expect(try ledger.ingest(next).words(of: next.count) == words, "\(stage)")
        try ledger.rate("2027-02-03")
        #expect(try ledger.countedDevices() == whole.countedDevices())
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }

    @Test("A correction to a month that is sealed and not in memory counts each device once (Billing rules, section 2)")
    func correctionToSealedMonth() throws {
        let ledger = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        _ = try ledger.ingest(
            EventLine.device("known", at: "2027-01-31T10:00:00Z").text,
            EventLine.device("known", at: "2027-01-30T10:00:00Z", app: "kiosk").text)
        try ledger.set(now: "2027-02-05T12:00:00Z")
        try ledger.rate("2027-02-05")
        try ledger.reopen()
        let late = ["known", "new"].map { EventLine.device($0, at: "2027-01-29T10:00:00Z").text }
        let january = "SELECT app, usage_day, posted_day, quantity, active_devices FROM usage_daily ORDER BY 1, 2, 3"
        for _ in 0..<2 {
            // Twice in one process, then in the next: the sealed rows answer, then memory, then the open touches.
            for _ in 0..<2 {
                #expect(try ledger.ingest(late).words(of: 2) == ["correction", "correction"])
                #expect(
                    try ledger.rows(january) == [
                        "kiosk 2027-01-30 2027-01-30 1 1", "shop 2027-01-29 2027-02-03 1 0",
                        "shop 2027-01-31 2027-01-31 1 1",
                    ])
            }
            try ledger.reopen()
        }
        // A smaller usage day on the same posting day moves the new one, not the one that is settled.
        let earlier = ["known", "new"].map { EventLine.device($0, at: "2027-01-28T10:00:00Z").text }
        _ = try ledger.ingest(earlier)
        #expect(
            try ledger.rows(january) == [
                "kiosk 2027-01-30 2027-01-30 1 1", "shop 2027-01-28 2027-02-03 1 0", "shop 2027-01-31 2027-01-31 1 1",
            ])
        try ledger.set(now: "2027-02-08T12:00:00Z")
        try ledger.rate("2027-02-08")
        #expect(try ledger.ingest(late + earlier).words(of: 4) == Array(repeating: "correction", count: 4))
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
        #expect(try ledger.rows("SELECT devices FROM mau WHERE app = 'shop'") == ["2"])
    }

    @Test("in parts of any size gives the same evidence, and may end between any two slices", arguments: [1, 7, 300])
    func parts(size: Int) throws {
        let whole = try LedgerFixture.withApps(now: "2027-01-31T12:00:00Z")
        var chance = SeededGenerator(seed: 5)
        // Late usage moves devices to and fro between days.
        for _ in 0..<3 { _ = try whole.ingest(RandomUsage.batch(150, days: 28...31, month: "2027-01", &chance)) }
        try whole.set(now: "2027-02-03T12:00:00Z")
        let parted = try whole.copy()
        let counted = try whole.countedDevices()
        try whole.rate("2027-01-31")

        struct Stop: Error {}
        let settled = try #require(Day("2027-01-31"))
        _ = try RatingRun(file: parted.ledger.file).run(date: settled, clock: parted.clock)
        var bounds = Sealing.Bounds()
        (bounds.touchesPerPart, bounds.rowsPerSlice, bounds.deletesPerSlice) = (size, max(1, size / 2), size)
        var isDone = false
        while !isDone {
            isDone = true
            let properties = try parted.ledger.file.read { try LedgerProperties.read($0) }
            let store = try UsageStore(file: parted.ledger.file, key: FingerprintKey(properties.fingerprintKey))
            var slices = 0
            do {
                try Sealing(file: parted.ledger.file, store: store, bounds: bounds).seal(through: settled) {
                    slices += 1
                    if slices % 50 == 0 { throw Stop() }
                }
            } catch is Stop {
                isDone = false
                #expect(try parted.countedDevices() == counted)
            }
        }
        let sealed = "SELECT * FROM sealed_device ORDER BY 1, 2, 3"
        #expect(try parted.rows(sealed) == whole.rows(sealed))
        #expect(try parted.countedDevices() == counted)
        #expect(try parted.rows("SELECT count(*) FROM touch") == ["0"])
    }
}
