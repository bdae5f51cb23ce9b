// Where devices count on the days that are not sealed, from the touches alone.

import GRDB
import Quantities
import Storage

/// How far the evidence is sealed.
struct SealProgress: CustomStringConvertible {
    /// Less than any day while nothing is sealed.
    let sealedThrough: Int64
    /// The day whose devices through this one are sealed, while its touches are all still there.
    let underWay: (day: Int64, mark: DeviceMonth)?

    init(_ database: Database) throws {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM seal_progress")
        sealedThrough = row?["sealed_through"] ?? -1
        if let row, let day = row["posting_day"] as Int64?, let month = row["month"] as Int64?,
            let item = row["item_id"] as Int64?, let device = row["device_id"] as Int64?
        {
            underWay = (day, DeviceMonth(month: month, item: item, device: device))
        } else {
            underWay = nil
        }
    }

    /// Whether what counts on a posting day has been sealed.
    func holds(_ postingDay: Int64, _ key: DeviceMonth) -> Bool {
        postingDay <= sealedThrough || marks(postingDay, key)
    }

    /// Whether it is sealed of the day that is under way.
    func marks(_ postingDay: Int64, _ key: DeviceMonth) -> Bool {
        guard let underWay, postingDay == underWay.day else { return false }
        return key <= underWay.mark
    }

    var description: String {
        let through = sealedThrough < 0 ? "not at all" : "through \(day(sealedThrough))"
        guard let underWay else { return through }
        return "\(through) and in part on \(day(underWay.day))"
    }
}

/// What a device counts for once (Billing rules, section 2).
struct DeviceMonth: Hashable, Comparable, BitwiseCopyable {
    let month: Int64
    let item: Int64
    let device: Int64

    static func < (left: DeviceMonth, right: DeviceMonth) -> Bool {
        (left.month, left.item, left.device) < (right.month, right.item, right.device)
    }
}

/// A device that counts on a day that is not sealed.
struct OpenPlace: BitwiseCopyable {
    let key: DeviceMonth
    let usageDay: Int64
    let postingDay: Int64
}

/// Adds up the touches, in passes that hold a part of the devices each.
struct OpenPlaces {
    private let slices: Slices
    private let devices: DeviceDirectory
    private let labels: Labels
    private(set) var touches = 0
    /// The progress of sealing at the end of the first pass, and how many of the open places it says are sealed.
    private(set) var underWay: (progress: SealProgress, places: Int)?

    private struct Touch: BitwiseCopyable {
        let place: OpenPlace
        let counts: Int64
    }

    init(_ slices: Slices, _ devices: DeviceDirectory, _ labels: Labels) {
        self.slices = slices
        self.devices = devices
        self.labels = labels
    }

