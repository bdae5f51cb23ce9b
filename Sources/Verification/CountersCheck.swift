// Whether the counters say what the devices and records behind them add up to.

import GRDB
import Quantities
import Storage

extension Check {
    static let counters = Check(name: "counters") { database, findings in
        let labels = try Labels(database)
        var recount = try Recount(database, &findings)
        let counters = try compare(&recount, labels, database, &findings)
        for (key, quantity) in recount.quantities.sorted(by: { $0.key < $1.key }) where quantity != 0 {
            findings.add("\(key.label(labels)): there is no counter, the evidence adds up to \(quantity)")
        }
        for (key, devices) in recount.active.sorted(by: { $0.key < $1.key }) where devices != 0 {
            findings.add("\(key.label(labels)): there is no counter, \(devices) devices were active")
        }
        return "\(counted(counters, "counter")), \(counted(recount.devices, "counted device")), "
            + counted(recount.records, "usage record")
    }

    /// Compares each counter with its recount, which it takes out: what is left has no counter.
    private static func compare(
        _ recount: inout Recount, _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let statement = try RawStatement(
            database,
            """
            SELECT app_id, item_id, usage_day, posting_day, quantity, active_devices
            FROM usage_counter
            ORDER BY app_id, item_id, usage_day, posting_day
            """)
        var counters = 0
        while try statement.step() {
            counters += 1
            let key = CounterKey(
                app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2),
                postingDay: statement.integer(3))
            let (quantity, active) = (statement.integer(4), statement.integer(5))
            let counted = recount.quantities.removeValue(forKey: key) ?? 0
            if quantity != counted {
                findings.add("\(key.label(labels)): the counter says \(quantity), the evidence adds up to \(counted)")
            }
            let touched = recount.active.removeValue(forKey: key) ?? 0
            if key.usageDay != key.postingDay || !recount.deviceItems.contains(key.item) {
                if active != 0 {
                    findings.add("\(key.label(labels)): the counter says \(active) active devices, there can be none")
                }
            } else if key.postingDay > recount.sealedThrough {
                if active != touched {
                    findings.add(
                        "\(key.label(labels)): the counter says \(active) active devices, the touches say \(touched)")
                }
            } else if active < quantity {
                // The touches of sealed days are gone; but whoever counts on the day was active on it.
                findings.add(
                    "\(key.label(labels)): the counter says \(active) active devices, fewer than the \(quantity) "
                        + "that count"
                )
            }
        }
        return counters
    }
}

struct CounterKey: Hashable, Comparable {
    let app: Int64
    let item: Int64
    let usageDay: Int64
    let postingDay: Int64

    func label(_ labels: Labels) -> String {
        labels.counter(app: app, item: item, usageDay: usageDay, postingDay: postingDay)
    }

    static func < (left: CounterKey, right: CounterKey) -> Bool {
        (left.app, left.item, left.usageDay, left.postingDay)
            < (right.app, right.item, right.usageDay, right.postingDay)
    }
}

/// Everything that counters are made of, added up again: in memory as many numbers as there are counters.
private struct Recount {
    private(set) var devices = 0
    private(set) var records = 0
    var quantities: [CounterKey: Int64] = [:]
    /// Devices active on days that are not sealed.
    var active: [CounterKey: Int64] = [:]
    let deviceItems: Set<Int64>
    /// Less than any day while nothing is sealed.
    let sealedThrough: Int64

    init(_ database: Database, _ findings: inout Findings) throws {
        deviceItems = try Set(
            Int64.fetchAll(database, sql: "SELECT item_id FROM item WHERE aggregation = 'unique_devices'"))
        sealedThrough = try Int64.fetchOne(database, sql: "SELECT sealed_through FROM seal_progress") ?? -1
        try countDevices(database)
        try countActive(database)
        try addRecords(database, &findings)
    }

    private mutating func countDevices(_ database: Database) throws {
        let statement = try RawStatement(
            database, "SELECT device_id >> 32, item_id, usage_day, posting_day FROM counted_place")
        while try statement.step() {
            devices += 1
            quantities[Self.key(statement), default: 0] += 1
        }
    }

    private mutating func countActive(_ database: Database) throws {
        // A device's first event of a day leaves one touch that is not a departure; repeats leave none.
        let statement = try RawStatement(
            database,
            """
            SELECT device_id >> 32, item_id, usage_day, touch_id >> 40, count(*)
            FROM touch
            WHERE counts >= 0 AND usage_day = touch_id >> 40 AND touch_id >> 40 > ?1
            GROUP BY device_id >> 32, item_id, usage_day
            """)
        statement.bind(1, sealedThrough)
        while try statement.step() { active[Self.key(statement)] = statement.integer(4) }
    }

    private mutating func addRecords(_ database: Database, _ findings: inout Findings) throws {
        let feeds = try Self.feeds(database, &findings)
        let statement = try RawStatement(
            database, "SELECT record_id, app_id, feed_id, usage_day, posting_day, quantity FROM usage_record")
        while try statement.step() {
            records += 1
            guard let items = feeds[statement.integer(2)] else {
                findings.add("record \(statement.integer(0)) names feed \(statement.integer(2)), which is not there")
                continue
            }
            for item in items {
                let key = CounterKey(
                    app: statement.integer(1), item: item, usageDay: statement.integer(3),
                    postingDay: statement.integer(4))
                let sum = try Quantity(quantities[key] ?? 0) + Quantity(statement.integer(5))
                quantities[key] = sum.units
            }
        }
    }

    /// The items of each feed, which stand as rows and as the text that makes a feed unique.
    private static func feeds(_ database: Database, _ findings: inout Findings) throws -> [Int64: [Int64]] {
        var feeds: [Int64: [Int64]] = [:]
        let items = try Row.fetchAll(database, sql: "SELECT feed_id, item_id FROM feed_item ORDER BY feed_id, item_id")
        for row in items { feeds[row["feed_id"], default: []].append(row["item_id"]) }
        for row in try Row.fetchAll(database, sql: "SELECT feed_id, items FROM feed ORDER BY feed_id") {
            let id: Int64 = row["feed_id"]
            let noted: String = row["items"]
            let listed = (feeds[id] ?? []).map { String($0) }.joined(separator: ",")
            if noted != listed { findings.add("feed \(id) says items '\(noted)', its rows say '\(listed)'") }
        }
        return feeds
    }

    private static func key(_ statement: RawStatement) -> CounterKey {
        CounterKey(
            app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2),
            postingDay: statement.integer(3))
    }
}
