// What a ledger says through its public views, and how far it has come.

import EventCodec
import GRDB
package import Oracle
import Storage

/// Keeps the statements that read the views of an open file: to compile them takes longer than to run them.
package final class ViewReader {
    let file: LedgerFile
    private var statements: [String: RawStatement] = [:]

    init(_ file: LedgerFile) { self.file = file }

    fileprivate func statement(_ sql: String, _ database: Database) throws -> RawStatement {
        if let known = statements[sql] { return known }
        let statement = try RawStatement(database, sql)
        statements[sql] = statement
        return statement
    }
}

package struct PublicViews {
    package struct Entry: Equatable {
        package var id: Int64
        package var key: BillingOracle.LedgerKey
        package var net: BillingOracle.Net
        package var hash: String
    }

    package struct Balance: Equatable {
        package var key: BillingOracle.ConsumptionKey
        /// nil for subscriptions, which cover nothing.
        package var granted: Int64?
        package var consumed: Int64
        package var remaining: Int64
        package var life: Range<Int>
        package var isVoided: Bool
    }

    package struct Bill: Equatable {
        package var key: BillingOracle.BillKey
        package var amountMicros: Int64
        package var payableMicros: Int64
        package var isFinal: Bool
        package var dueDay: String?
        package var referenceApp: String?
    }

    package struct Statement: Equatable {
        package var tenant: String
        package var month: Int
        package var amountMicros: Int64
        package var payableMicros: Int64
        package var remainderMicros: Int64
    }

    /// Days that are settled, closed and rated, through the last.
    package struct Progress: Equatable {
        package var settledThrough: Int?
        package var closedThrough: Int?
        package var ratedThrough: Int?
    }

    package var usage: [BillingOracle.UsageKey: BillingOracle.Usage] = [:]
    package var months: [BillingOracle.MonthKey: Int64] = [:]
    package var evidence: [BillingOracle.EvidenceKey: Int] = [:]
    package var records: [BillingOracle.RecordKey: Int] = [:]
    package var entries: [Entry] = []
    package var balances: [Balance] = []
    package var bills: [Bill] = []
    package var statements: [Statement] = []
    /// The texts, in the order of their coming, with their codes.
    package var quarantine: [String] = []
    package var tally: [BillingOracle.TallyKey: Int] = [:]
    /// By arrival day.
    package var received: [Int: Int] = [:]
    package var priceBooks = 0
    package var apps = 0
    package var progress = Progress()
    /// The latest instant that the ledger has recorded.
    package var latestInstant: Int64?

    /// What the ledger's half of the file depends on.
    private struct Stamp: Equatable {
        var entries: Int64 = 0
        var hash = ""
        var grants: Int64 = 0
        var voids: Int64 = 0
    }

    private var stamp = Stamp()

    /// - Parameters:
    ///   - earlier: what was read before. Entries, and what follows from them, are taken over from it where the ledger
    ///     has the same head, grants and days as then.
    ///   - isUsageKnown: whether usage can't have changed since.
    package init(_ reader: ViewReader, after earlier: PublicViews? = nil, isUsageKnown: Bool = false) throws {
        try reader.file.read { database in
            let rows = Rows(reader: reader, database: database)
            try readArrivals(rows)
            if isUsageKnown, let earlier {
                (usage, months, evidence, records) =
                    (earlier.usage, earlier.months, earlier.evidence, earlier.records)
            } else {
                try readUsage(rows)
            }
            if let earlier, earlier.progress == progress, earlier.stamp == stamp {
                (entries, balances, bills, statements) =
                    (earlier.entries, earlier.balances, earlier.bills, earlier.statements)
            } else {
                try readEntries(rows)
                try readBalances(rows)
                try readBills(rows)
            }
        }
    }

    /// The number of a day that is written `YYYY-MM-DD`, and of a month that is written `YYYY-MM`, in SQL.
    private static func day(_ column: String) -> String { "unixepoch(\(column)) / 86400" }
    private static func month(_ column: String) -> String {
        "CAST(substr(\(column), 1, 4) AS INTEGER) * 12 + CAST(substr(\(column), 6) AS INTEGER) - 1"
    }

    private mutating func readUsage(_ rows: Rows) throws {
        try rows.each(
            """
            SELECT app, item, \(Self.day("usage_day")), \(Self.day("posted_day")), quantity, active_devices
            FROM usage_daily
            """
        ) { row in
            let key = BillingOracle.UsageKey(
                app: row.text(0), item: row.text(1), usageDay: row.int(2), postingDay: row.int(3))
            usage[key] = .init(quantity: row.int64(4), activeDevices: row.int64(5))
        }
        try rows.each("SELECT app, item, \(Self.month("month")), devices FROM mau") { row in
            months[.init(app: row.text(0), item: row.text(1), month: row.int(2))] = row.int64(3)
        }
        try rows.each(
            """
            SELECT app, item, \(Self.month("month")), \(Self.day("usage_day")), \(Self.day("posted_day")), device
            FROM counted_device
            """
        ) { row in
            let device = row.text(5)
            let key = BillingOracle.EvidenceKey(
                app: row.text(0), item: row.text(1), month: row.int(2), usageDay: row.int(3), postingDay: row.int(4),
                device: device.hasPrefix("erased:") ? nil : Array(device.utf8))
            evidence[key, default: 0] += 1
        }
        try rows.each(
            "SELECT \(Self.day("arrival_day")), source, id, app, item, time, quantity FROM usage_event"
        ) { row in
            let key = BillingOracle.RecordKey(
                arrivalDay: row.int(0), source: Array(row.text(1).utf8), id: Array(row.text(2).utf8),
                app: row.text(3), item: row.text(4), timeMicros: RFC3339.parse(row.text(5)) ?? .min,
                quantity: row.int64(6))
            records[key, default: 0] += 1
        }
    }

    private mutating func readArrivals(_ rows: Rows) throws {
        try rows.each("SELECT code, event FROM quarantine ORDER BY quarantine_id") { row in
            quarantine.append("\(row.text(0)): \(row.text(1))")
        }
        try rows.each("SELECT arrival_day, outcome, code, events FROM outcome_counter") { row in
            let outcome: BillingOracle.EventOutcome
            switch row.text(1) {
            case "received":
                received[row.int(0)] = row.int(3)
                return
            case "accepted": outcome = .accepted
            case "correction": outcome = .correction
            case "duplicate": outcome = .duplicate
            default:
                guard let refusal = BillingOracle.Refusal(rawValue: row.text(2)) else { return }
                outcome = .refused(refusal)
            }
            tally[.init(arrivalDay: row.int(0), outcome: outcome)] = row.int(3)
        }
        try rows.each(
            """
            SELECT
                settled_through, closed_through, rated_through,
                (SELECT count(*) FROM price_book_version), (SELECT count(*) FROM app),
                (SELECT max(entry_id) FROM ledger_entry),
                (SELECT lower(hex(hash)) FROM ledger_entry ORDER BY entry_id DESC LIMIT 1),
                (SELECT count(*) FROM "grant"), (SELECT count(voided_at) FROM "grant"), coalesce(latest_instant, 0)
            FROM ledger_state
            """
        ) { row in
            progress = Progress(
                settledThrough: row.optionalInt(0), closedThrough: row.optionalInt(1), ratedThrough: row.optionalInt(2))
            latestInstant = row.int64(9) == 0 ? nil : row.int64(9)
            (priceBooks, apps) = (row.int(3), row.int(4))
            stamp = Stamp(entries: row.int64(5), hash: row.text(6), grants: row.int64(7), voids: row.int64(8))
        }
    }

    private mutating func readEntries(_ rows: Rows) throws {
        try rows.each(
            """
            SELECT entry_id, \(Self.day("posted_day")), \(Self.day("usage_day")), tenant, app, item, source, grant_code,
                tier, price_version, quantity, amount_micros, hash
            FROM ledger
            ORDER BY entry_id
            """
        ) { row in
            let key = BillingOracle.LedgerKey(
                postedDay: row.int(1), usageDay: row.int(2), tenant: row.text(3), app: row.optionalText(4),
                item: row.optionalText(5), source: .init(rawValue: row.text(6)) ?? .free,
                grantCode: row.optionalText(7), tier: row.optionalInt(8), priceVersion: row.optionalInt(9))
            entries.append(
                Entry(
                    id: row.int64(0), key: key,
                    net: .init(quantity: row.int64(10), amountMicros: row.int64(11)), hash: row.text(12)))
        }
    }

    private mutating func readBalances(_ rows: Rows) throws {
        try rows.each(
            """
            SELECT grant_code, item, \(Self.month("month")), coalesce(granted, -1), consumed, remaining,
                \(Self.day("effective_day")), \(Self.day("end_day")), status
            FROM grant_balance
            """
        ) { row in
            let key = BillingOracle.ConsumptionKey(
                grantCode: row.text(0), item: row.text(1), month: row.optionalInt(2))
            balances.append(
                Balance(
                    key: key, granted: row.int64(3) < 0 ? nil : row.int64(3), consumed: row.int64(4),
                    remaining: row.int64(5), life: row.int(6)..<row.int(7), isVoided: row.text(8) == "voided"))
        }
    }

    private mutating func readBills(_ rows: Rows) throws {
        try rows.each(
            """
            SELECT tenant, \(Self.day("day")), amount_micros, payable_micros, status, due_day, reference_app
            FROM bill
            """
        ) { row in
            bills.append(
                Bill(
                    key: .init(tenant: row.text(0), postedDay: row.int(1)), amountMicros: row.int64(2),
                    payableMicros: row.int64(3), isFinal: row.text(4) == "final", dueDay: row.optionalText(5),
                    referenceApp: row.optionalText(6)))
        }
        try rows.each(
            """
            SELECT tenant, \(Self.month("month")), amount_micros, payable_micros, remainder_micros
            FROM statement
            """
        ) { row in
            statements.append(
                Statement(
                    tenant: row.text(0), month: row.int(1), amountMicros: row.int64(2), payableMicros: row.int64(3),
                    remainderMicros: row.int64(4)))
        }
    }

    private struct Rows {
        let reader: ViewReader
        let database: Database

        func each(_ sql: String, _ body: (Row) -> Void) throws {
            let statement = try reader.statement(sql, database)
            while try statement.step() { body(Row(statement: statement)) }
        }
    }

    /// A row of a query. The views have neither empty texts nor zeros where they may have NULL.
    private struct Row {
        let statement: RawStatement

        func int64(_ column: Int32) -> Int64 { statement.integer(column) }
        func int(_ column: Int32) -> Int { Int(statement.integer(column)) }
        func optionalInt(_ column: Int32) -> Int? { int(column) == 0 ? nil : int(column) }
        func text(_ column: Int32) -> String { String(decoding: statement.bytes(column), as: UTF8.self) }
        func optionalText(_ column: Int32) -> String? { statement.bytes(column).isEmpty ? nil : text(column) }
    }

    /// What the entries of each key add up to.
    package var ledger: [BillingOracle.LedgerKey: BillingOracle.Net] {
        var ledger: [BillingOracle.LedgerKey: BillingOracle.Net] = [:]
        for entry in entries {
            ledger[entry.key, default: .zero].quantity += entry.net.quantity
            ledger[entry.key, default: .zero].amountMicros += entry.net.amountMicros
        }
        return ledger.filter { $0.value != .zero }
    }
}
