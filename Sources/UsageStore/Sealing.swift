// Sealing: the devices that count on a settled day are written as evidence, and the day's touches cleared away.

import GRDB
package import Quantities
package import Storage

/// Seals posting days in slices of a few milliseconds, each a transaction; interrupted, it goes on where it was.
///
/// A settled day takes no more usage, so its evidence is read beside the writer, in parts that fit into memory. A slice
/// writes sealed rows and moves a mark behind which the day's touches no longer speak, so the evidence is exact between
/// any two slices; the touches are deleted afterwards in one contiguous range after another. (Deleting each slice's
/// touches with it would rewrite the whole day's pages once a slice: touches lie in order of arrival.)
package struct Sealing {
    private let file: LedgerFile
    private let store: UsageStore
    private let bounds: Bounds

    package struct Bounds: Sendable {
        /// Touches of a part of a day's evidence: 40 bytes each, and twice so many while they are read.
        package var touchesPerPart = 1 << 20
        package var rowsPerSlice = 2_000
        package var deletesPerSlice = 10_000

        package init() {}
    }

    package init(file: LedgerFile, store: UsageStore, bounds: Bounds = Bounds()) {
        self.file = file
        self.store = store
        self.bounds = bounds
    }

    private struct Progress {
        var sealedThrough: Day?
        var postingDay: Day?
        /// The last row that is sealed of the day under way.
        var mark: DayEvidence.Key?
    }

    /// Seals every day through the last settled one.
    ///
    /// - Parameter between: called between two slices; usage may be stored meanwhile, a settled day takes none.
    package func seal(through settled: Day, between: () throws -> Void = {}) throws {
        while let day = try file.read({ try firstTouch(from: nil, through: settled, $0) }).map({ Day(Int($0 >> 40)) }) {
            try sealRows(of: day, between)
            try clearTouches(of: day, between)
        }
        try file.write { try finish(settled, $0) }
        store.noteSealed(through: settled)
    }

    // MARK: Rows

    private func sealRows(of day: Day, _ between: () throws -> Void) throws {
        let progress = try file.read { try self.progress($0) }
        if let sealed = progress.sealedThrough, day <= sealed { return }
        var mark = progress.postingDay == day ? progress.mark : nil
        var isSealed = false
        while !isSealed {
            let part = try file.readAside(between: between) { [bounds, mark] database in
                try DayEvidence(of: day, after: mark, touches: bounds.touchesPerPart, database)
            }
            var rest = part.rows[...]
            repeat {
                let slice = rest.prefix(bounds.rowsPerSlice)
                rest = rest.dropFirst(slice.count)
                isSealed = part.end == nil && rest.isEmpty
                try file.write { database in
                    try insert(slice, of: day, database)
                    if isSealed {
                        try finish(day, database)
                        // A small day is done with this transaction.
                        if slice.count < bounds.rowsPerSlice { _ = try clearSlice(of: day, database) }
                    } else if let last = slice.last {
                        try move(to: last.key, of: day, database)
                    }
                }
                try between()
            } while !rest.isEmpty
            mark = part.end
        }
    }

    private func insert(_ rows: ArraySlice<DayEvidence.Row>, of day: Day, _ database: Database) throws {
        let insertion = try BulkInsert(
            database, into: "sealed_device (month, item_id, device_id, usage_day, posting_day)", integers: 5)
        for row in rows {
            try insertion.add { columns, _ in
                columns[0] = row.key.month
                columns[1] = row.key.item
                columns[2] = row.key.device
                columns[3] = row.usageDay
                columns[4] = Int64(day.number)
            }
        }
        try insertion.flush()
    }

    private func move(to mark: DayEvidence.Key, of day: Day, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE seal_progress SET posting_day = ?, month = ?, item_id = ?, device_id = ?",
            arguments: [day.number, mark.month, mark.item, mark.device])
    }

    private func finish(_ day: Day, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE seal_progress
                SET sealed_through = ?1, posting_day = NULL, month = NULL, item_id = NULL, device_id = NULL
                WHERE coalesce(sealed_through, -1) < ?1
                """,
            arguments: [day.number])
    }

    private func progress(_ database: Database) throws -> Progress {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM seal_progress") else { return Progress() }
        var progress = Progress()
        progress.sealedThrough = (row["sealed_through"] as Int?).map { Day($0) }
        if let day = row["posting_day"] as Int? {
            progress.postingDay = Day(day)
            progress.mark = DayEvidence.Key(month: row["month"], item: row["item_id"], device: row["device_id"])
        }
        return progress
    }

    // MARK: Touches

    /// The first touch of a range of days, if they have any.
    private func firstTouch(from first: Day?, through last: Day, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database, sql: "SELECT min(touch_id) FROM touch WHERE touch_id >= ? AND touch_id < ?",
            arguments: [first?.firstID ?? 0, (last + 1).firstID])
    }

    private func clearTouches(of day: Day, _ between: () throws -> Void) throws {
        while try file.write({ try clearSlice(of: day, $0) }) { try between() }
    }

    /// Deletes the first touches of a day; their ids have no gaps.
    ///
    /// - Returns: whether there were any.
    private func clearSlice(of day: Day, _ database: Database) throws -> Bool {
        guard let first = try firstTouch(from: day, through: day, database) else { return false }
        try database.execute(
            sql: "DELETE FROM touch WHERE touch_id >= ?1 AND touch_id < ?2",
            arguments: [first, min(first + Int64(bounds.deletesPerSlice), (day + 1).firstID)])
        return true
    }
}
