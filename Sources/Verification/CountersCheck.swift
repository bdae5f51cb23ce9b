// Whether the counters say what the devices and records behind them add up to.

import GRDB
import Quantities
import Storage

extension Check {
    static var counters: Check {
        Check(name: "counters") { slices, findings in
            var recount = try Recount(slices)
            try recount.takeInRecords(&findings)
            try recount.compareOpenDays(&findings)
            try recount.compareSealedDays(&findings)
            return "\(counted(recount.counters, "counter")), \(counted(recount.devices, "counted device")), "
                + counted(recount.records, "usage record")
        }
    }
}

/// Everything that counters are made of, added up again by posting day: in memory as many numbers as there are counters.
///
/// A posting day that is not sealed has all its touches, and nothing else speaks for it; one that is sealed has its
/// sealed devices, and takes nothing more. So the open days come first: one that is sealed meanwhile is left to the
/// sealed devices, which are read afterwards.
private struct Recount {
    /// What the touches of a day that is not sealed come to.
    private struct Touches {
        var quantities: [CounterPlace: Int64] = [:]
        var active: [CounterPlace: Int64] = [:]
    }

    private let slices: Slices
    private let labels: Labels
    private let recordRows = DayRows.records()
    private var feeds: [Int64: [Int64]] = [:]
    private var quantities: [Int64: [CounterPlace: Quantity]] = [:]
    private var comparedDays: Set<Int64> = []
    private(set) var counters = 0
    private(set) var devices: Int64 = 0
    private(set) var records = 0

    init(_ slices: Slices) throws {
        self.slices = slices
        labels = try slices.read { try Labels($0) }
    }

    // MARK: Records

    /// Reads the records that are there now.
    mutating func takeInRecords(_ findings: inout Findings) throws {
        try slices.readUntil { try takeInRecords($0, &findings) }
    }