    mutating func check(_ findings: inout Findings) throws {
        let size = try slices.read { try Self.size($0) }
        let passes = try slices.passes(
            atMost: size, of: [("touch", "touch_id")], bytesPerRow: MemoryLayout<Touch>.stride)
        for pass in passes.all {
            let rows = DayRows.touches()
            var part: [Touch] = []
            var months = MonthsOfDays()
            var progress: SealProgress?
            // Ends in a transaction in which all touches are taken in: a device leaves one day for another in one.
            try slices.readUntil { database in
                progress = try SealProgress(database)
                return try rows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
                    if pass == 0 { try checkRow(row, database, &findings) }
                    let device = row.integer(2)
                    guard row.integer(4) != 0,
                        passes.pass(of: UInt64(bitPattern: device) &* 0x9E37_79B9_7F4A_7C15) == pass
                    else { return }
                    let key = DeviceMonth(
                        month: months.month(of: row.integer(3)), item: row.integer(1), device: device)
                    let place = OpenPlace(key: key, usageDay: row.integer(3), postingDay: row.integer(0) >> 40)
                    part.append(Touch(place: place, counts: row.integer(4)))
                }
            }
            guard let progress else { return }
            // What was sealed meanwhile speaks by its sealed devices, and its touches may be half gone.
            part.removeAll { $0.place.postingDay <= progress.sealedThrough }
            let places = net(part, &findings)
            countedTwice(places, &findings)
            try compareWithSealed(places, progress, isFirst: pass == 0, &findings)
        }
    }

    /// How many touches there are, at most.
    private static func size(_ database: Database) throws -> Int {
        var size = 0
        var from = Int64.min
        while let first = try Int64.fetchOne(
            database, sql: "SELECT min(touch_id) FROM touch WHERE touch_id >= ?", arguments: [from])
        {
            let end = first | 0xFF_FFFF_FFFF
            let last = try Int64.fetchOne(
                database, sql: "SELECT max(touch_id) FROM touch WHERE touch_id BETWEEN ? AND ?",
                arguments: [first, end])
            size += Int((last ?? first) - first + 1)
            guard end < .max else { break }
            from = end + 1
        }
        return size
    }

    /// A touch is of a known device, and not posted before its usage day.
    private mutating func checkRow(_ row: RawStatement, _ database: Database, _ findings: inout Findings) throws {
        touches += 1
        let (device, usageDay, postingDay) = (row.integer(2), row.integer(3), row.integer(0) >> 40)
        func label() -> String {
            "a touch of device \(devices.label(device)) for \(labels.item(row.integer(1))), usage day \(day(usageDay))"
        }
        if try !devices.hasName(device, database) { findings.add("\(label()): the device has no name") }
        if postingDay < usageDay {
            findings.add("\(label()) is posted on \(day(postingDay)), before its usage day")
        }
    }

    /// The places where touches add up to one: a device has come there as often as it left, or once more.
    private func net(_ part: [Touch], _ findings: inout Findings) -> [OpenPlace] {
        let sorted = part.sorted {
            ($0.place.key, $0.place.usageDay, $0.place.postingDay)
                < ($1.place.key, $1.place.usageDay, $1.place.postingDay)
        }
        var places: [OpenPlace] = []
        var index = 0
        while index < sorted.count {
            let place = sorted[index].place
            var sum: Int64 = 0
            while index < sorted.count, sorted[index].place.key == place.key,
                sorted[index].place.usageDay == place.usageDay, sorted[index].place.postingDay == place.postingDay
            {
                sum += sorted[index].counts
                index += 1
            }
            if sum > 0 { places.append(place) }
            if sum != 0, sum != 1 {
                findings.add(
                    "device \(label(place)), usage day \(day(place.usageDay)), posting day \(day(place.postingDay)): its "
                        + "touches add up to \(sum), not to 0 or 1")
            }
        }
        return places
    }

    private func countedTwice(_ places: [OpenPlace], _ findings: inout Findings) {
        for (first, second) in zip(places, places.dropFirst()) where first.key == second.key {
            findings.add(twice(first, alsoOn: second.usageDay))
        }
    }

    private func twice(_ place: OpenPlace, alsoOn usageDay: Int64) -> String {
        "device \(label(place)) counts twice in \(Month(number: Int(place.key.month))): on "
            + "\(day(min(place.usageDay, usageDay))) and on \(day(max(place.usageDay, usageDay)))"
    }

    private func label(_ place: OpenPlace) -> String {
        "\(devices.label(place.key.device)), \(labels.item(place.key.item))"
    }

    /// What is sealed by then counts on earlier days, but for the day under way, whose sealed devices are the first of
    /// these.
    private mutating func compareWithSealed(
        _ places: [OpenPlace], _ progress: SealProgress, isFirst: Bool, _ findings: inout Findings
    ) throws {
        if isFirst { underWay = (progress, 0) }
        var rest = places[...]
        try slices.readUntil { database in
            let statement = try RawStatement(
                database,
                """
                SELECT usage_day, posting_day
                FROM sealed_device
                WHERE month = ?1 AND item_id = ?2 AND device_id = ?3
                """)
            for place in rest.prefix(slices.bounds.rowsPerSlice) {
                statement.bind(1, place.key.month)
                statement.bind(2, place.key.item)
                statement.bind(3, place.key.device)
                defer { statement.reset() }
                let isSealed = try statement.step()
                if isSealed, statement.integer(1) <= progress.sealedThrough {
                    findings.add(twice(place, alsoOn: statement.integer(0)))
                } else if progress.marks(place.postingDay, place.key),
                    !isSealed || (statement.integer(0), statement.integer(1)) != (place.usageDay, place.postingDay)
                {
                    findings.add(
                        "device \(label(place)) counts on posting day \(day(place.postingDay)), but is not among the "
                            + "sealed devices, though days are sealed \(progress)")
                }
                if let first = underWay?.progress, first.marks(place.postingDay, place.key) { underWay?.places += 1 }
            }
            rest = rest.dropFirst(slices.bounds.rowsPerSlice)
            return rest.isEmpty
        }
        // A day that is sealed by now is told by its counters.
        if let day = underWay?.progress.underWay?.day, day <= progress.sealedThrough { underWay = nil }
    }
}
