// What the integer columns of a ledger can hold at all, by their names: a day that no calendar has, or a number that
// nothing counts to, is told before any check computes with it.

import GRDB
import Quantities
import Storage

/// What the values of a column mean, and the range that they lie in. NULL is in every range.
enum StoredKind: Sendable {
    /// Days since 1970-01-01.
    case day
    /// Months since January of the year 0.
    case month
    /// Microseconds since 1970-01-01T00:00:00Z.
    case instant
    /// A day and, in the lower 40 bits, a number within it.
    case dayAndSequence
    /// An app's number and, in the lower 32 bits, a device's within it.
    case device
    /// A number that is counted up from 0 or 1: ids, tiers, versions, counts. 0 also stands for "none".
    case number
    /// Units or micro-units: any number, since whatever adds them up does so with checks.
    case amount
    /// All 64 bits mean something.
    case hash
    /// A few values, which a CHECK of the table or a check of its own bounds.
    case bounded

    /// 10,000 years before and after 1970: more than a text of four digits for the year can say.
    private static let days: ClosedRange<Int64> = -3_652_425...3_652_425

    /// The range of the values; nil where every 64-bit number is one.
    var range: ClosedRange<Int64>? {
        switch self {
        case .day: Self.days
        case .month: -8_030 * 12...11_970 * 12
        case .instant: Self.days.lowerBound * 86_400_000_000...Self.days.upperBound * 86_400_000_000
        case .dayAndSequence: Self.days.lowerBound << 40...(Self.days.upperBound << 40 | 0xFF_FFFF_FFFF)
        case .device: 0...(Int64(Int32.max) << 32 - 1)
        case .number: 0...(1 << 53)
        case .amount, .hash, .bounded: nil
        }
    }

    /// Columns whose names don't follow the rules of ``init(column:of:)``.
    private static let exceptions: [String: StoredKind] = [
        "touch.touch_id": .dayAndSequence, "usage_record.record_id": .dayAndSequence, "identity_run.hash": .hash,
        "touch.counts": .bounded, "tenant.legacy": .bounded, "ledger_property.test_clock": .bounded,
        "ledger_property.final_after_days": .bounded, "ledger_property.max_age_days": .bounded,
        "ledger_property.payment_term_days": .bounded, "ledger_property.minor_unit_micros": .bounded,
    ]

    /// The kind of an integer column; nil for a name that says nothing.
    ///
    /// Columns are named by what they hold: `posting_day`, `closed_through` and `settled_on` are days, `recorded_at` is an
    /// instant, `item_id` a number.
    init?(column: String, of table: String) {
        if let kind = Self.exceptions["\(table).\(column)"] {
            self = kind
            return
        }
        switch column {
        case "day", "settled_on": self = .day
        case "month": self = .month
        case "time", "latest_instant": self = .instant
        case "device_id": self = .device
        case "version", "price_version", "tier", "sequence", "arrival", "events", "identities", "devices",
            "active_devices":
            self = .number
        case "quantity", "granted": self = .amount
        case _ where column.hasSuffix("_day") || column.hasSuffix("_through") || column.hasSuffix("_on"): self = .day
        case _ where column.hasSuffix("_at"): self = .instant
        case _ where column == "id" || column.hasSuffix("_id") || column.hasSuffix("_count"): self = .number
        case _ where column.hasSuffix("_micros"): self = .amount
        default: return nil
        }
    }
}

/// The ranges that the integer columns of a table keep to.
///
/// A column that refers to another table is as good as the key there. The first column of the key is read at both ends of
/// the key's index; the others cost a look at each row.
struct StoredRanges {
    private struct Column {
        let name: String
        let range: ClosedRange<Int64>
        let isFirstOfKey: Bool

        /// NULL is in every range.
        var condition: String {
            "(\"\(name)\" BETWEEN \(range.lowerBound) AND \(range.upperBound)) IS NOT FALSE"
        }
    }

    private let table: String
    private let columns: [Column]

    init(of table: String, _ database: Database) throws {
        self.table = table
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT name, pk = 1 AS is_first_of_key
                FROM pragma_table_info(?1)
                WHERE type = 'INTEGER' AND name NOT IN (SELECT "from" FROM pragma_foreign_key_list(?1))
                ORDER BY cid
                """,
            arguments: [table])
        columns = rows.compactMap { row in
            guard let kind = StoredKind(column: row["name"], of: table), let range = kind.range else { return nil }
            return Column(name: row["name"], range: range, isFirstOfKey: row["is_first_of_key"])
        }
    }

    var isEmpty: Bool { columns.isEmpty }

    /// SQL that says of a row whether its columns are in range, but for the first of the key; nil where there are none.
    var condition: String? {
        let others = columns.filter { !$0.isFirstOfKey }
        return others.isEmpty ? nil : others.map(\.condition).joined(separator: " AND ")
    }

    /// Whether the first column of the key is in range.
    func holdKeys(_ database: Database) throws -> Bool {
        guard let key = columns.first(where: \.isFirstOfKey) else { return true }
        for end in ["min", "max"] {
            let value = try Int64.fetchOne(database, sql: "SELECT \(end)(\"\(key.name)\") FROM \"\(table)\"")
            if let value, !key.range.contains(value) { return false }
        }
        return true
    }

    /// What is told of the rows that are out of range, a sentence for each column.
    func offences(_ database: Database) throws -> [String] {
        try columns.compactMap { column in
            let row = try Row.fetchOne(
                database,
                sql: "SELECT count(*), min(\"\(column.name)\") FROM \"\(table)\" WHERE NOT (\(column.condition))")
            guard let row, let rows = row[0] as Int64?, rows > 0 else { return nil }
            let value: Int64 = row[1]
            return "table \(table): \(counted(rows, "row")) whose \(column.name) is out of range, as \(value); "
                + "it lies between \(column.range.lowerBound) and \(column.range.upperBound)"
        }
    }
}
