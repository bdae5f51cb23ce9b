// What a process reads of a file before its first event: enough devices that two threads share the reading.

import Ingestion
import LedgerFixture
import TestSupport
import Testing

@Suite("What memory begins with", .computing)
struct MemoryReadingTests {
    private static let devices = 120_000

    /// One more device than that in app shop, half of them new, seen of basic_analysis, every third of message_push too.
    /// Written past the program, as it would have written them.
    private func ledger() throws -> LedgerFixture {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest(
            EventLine.device("first", at: "2027-01-10T10:00:00Z").text,
            EventLine.device("first", of: "message_push", at: "2027-01-10T10:00:00Z").text)
        let day = "(SELECT max(touch_id) >> 40 FROM touch)"
        let shop = "(SELECT app_id FROM app WHERE code = 'shop')"
        let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < \(Self.devices))"
        func item(_ code: String) -> String { "(SELECT item_id FROM item WHERE code = '\(code)')" }
        try ledger.execute(
            "INSERT INTO device SELECT device_id, name, fingerprint FROM new_device; DELETE FROM new_device")
        for (table, range) in [("device", "n <= \(Self.devices / 2)"), ("new_device", "n > \(Self.devices / 2)")] {
            try ledger.execute(
                "\(numbers) INSERT INTO \(table) (device_id, name) SELECT \(shop) << 32 | n, 'bulk-' || n FROM n WHERE \(range)"
            )
        }
        for (code, every, sequence) in [("basic_analysis", 1, 1_000_000), ("message_push", 3, 2_000_000)] {
            try ledger.execute(
                """
                \(numbers)
                INSERT INTO touch (touch_id, item_id, device_id, usage_day, counts)
                SELECT \(day) << 40 | (\(sequence) + n), \(item(code)), \(shop) << 32 | n, \(day), 1
                FROM n
                WHERE n % \(every) = 0
                """)
        }
        try ledger.execute(
            """
            UPDATE usage_counter
            SET quantity = (
                    SELECT count(*) FROM touch
                    WHERE touch.item_id = usage_counter.item_id AND touch.usage_day = usage_counter.usage_day),
                active_devices = (
                    SELECT count(*) FROM touch
                    WHERE touch.item_id = usage_counter.item_id AND touch.usage_day = usage_counter.usage_day)
            """)
        try ledger.reopen()
        return ledger
    }

    @Test("Devices and places that two threads have read are those that the file holds")
    func twoThreads() throws {
        let ledger = try ledger()
        let before = try ledger.rows("SELECT count(*) FROM touch")
        let names = "SELECT (SELECT count(*) FROM device) + (SELECT count(*) FROM new_device)"
        let known = [1, 2, 3, 4_096, 60_000, 60_001, 119_999, Self.devices].map { "bulk-\($0)" }
        func events(_ feature: String, _ devices: [String]) -> [String] {
            devices.map { EventLine.device($0, of: feature, at: "2027-01-10T11:00:00Z").text }
        }
        // What has been seen on the day leaves no trace.
        _ = try ledger.ingest(events("basic_analysis", known) + events("message_push", ["bulk-3", "bulk-120000"]))
        #expect(try ledger.rows("SELECT count(*) FROM touch") == before)
        #expect(try ledger.rows(names) == ["\(Self.devices + 1)"])
        // What has not does, and a device without a place is known all the same.
        _ = try ledger.ingest(
            events("message_push", ["bulk-1", "bulk-4"]) + events("basic_analysis", ["bulk-0", "bulk-120001"]))
        #expect(try ledger.rows("SELECT count(*) FROM touch") == ["\(1 + Self.devices + 1 + Self.devices / 3 + 4)"])
        #expect(try ledger.rows(names) == ["\(Self.devices + 3)"])
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }
}
