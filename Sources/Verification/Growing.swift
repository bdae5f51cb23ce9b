// Tables that only grow, read to where they end now, and later on to where they end then.

import GRDB
import Storage

/// A table whose ids are day << 40 | sequence: each day's rows are appended in order, the days come in any order.
final class DayRows {
    private let first: String
    private let next: String
    private let days: ClosedRange<Int64>
    /// The last row that was read of each day.
    private var last: [Int64: Int64] = [:]

    /// What an id can hold.
    static let allDays: ClosedRange<Int64> = (.min >> 40)...(.max >> 40)

    private init(_ table: String, id: String, columns: String, days: ClosedRange<Int64>) {
        first = "SELECT \(id) FROM \(table) WHERE \(id) >= ?1 ORDER BY \(id) LIMIT 1"
        next = "SELECT \(id), \(columns) FROM \(table) WHERE \(id) > ?1 AND \(id) <= ?2 ORDER BY \(id) LIMIT ?3"
        self.days = days.clamped(to: Self.allDays)
    }

    /// Rows of touch_id, item_id, device_id, usage_day, counts.
    static func touches(on days: ClosedRange<Int64> = allDays) -> DayRows {
        DayRows("touch", id: "touch_id", columns: "item_id, device_id, usage_day, counts", days: days)
    }

    /// Rows of record_id, app_id, feed_id, usage_day, posting_day, quantity.
    static func records() -> DayRows {
        DayRows(
            "usage_record", id: "record_id", columns: "app_id, feed_id, usage_day, posting_day, quantity", days: allDays
        )
    }

    /// Reads rows that were not read before.
    ///
    /// - Returns: whether there are no more: then all that was read is what the table holds in this transaction.
    func takeIn(_ database: Database, atMost limit: Int, _ row: (RawStatement) throws -> Void) throws -> Bool {
        let first = try RawStatement(database, first)
        let rows = try RawStatement(database, next)
        var rest = limit
        var from = days.lowerBound
        while from <= days.upperBound {
            first.bind(1, from << 40)
            guard try first.step() else { break }
            let day = first.integer(0) >> 40
            first.reset()
            guard day <= days.upperBound else { break }
            rows.bind(1, last[day] ?? (day << 40) &- 1)
            rows.bind(2, day << 40 | 0xFF_FFFF_FFFF)
            rows.bind(3, rest)
            while try rows.step() {
                rest -= 1
                last[day] = rows.integer(0)
                try row(rows)
            }
            guard rest > 0 else { return false }
            from = day + 1
        }
        return true
    }
}

/// The entries of the ledger, in order.
final class EntryRows {
    private let sql: String
    private var through: Int64 = .min

    /// - Parameters:
    ///   - columns: of `from`.
    ///   - from: the table, or a view that has its `entry_id`.
    ///   - filter: which entries are of interest; the others cost a look.
    init(_ columns: String, from: String = "ledger_entry", where filter: String = "TRUE") {
        sql = """
            SELECT \(columns)
            FROM \(from)
            WHERE entry_id BETWEEN ?1 AND ?2 AND (\(filter))
            ORDER BY entry_id
            """
    }

    /// Reads entries that were not read before: rows of the columns, in order.
    ///
    /// - Parameter range: is told of the range of numbers before its rows come.
    /// - Returns: whether there are no more: then all that was read is what the ledger holds in this transaction.
    func takeIn(
        _ database: Database, atMost limit: Int, range: (ClosedRange<Int64>) throws -> Void = { _ in },
        _ row: (RawStatement) throws -> Void
    ) throws -> Bool {
        guard
            let first = try Int64.fetchOne(
                database, sql: "SELECT min(entry_id) FROM ledger_entry WHERE entry_id > ?", arguments: [through]),
            let last = try Int64.fetchOne(database, sql: "SELECT max(entry_id) FROM ledger_entry")
        else { return true }
        let (end, isBeyond) = first.addingReportingOverflow(Int64(limit) - 1)
        through = isBeyond ? last : min(last, end)
        try range(first...through)
        let statement = try RawStatement(database, sql)
        statement.bind(1, first)
        statement.bind(2, through)
        while try statement.step() { try row(statement) }
        return through == last
    }
}
