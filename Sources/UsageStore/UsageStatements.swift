// The SQL of the usage tables: the prepared statements of the ingest path, and the reads that fill the memory.

import Foundation
import GRDB
import Quantities
import Storage

/// Prepared once per connection; a page is touched only through these.
final class UsageStatements {
    private let devices: BulkInsert
    private let touches: BulkInsert
    private let counters: BulkInsert
    private let lastArrivalStatement: RawStatement
    private let lastTouchStatement: RawStatement
    private let updateCounterStatement: RawStatement
    private let sealedPlaceStatement: RawStatement

    init(_ database: Database) throws {
        devices = try BulkInsert(database, into: "new_device (arrival, device_id, name)", integers: 2, texts: 1)
        touches = try BulkInsert(
            database, into: "touch (touch_id, item_id, device_id, usage_day, counts)", integers: 5)
        counters = try BulkInsert(
            database, into: "usage_counter (app_id, item_id, usage_day, posting_day, quantity, active_devices)",
            integers: 6,
            suffix: """
                ON CONFLICT (posting_day, app_id, item_id, usage_day) DO UPDATE SET
                    quantity = quantity + excluded.quantity,
                    active_devices = active_devices + excluded.active_devices
                """)
        lastArrivalStatement = try RawStatement(database, "SELECT max(arrival) FROM new_device")
        lastTouchStatement = try RawStatement(
            database, "SELECT max(touch_id) FROM touch WHERE touch_id >= ?1 AND touch_id < ?2")
        updateCounterStatement = try RawStatement(
            database,
            """
            UPDATE usage_counter
            SET quantity = quantity + ?5, active_devices = active_devices + ?6
            WHERE app_id = ?1 AND item_id = ?2 AND usage_day = ?3 AND posting_day = ?4
            """)
        sealedPlaceStatement = try RawStatement(
            database,
            """
            SELECT usage_day, posting_day
            FROM sealed_device
            WHERE month = ?1 AND item_id = ?2 AND device_id = ?3
            """)
    }

    // MARK: The ingest path

    /// - Parameter name: lives until ``flush()``.
    @inline(__always)
    func insertDevice(_ device: Int64, arrival: Int64, name: UnsafeBufferPointer<UInt8>) throws {
        try devices.add { integers, texts in
            integers[0] = arrival
            integers[1] = device
            texts[0] = name
        }
    }

    @inline(__always)
    func insertTouch(_ touch: Int64, item: ItemID, device: Int64, usageDay: Day, counts: Int64) throws {
        try touches.add { integers, _ in
            integers[0] = touch
            integers[1] = item.number
            integers[2] = device
            integers[3] = Int64(usageDay.number)
            integers[4] = counts
        }
    }

    /// Writes the rows that were added. Before that they are not found by any statement.
    func flush() throws {
        try devices.flush()
        try touches.flush()
        try counters.flush()
    }

    /// Forgets the rows that were added and not written.
    func forget() {
        devices.forget()
        touches.forget()
        counters.forget()
    }

    func firstFreeArrival() throws -> Int64 {
        try devices.flush()
        defer { lastArrivalStatement.reset() }
        return try lastArrivalStatement.step() ? lastArrivalStatement.integer(0) + 1 : 1
    }

    func firstFreeTouch(of day: Day) throws -> Int64 {
        try touches.flush()
        return try Self.firstFree(lastTouchStatement, of: day)
    }

    /// The id after the last one of a day, in tables whose ids are day << 40 | sequence.
    static func firstFree(_ lastID: RawStatement, of day: Day) throws -> Int64 {
        lastID.bind(1, day.firstID)
        lastID.bind(2, (day + 1).firstID)
        defer { lastID.reset() }
        guard try lastID.step() else { return day.firstID }
        return max(day.firstID, lastID.integer(0) + 1)
    }

    func addToCounter(_ change: CounterChange) throws {
        let (key, quantity) = (change.key, change.quantity.units)
        guard quantity < 0 else {
            return try counters.add { integers, _ in
                integers[0] = key.app.number
                integers[1] = key.item.number
                integers[2] = Int64(key.place.usageDay.number)
                integers[3] = Int64(key.place.postingDay.number)
                integers[4] = quantity
                integers[5] = change.activeDevices
            }
        }
        // What becomes less is there; the check of the column would refuse the change before the conflict clause of an
        // upsert is reached.
        updateCounterStatement.bind(1, key.app.number)
        updateCounterStatement.bind(2, key.item.number)
        updateCounterStatement.bind(3, key.place.usageDay.number)
        updateCounterStatement.bind(4, key.place.postingDay.number)
        updateCounterStatement.bind(5, quantity)
        updateCounterStatement.bind(6, change.activeDevices)
        try updateCounterStatement.run()
    }

    func sealedPlace(month: Month, item: ItemID, device: Int64) throws -> CountingPlace? {
        sealedPlaceStatement.bind(1, month.number)
        sealedPlaceStatement.bind(2, item.number)
        sealedPlaceStatement.bind(3, device)
        defer { sealedPlaceStatement.reset() }
        guard try sealedPlaceStatement.step() else { return nil }
        return CountingPlace(
            postingDay: Day(Int(sealedPlaceStatement.integer(1))), usageDay: Day(Int(sealedPlaceStatement.integer(0))))
    }