    /// - Returns: whether these were all.
    private mutating func takeInRecords(_ database: Database, _ findings: inout Findings) throws -> Bool {
        try recordRows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
            records += 1
            // An event may have brought a feed that was not there before.
            if feeds[row.integer(2)] == nil { try readFeeds(database, &findings) }
            guard let items = feeds[row.integer(2)] else {
                findings.add("record \(row.integer(0)) names feed \(row.integer(2)), which is not there")
                return
            }
            for item in items {
                let place = CounterPlace(app: row.integer(1), item: item, usageDay: row.integer(3))
                try quantities[row.integer(4), default: [:]][place, default: .zero] += Quantity(row.integer(5))
            }
        }
    }

    /// The items of each feed, which stand as rows and as the text that makes a feed unique.
    private mutating func readFeeds(_ database: Database, _ findings: inout Findings) throws {
        var rows: [Int64: [Int64]] = [:]
        let items = try Row.fetchAll(database, sql: "SELECT feed_id, item_id FROM feed_item ORDER BY feed_id, item_id")
        for row in items { rows[row["feed_id"], default: []].append(row["item_id"]) }
        for row in try Row.fetchAll(database, sql: "SELECT feed_id, items FROM feed ORDER BY feed_id") {
            let id: Int64 = row["feed_id"]
            guard feeds[id] == nil else { continue }
            let noted: String = row["items"]
            let listed = (rows[id] ?? []).map { String($0) }.joined(separator: ",")
            if noted != listed { findings.add("feed \(id) says items '\(noted)', its rows say '\(listed)'") }
            feeds[id] = rows[id] ?? []
        }
    }

    // MARK: Open days

    /// Compares the days whose evidence is not sealed, each in a transaction in which all its touches and all records are
    /// taken in.
    mutating func compareOpenDays(_ findings: inout Findings) throws {
        var last = try slices.read { try sealedThrough($0) }
        while let day = try slices.read({ try openDay(after: last, $0) }) {
            last = day
            let rows = DayRows.touches(on: day...day)
            var touches = Touches()
            try slices.readUntil { database in
                guard try sealedThrough(database) < day else { return true }
                let isRead = try rows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
                    let place = CounterPlace(app: row.integer(2) >> 32, item: row.integer(1), usageDay: row.integer(3))
                    touches.quantities[place, default: 0] += row.integer(4)
                    // A device's first event of a day leaves one touch that is no departure; repeats leave none.
                    if row.integer(4) >= 0, row.integer(3) == day { touches.active[place, default: 0] += 1 }
                }
                guard try isRead && takeInRecords(database, &findings) else { return false }
                devices += touches.quantities.values.reduce(0, +)
                _ = try compare(day, touches, database, &findings)
                return true
            }
        }
    }

    private func openDay(after day: Int64, _ database: Database) throws -> Int64? {
        let counter = try nextCounterDay(after: day, database)
        let touch = try Int64.fetchOne(
            database, sql: "SELECT min(touch_id) >> 40 FROM touch WHERE touch_id >= ?", arguments: [(day &+ 1) << 40])
        let record = quantities.keys.filter { $0 > day }.min()
        return [counter, touch, record].compactMap { $0 }.min()
    }

    private func nextCounterDay(after day: Int64, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database, sql: "SELECT min(posting_day) FROM usage_counter WHERE posting_day > ?", arguments: [day])
    }

    // MARK: Sealed days

    /// Compares the days whose evidence is sealed: nothing of them changes any more.
    mutating func compareSealedDays(_ findings: inout Findings) throws {
        let sealed = try slices.read { try sealedThrough($0) }
        // Those of days that were sealed since the open days were read.
        try takeInRecords(&findings)
        let sql = """
            SELECT month, item_id, device_id, usage_day, posting_day
            FROM sealed_device
            WHERE (month, item_id, device_id) > (?1, ?2, ?3)
            ORDER BY month, item_id, device_id
            LIMIT ?4
            """
        try slices.scan(sql, keyColumns: 3) { row, _ in
            let day = row.integer(4)
            guard day <= sealed, !comparedDays.contains(day) else { return }
            devices += 1
            let place = CounterPlace(app: row.integer(2) >> 32, item: row.integer(1), usageDay: row.integer(3))
            try quantities[day, default: [:]][place, default: .zero] += Quantity(1)
        }
        var rest = try sealedDays(through: sealed)[...]
        try slices.readUntil { database in
            var rows = 0
            while rows < slices.bounds.rowsPerSlice, let day = rest.popFirst() {
                rows += try compare(day, nil, database, &findings)
            }
            return rest.isEmpty
        }
    }

    private func sealedDays(through sealed: Int64) throws -> [Int64] {
        try slices.read { database in
            var days = Set(quantities.keys.filter { $0 <= sealed })
            var last = Int64.min
            while let day = try nextCounterDay(after: last, database), day <= sealed {
                days.insert(day)
                last = day
            }
            return days.subtracting(comparedDays).sorted()
        }
    }

    /// Less than any day while nothing is sealed.
    private func sealedThrough(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT sealed_through FROM seal_progress") ?? -1
    }

    // MARK: Comparing

    /// Compares the counters of a posting day.
    ///
    /// - Parameter touches: of a day that is not sealed.
    /// - Returns: how many counters there are.
    private mutating func compare(
        _ day: Int64, _ touches: Touches?, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        comparedDays.insert(day)
        var expected = quantities.removeValue(forKey: day) ?? [:]
        for (place, quantity) in touches?.quantities ?? [:] {
            try expected[place, default: .zero] += Quantity(quantity)
        }
        var active = touches?.active ?? [:]
        let deviceItems = try Set(
            Int64.fetchAll(database, sql: "SELECT item_id FROM item WHERE aggregation = 'unique_devices'"))
        let statement = try RawStatement(
            database,
            """
            SELECT app_id, item_id, usage_day, quantity, active_devices
            FROM usage_counter
            WHERE posting_day = ?1
            """)
        statement.bind(1, day)
        var rows = 0
        while try statement.step() {
            rows += 1
            let place = CounterPlace(
                app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2))
            let (quantity, activeDevices) = (statement.integer(3), statement.integer(4))
            let counted = expected.removeValue(forKey: place)?.units ?? 0
            if quantity != counted {
                findings.add(
                    "\(labels.counter(place, postingDay: day)): the counter says \(quantity), the evidence adds up to \(counted)"
                )
            }
            let touched = active.removeValue(forKey: place) ?? 0
            if place.usageDay != day || !deviceItems.contains(place.item) {
                if activeDevices != 0 {
                    findings.add(
                        "\(labels.counter(place, postingDay: day)): the counter says \(activeDevices) active devices, there can be none"
                    )
                }
            } else if touches != nil {
                if activeDevices != touched {
                    findings.add(
                        "\(labels.counter(place, postingDay: day)): the counter says \(activeDevices) active devices, the touches say "
                            + "\(touched)")
                }
            } else if activeDevices < quantity {
                // The touches of sealed days are gone; but whoever counts on the day was active on it.
                findings.add(
                    "\(labels.counter(place, postingDay: day)): the counter says \(activeDevices) active devices, fewer than the "
                        + "\(quantity) that count")
            }
        }
        counters += rows
        // What is left has no counter.
        for (place, quantity) in expected.sorted(by: { $0.key < $1.key }) where quantity != .zero {
            findings.add(
                "\(labels.counter(place, postingDay: day)): there is no counter, the evidence adds up to "
                    + "\(quantity.units)")
        }
        for (place, devices) in active.sorted(by: { $0.key < $1.key }) where devices != 0 {
            findings.add(
                "\(labels.counter(place, postingDay: day)): there is no counter, \(devices) devices were active")
        }
        return rows
    }
}
