// Whether the devices behind the quantities are each known, counted once a month, and sealed as far as is said.

import GRDB
import LedgerStore
import Quantities
import Storage

extension Check {
    static let evidence = Check(name: "evidence") { database, findings in
        let labels = try Labels(database)
        let devices = try DeviceDirectory(database, labels, &findings)
        let sealed = try sealedDevices(devices, labels, database, &findings)
        let touches = try openTouches(devices, labels, database, &findings)
        try countedTwice(labels, database, &findings)
        let state = try LedgerState.read(database)
        let sealedThrough = try Int64.fetchOne(database, sql: "SELECT sealed_through FROM seal_progress").map(day)
        if let sealedThrough, state.settledThrough.map({ $0 < sealedThrough }) ?? true {
            findings.add(
                "days through \(sealedThrough) are sealed, but only days through "
                    + "\(describe(state.settledThrough)) are settled"
            )
        }
        return "\(counted(devices.count, "device name")), \(counted(sealed, "sealed device")), "
            + counted(touches, "touch", plural: "touches")
    }

    /// Sealed rows: of known devices, in the month of their usage day, not beyond what is sealed.
    private static func sealedDevices(
        _ devices: DeviceDirectory, _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let progress = try SealProgress(database)
        let statement = try RawStatement(
            database, "SELECT month, item_id, device_id, usage_day, posting_day FROM sealed_device")
        var months = MonthsOfDays()
        var rows = 0
        while try statement.step() {
            rows += 1
            let (month, item, device) = (statement.integer(0), statement.integer(1), statement.integer(2))
            let (usageDay, postingDay) = (statement.integer(3), statement.integer(4))
            func label() -> String {
                "sealed device \(devices.label(device)) of \(labels.item(item)) in \(Month(number: Int(month)))"
            }
            if !devices.hasName(device) { findings.add("\(label()) has no name") }
            if month != months.month(of: usageDay) { findings.add("\(label()) has usage day \(day(usageDay))") }
            if postingDay < usageDay {
                findings.add("\(label()) is posted on \(day(postingDay)), before its usage day \(day(usageDay))")
            }
            if !progress.holds(postingDay, month, item, device) {
                findings.add("\(label()) is posted on \(day(postingDay)), but days are sealed \(progress.description)")
            }
        }
        return rows
    }

    /// Touches: of known devices; at a place of an open day a device has come as often as it left, or once more.
    private static func openTouches(
        _ devices: DeviceDirectory, _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let all = try RawStatement(database, "SELECT device_id, item_id, usage_day, touch_id >> 40 FROM touch")
        var touches = 0
        while try all.step() {
            touches += 1
            let (device, item) = (all.integer(0), all.integer(1))
            func label() -> String {
                "a touch of device \(devices.label(device)) for \(labels.item(item)), usage day \(day(all.integer(2)))"
            }
            if !devices.hasName(device) { findings.add("\(label()): the device has no name") }
            if all.integer(3) < all.integer(2) {
                findings.add("\(label()) is posted on \(day(all.integer(3))), before its usage day")
            }
        }
        let odd = try RawStatement(
            database,
            """
            SELECT device_id, item_id, usage_day, touch_id >> 40, sum(counts)
            FROM touch
            WHERE touch_id >> 40 > (SELECT coalesce(sealed_through, -1) FROM seal_progress)
            GROUP BY device_id, item_id, usage_day, touch_id >> 40
            HAVING sum(counts) NOT IN (0, 1)
            """)
        while try odd.step() {
            findings.add(
                "device \(devices.label(odd.integer(0))) of \(labels.item(odd.integer(1))), usage day "
                    + "\(day(odd.integer(2))), posting day \(day(odd.integer(3))): its touches add up to "
                    + "\(odd.integer(4)), not to 0 or 1")
        }
        return touches
    }

