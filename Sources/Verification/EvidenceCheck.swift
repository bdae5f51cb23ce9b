// Whether the devices behind the quantities are each known, counted once a month, and sealed as far as is said.

import GRDB
import LedgerStore
import Quantities
import Storage

extension Check {
    static var evidence: Check {
        Check(name: "evidence") { slices, findings in
            let labels = try slices.read { try Labels($0) }
            let devices = try DeviceDirectory(slices, labels, &findings)
            // A device counts once per app, item and usage month (Billing rules, section 2). Among sealed rows of a month
            // the table's key sees to it.
            var open = OpenPlaces(slices, devices, labels)
            try open.check(&findings)
            let sealed = try sealedDevices(devices, labels, open.underWay, slices, &findings)
            try slices.read { try sealedIsSettled($0, &findings) }
            return "\(counted(devices.count, "device name")), \(counted(sealed, "sealed device")), "
                + counted(open.touches, "touch", plural: "touches")
        }
    }

    private static func sealedIsSettled(_ database: Database, _ findings: inout Findings) throws {
        let settled = try LedgerState.read(database).settledThrough
        let sealed = try Int64.fetchOne(database, sql: "SELECT sealed_through FROM seal_progress").map(day)
        if let sealed, settled.map({ $0 < sealed }) ?? true {
            findings.add("days through \(sealed) are sealed, but only days through \(describe(settled)) are settled")
        }
    }

    /// Sealed rows: of known devices, in the month of their usage day, not beyond what is sealed.
    ///
    /// - Parameter underWay: a day that was being sealed, and how many of its devices were sealed by then.
    private static func sealedDevices(
        _ devices: DeviceDirectory, _ labels: Labels, _ underWay: (progress: SealProgress, places: Int)?,
        _ slices: Slices, _ findings: inout Findings
    ) throws -> Int {
        let sql = """
            SELECT month, item_id, device_id, usage_day, posting_day
            FROM sealed_device
            WHERE (month, item_id, device_id) > (?1, ?2, ?3)
            ORDER BY month, item_id, device_id
            LIMIT ?4
            """
        var months = MonthsOfDays()
        var (rows, marked) = (0, 0)
        var progress: SealProgress?
        try slices.scan(sql, keyColumns: 3) {
            progress = try SealProgress($0)
        } _: { row, database in
            rows += 1
            let key = DeviceMonth(month: row.integer(0), item: row.integer(1), device: row.integer(2))
            let (usageDay, postingDay) = (row.integer(3), row.integer(4))
            func label() -> String {
                "sealed device \(devices.label(key.device)) of \(labels.item(key.item)) in "
                    + "\(Month(number: Int(key.month)))"
            }
            if try !devices.hasName(key.device, database) { findings.add("\(label()) has no name") }
            if key.month != months.month(of: usageDay) { findings.add("\(label()) has usage day \(day(usageDay))") }
            if postingDay < usageDay {
                findings.add("\(label()) is posted on \(day(postingDay)), before its usage day \(day(usageDay))")
            }
            if let progress, !progress.holds(postingDay, key) {
                findings.add("\(label()) is posted on \(day(postingDay)), but days are sealed \(progress)")
            }
            if underWay?.progress.marks(postingDay, key) ?? false { marked += 1 }
        }
        if let underWay, let number = underWay.progress.underWay?.day, marked != underWay.places {
            findings.add(
                "posting day \(day(number)) has \(counted(marked, "sealed device")), where its touches say "
                    + "\(underWay.places)")
        }
        return rows
    }
}
