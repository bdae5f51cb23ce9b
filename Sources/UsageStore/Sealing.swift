// Sealing: the devices that count on a settled day are written as evidence, and the day's touches cleared away.

import GRDB
package import Quantities
package import Storage

/// Seals posting days in slices of a few milliseconds, each a transaction; interrupted, it goes on where it was.
///
/// A slice writes sealed rows and moves a mark behind which the day's touches no longer speak, so the evidence is exact
/// between any two slices; the touches are deleted afterwards in one contiguous range after another. (Deleting each
/// slice's touches with it would rewrite the whole day's pages once a slice: touches lie in order of arrival.)
package struct Sealing {
    private let file: LedgerFile
    private let store: UsageStore

    private static let rowsPerSlice = 5_000

    package init(file: LedgerFile, store: UsageStore) {
        self.file = file
        self.store = store
    }

    private struct Row: Comparable {
        let month: Int64
        let item: Int64
        let device: Int64
        let usageDay: Int64

        static func < (left: Row, right: Row) -> Bool {
            (left.month, left.item, left.device) < (right.month, right.item, right.device)
        }
    }

    private struct Progress {
        var sealedThrough: Day?
        var postingDay: Day?
        /// The last row that is sealed of the day under way.
        var mark: Row?
    }

    /// Seals every day through the last settled one.
    ///
    /// - Parameter between: called between two slices; usage may be stored meanwhile, a settled day takes none.
    package func seal(through settled: Day, between: () throws -> Void = {}) throws {
        while let day = try nextDay(through: settled) {
            try sealRows(of: day, between)
            try clearTouches(of: day, between)
        }
        try finish(settled)
        store.noteSealed(through: settled)
    }

    /// The earliest day that still has touches; days without have nothing to seal.
    private func nextDay(through settled: Day) throws -> Day? {
        try file.read { database in
            try Int64.fetchOne(
                database, sql: "SELECT min(touch_id) FROM touch WHERE touch_id < ?", arguments: [(settled + 1).firstID]
            ).map { Day(Int($0 >> 40)) }
        }
    }

    private func sealRows(of day: Day, _ between: () throws -> Void) throws {
        let progress = try file.read { try self.progress($0) }
        let rows = try file.read { try countedRows(of: day, $0) }
        if let sealed = progress.sealedThrough, day <= sealed { return }
        var rest = rows[...]
        if progress.postingDay == day, let mark = progress.mark { rest = rest.drop { $0 <= mark } }
        while !rest.isEmpty {
            let slice = rest.prefix(Self.rowsPerSlice)
            try file.write { database in
                let statement = try RawStatement(
                    database,
                    """
                    INSERT INTO sealed_device (month, item_id, device_id, usage_day, posting_day)
                    VALUES (?1, ?2, ?3, ?4, ?5)
                    """)
                for row in slice {
                    statement.bind(1, row.month)
                    statement.bind(2, row.item)
                    statement.bind(3, row.device)
                    statement.bind(4, row.usageDay)
                    statement.bind(5, day.number)
                    try statement.run()
                }
                guard let last = slice.last else { return }
                try database.execute(
                    sql: "UPDATE seal_progress SET posting_day = ?, month = ?, item_id = ?, device_id = ?",
                    arguments: [day.number, last.month, last.item, last.device])
            }
            rest = rest.dropFirst(slice.count)
            try between()
        }
        try finish(day)
    }

    private func finish(_ day: Day) throws {
        try file.write { database in
            try database.execute(
                sql: """
                    UPDATE seal_progress
                    SET sealed_through = ?1, posting_day = NULL, month = NULL, item_id = NULL, device_id = NULL
                    WHERE coalesce(sealed_through, -1) < ?1
                    """,
                arguments: [day.number])
        }
    }

    private func progress(_ database: Database) throws -> Progress {
        guard let row = try GRDB.Row.fetchOne(database, sql: "SELECT * FROM seal_progress") else { return Progress() }
        var progress = Progress()
        progress.sealedThrough = (row["sealed_through"] as Int?).map { Day($0) }
        if let day = row["posting_day"] as Int? {
            progress.postingDay = Day(day)
            progress.mark = Row(month: row["month"], item: row["item_id"], device: row["device_id"], usageDay: 0)
        }
        return progress
    }

    /// The devices that count on a day: the net of its touches, sorted as they will be stored.
    private func countedRows(of day: Day, _ database: Database) throws -> [Row] {
        struct Place: Hashable {
            let item: Int64
            let device: Int64
            let usageDay: Int64
        }
        var net: [Place: Int64] = [:]
        let statement = try RawStatement(
            database,
            """
            SELECT item_id, device_id, usage_day, counts
            FROM touch
            WHERE touch_id >= ?1 AND touch_id < ?2 AND counts <> 0
            """)
        statement.bind(1, day.firstID)
        statement.bind(2, (day + 1).firstID)
        while try statement.step() {
            let place = Place(item: statement.integer(0), device: statement.integer(1), usageDay: statement.integer(2))
            net[place, default: 0] += statement.integer(3)
        }
        return net.filter { $0.value > 0 }.keys
            .map {
                Row(
                    month: Int64(Day(Int($0.usageDay)).month.number), item: $0.item, device: $0.device,
                    usageDay: $0.usageDay)
            }
            .sorted()
    }

    private func clearTouches(of day: Day, _ between: () throws -> Void) throws {
        var deleted = 0
        repeat {
            deleted = try file.write { database in
                try database.execute(
                    sql: """
                        DELETE FROM touch
                        WHERE touch_id IN (
                            SELECT touch_id FROM touch WHERE touch_id >= ? AND touch_id < ? ORDER BY touch_id LIMIT ?)
                        """,
                    arguments: [day.firstID, (day + 1).firstID, Self.rowsPerSlice * 4])
                return database.changesCount
            }
            try between()
        } while deleted == Self.rowsPerSlice * 4
    }
}