    /// A device counts once per app, item and usage month (Billing rules, section 2). Among sealed rows of a month the
    /// table's key sees to it; so only the open places are sorted, and looked up among the sealed.
    private static func countedTwice(_ labels: Labels, _ database: Database, _ findings: inout Findings) throws {
        let statement = try RawStatement(
            database,
            """
            WITH open_place (month, item_id, device_id, usage_day, posting_day) AS MATERIALIZED (
                SELECT
                    CAST(strftime('%Y', usage_day * 86400, 'unixepoch') AS INTEGER) * 12
                        + CAST(strftime('%m', usage_day * 86400, 'unixepoch') AS INTEGER) - 1,
                    item_id, device_id, usage_day, posting_day
                FROM counted_place
                WHERE posting_day > (SELECT coalesce(sealed_through, -1) FROM seal_progress)
            )
            SELECT month, item_id, device_id, min(usage_day), max(usage_day)
            FROM open_place
            GROUP BY month, item_id, device_id
            HAVING count(*) > 1
            UNION ALL
            SELECT
                open_place.month, open_place.item_id, open_place.device_id, sealed_device.usage_day,
                open_place.usage_day
            FROM open_place
            JOIN sealed_device USING (month, item_id, device_id)
            WHERE sealed_device.posting_day <= (SELECT coalesce(sealed_through, -1) FROM seal_progress)
            """)
        while try statement.step() {
            findings.add(
                "device \(DeviceDirectory.ordinalLabel(statement.integer(2), labels)) counts twice for "
                    + "\(labels.item(statement.integer(1))) in \(Month(number: Int(statement.integer(0)))): on "
                    + "\(day(statement.integer(3))) and on \(day(statement.integer(4)))")
        }
    }
}

/// How far the evidence is sealed.
private struct SealProgress: CustomStringConvertible {
    private let sealedThrough: Int64
    private let underWay: (day: Int64, month: Int64, item: Int64, device: Int64)?

    init(_ database: Database) throws {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM seal_progress")
        sealedThrough = row?["sealed_through"] ?? -1
        if let row, let day = row["posting_day"] as Int64?, let month = row["month"] as Int64?,
            let item = row["item_id"] as Int64?, let device = row["device_id"] as Int64?
        {
            underWay = (day, month, item, device)
        } else {
            underWay = nil
        }
    }

    func holds(_ postingDay: Int64, _ month: Int64, _ item: Int64, _ device: Int64) -> Bool {
        if postingDay <= sealedThrough { return true }
        guard let underWay, postingDay == underWay.day else { return false }
        return (month, item, device) <= (underWay.month, underWay.item, underWay.device)
    }

    var description: String {
        let through = sealedThrough < 0 ? "not at all" : "through \(day(sealedThrough))"
        guard let underWay else { return through }
        return "\(through) and in part on \(day(underWay.day))"
    }
}

/// How many devices each app has names for. As ordinals are dense, that is all there is to know of a device.
private struct DeviceDirectory {
    private(set) var count = 0
    private var devicesOfApp: [Int64: Int64] = [:]
    private let labels: Labels

    init(_ database: Database, _ labels: Labels, _ findings: inout Findings) throws {
        self.labels = labels
        let statement = try RawStatement(database, "SELECT device_id FROM device ORDER BY device_id")
        var gaps: Set<Int64> = []
        while try statement.step() {
            count += 1
            let (app, ordinal) = (statement.integer(0) >> 32, statement.integer(0) & 0xFFFF_FFFF)
            let expected = devicesOfApp[app] ?? 0
            if ordinal != expected, gaps.insert(app).inserted {
                findings.add("\(labels.app(app)): device number \(ordinal) follows where \(expected) belongs")
            }
            devicesOfApp[app] = ordinal + 1
        }
        for app in devicesOfApp.keys.sorted() { try namesTwice(app, database, &findings) }
    }

    /// One name under two numbers would be one device counted as two.
    private func namesTwice(_ app: Int64, _ database: Database, _ findings: inout Findings) throws {
        let statement = try RawStatement(
            database,
            """
            SELECT name, min(device_id) & 0xFFFFFFFF, max(device_id) & 0xFFFFFFFF
            FROM device
            WHERE device_id >= ?1 AND device_id < ?2 AND name IS NOT NULL
            GROUP BY name
            HAVING count(*) > 1
            """)
        statement.bind(1, app << 32)
        statement.bind(2, (app + 1) << 32)
        while try statement.step() {
            findings.add(
                "\(labels.app(app)): devices number \(statement.integer(1)) and \(statement.integer(2)) have one name, "
                    + "'\(String(decoding: statement.bytes(0), as: UTF8.self))'")
        }
    }

    func hasName(_ device: Int64) -> Bool { device & 0xFFFF_FFFF < devicesOfApp[device >> 32] ?? 0 }

    func label(_ device: Int64) -> String { Self.ordinalLabel(device, labels) }

    static func ordinalLabel(_ device: Int64, _ labels: Labels) -> String {
        "number \(device & 0xFFFF_FFFF) of \(labels.app(device >> 32))"
    }
}

/// The months of a few days, asked for again and again.
private struct MonthsOfDays {
    private var months: [Int64: Int64] = [:]

    mutating func month(of number: Int64) -> Int64 {
        if let month = months[number] { return month }
        let month = Int64(day(number).month.number)
        months[number] = month
        return month
    }
}