    /// Replaces a device's text by its fingerprint.
    static func eraseDevice(_ device: Int64, _ fingerprint: Fingerprint, _ database: Database) throws {
        for table in ["device", "new_device"] {
            try database.execute(
                sql: "UPDATE \(table) SET name = NULL, fingerprint = ? WHERE device_id = ?",
                arguments: [Data(fingerprint.bytes), device])
            if database.changesCount > 0 { return }
        }
    }

    // MARK: Filling the memory

    static func sealedThrough(_ database: Database) throws -> Day? {
        try Int.fetchOne(database, sql: "SELECT sealed_through FROM seal_progress").map { Day($0) }
    }

    static func allApps(_ database: Database) throws -> [AppID] {
        try Int64.fetchAll(database, sql: "SELECT app_id FROM app").map { AppID($0) }
    }

    /// The arrivals of the devices that are not filed; nil where all are. The first are filed first, so there are no gaps.
    static func newArrivals(_ database: Database) throws -> ClosedRange<Int64>? {
        // Each is one step of the key; both in one SELECT would read the table from end to end.
        guard let first = try Int64.fetchOne(database, sql: "SELECT min(arrival) FROM new_device"),
            let last = try Int64.fetchOne(database, sql: "SELECT max(arrival) FROM new_device")
        else { return nil }
        return first...last
    }

    /// Rows of device_id, name, fingerprint, of every app.
    static func newDevices(_ database: Database) throws -> RawStatement {
        try RawStatement(database, "SELECT device_id, name, fingerprint FROM new_device ORDER BY arrival")
    }

    /// How many devices an app has, but for the new ones: ordinals are dense.
    static func deviceCount(of app: AppID, _ database: Database) throws -> Int64 {
        let last = try Int64.fetchOne(
            database, sql: "SELECT max(device_id) FROM device WHERE device_id >= ? AND device_id < ?",
            arguments: [app.number << 32, (app.number + 1) << 32])
        return last.map { ($0 & 0xFFFF_FFFF) + 1 } ?? 0
    }

    /// Rows of device_id, name, fingerprint, but for the new ones.
    static func devices(of app: AppID, _ database: Database) throws -> RawStatement {
        let statement = try RawStatement(
            database,
            """
            SELECT device_id, name, fingerprint
            FROM device
            WHERE device_id >= ?1 AND device_id < ?2
            ORDER BY device_id
            """)
        statement.bind(1, app.number << 32)
        statement.bind(2, (app.number + 1) << 32)
        return statement
    }

    /// Rows of item_id, device_id, usage_day, posting_day of every app.
    static func sealedDevices(from month: Month, _ database: Database) throws -> RawStatement {
        let statement = try RawStatement(
            database, "SELECT item_id, device_id, usage_day, posting_day FROM sealed_device WHERE month >= ?1")
        statement.bind(1, month.number)
        return statement
    }

    /// The same rows of one app: a statement for each item and month that there can be, each a range of the key.
    static func sealedDevices(of app: AppID, from month: Month, _ database: Database) throws -> [RawStatement] {
        guard let last = try Int.fetchOne(database, sql: "SELECT max(month) FROM sealed_device"), month.number <= last
        else { return [] }
        // Before the first sealed month there are none.
        let first = try Int.fetchOne(database, sql: "SELECT min(month) FROM sealed_device") ?? last
        let items = try Int64.fetchAll(database, sql: "SELECT item_id FROM item WHERE aggregation = 'unique_devices'")
        return try (max(first, month.number)...last).flatMap { month in
            try items.map { item in
                let statement = try RawStatement(
                    database,
                    """
                    SELECT item_id, device_id, usage_day, posting_day
                    FROM sealed_device
                    WHERE month = ?1 AND item_id = ?2 AND device_id >= ?3 AND device_id < ?4
                    """)
                statement.bind(1, month)
                statement.bind(2, item)
                statement.bind(3, app.number << 32)
                statement.bind(4, (app.number + 1) << 32)
                return statement
            }
        }
    }

    /// Rows of touch_id, item_id, device_id, usage_day: what speaks of the days that are not sealed. (What is sealed
    /// speaks through its rows; its touches only wait to be cleared away.) A place that was left since is larger than
    /// the one that counts: the smallest wins, so it may be among them.
    static func touches(after sealedThrough: Day?, _ database: Database) throws -> RawStatement {
        let statement = try RawStatement(
            database,
            """
            SELECT touch_id, item_id, device_id, usage_day
            FROM touch
            WHERE touch_id >= ?1 AND counts >= 0
            ORDER BY touch_id
            """)
        statement.bind(1, sealedThrough.map { ($0 + 1).firstID } ?? 0)
        return statement
    }
}

extension Day {
    /// The first id of a day in tables whose ids are day << 40 | sequence.
    var firstID: Int64 { Int64(number) << 40 }
}
