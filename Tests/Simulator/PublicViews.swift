// What a ledger says through its public views, and how far it has come.

import EventCodec
import Foundation
import GRDB
package import Oracle
import Quantities
package import Storage

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

    /// What the ledger's half of the file depends on.
    private struct Stamp: Equatable {
        var entries: Int64?
        var hash: Data?
        var grants: Int64
        var voids: Int64
    }

    private var stamp = Stamp(grants: 0, voids: 0)

    /// - Parameters:
    ///   - earlier: what was read before. Entries, and what follows from them, are taken over from it where the ledger
    ///     has the same head, grants and days as then.
    ///   - isUsageKnown: whether usage can't have changed since.
    package init(_ file: LedgerFile, after earlier: PublicViews? = nil, isUsageKnown: Bool = false) throws {
        try file.read { database in
            try readArrivals(database)
            if isUsageKnown, let earlier {
                (usage, months, evidence, records) =
                    (earlier.usage, earlier.months, earlier.evidence, earlier.records)
            } else {
                try readUsage(database)
            }
            if let earlier, earlier.progress == progress, earlier.stamp == stamp {
                (entries, balances, bills, statements) =
                    (earlier.entries, earlier.balances, earlier.bills, earlier.statements)
            } else {
                try readEntries(database)
                try readBalances(database)
                try readBills(database)
            }
        }
    }

    private static func day(_ text: String) -> Int { Day(text)?.number ?? Int.min }
    private static func month(_ text: String) -> Int { Month(text)?.number ?? Int.min }

    private mutating func readUsage(_ database: Database) throws {
        for row in try Row.fetchAll(
            database, sql: "SELECT app, item, usage_day, posted_day, quantity, active_devices FROM usage_daily")
        {
            let key = BillingOracle.UsageKey(
                app: row[0], item: row[1], usageDay: Self.day(row[2]), postingDay: Self.day(row[3]))
            usage[key] = .init(quantity: row[4], activeDevices: row[5])
        }
        for row in try Row.fetchAll(database, sql: "SELECT app, item, month, devices FROM mau") {
            months[.init(app: row[0], item: row[1], month: Self.month(row[2]))] = row[3]
        }
        for row in try Row.fetchAll(
            database, sql: "SELECT app, item, month, usage_day, posted_day, device FROM counted_device")
        {
            let device: String = row[5]
            let key = BillingOracle.EvidenceKey(
                app: row[0], item: row[1], month: Self.month(row[2]), usageDay: Self.day(row[3]),
                postingDay: Self.day(row[4]), device: device.hasPrefix("erased:") ? nil : Array(device.utf8))
            evidence[key, default: 0] += 1
        }
        for row in try Row.fetchAll(
            database, sql: "SELECT arrival_day, source, id, app, item, time, quantity FROM usage_event")
        {
            let key = BillingOracle.RecordKey(
                arrivalDay: Self.day(row[0]), source: Array((row[1] as String).utf8),
                id: Array((row[2] as String).utf8), app: row[3], item: row[4],
                timeMicros: RFC3339.parse(row[5] as String) ?? .min, quantity: row[6])
            records[key, default: 0] += 1
        }
    }

    private mutating func readArrivals(_ database: Database) throws {
        for row in try Row.fetchAll(database, sql: "SELECT event, code FROM quarantine ORDER BY quarantine_id") {
            quarantine.append("\(row[1] as String): \(String(decoding: row[0] as Data, as: UTF8.self))")
        }
        for row in try Row.fetchAll(database, sql: "SELECT arrival_day, outcome, code, events FROM outcome_counter") {
            let (day, word, code): (Int, String, String) = (row[0], row[1], row[2])
            if word == "received" {
                received[day] = row[3]
                continue
            }
            let outcome: BillingOracle.EventOutcome? =
                switch word {
                case "accepted": .accepted
                case "correction": .correction
                case "duplicate": .duplicate
                default: BillingOracle.Refusal(rawValue: code).map { .refused($0) }
                }
            if let outcome { tally[.init(arrivalDay: day, outcome: outcome)] = row[3] }
        }
        guard
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT
                        settled_through, closed_through, rated_through,
                        (SELECT count(*) FROM price_book_version), (SELECT count(*) FROM app),
                        (SELECT max(entry_id) FROM ledger_entry),
                        (SELECT hash FROM ledger_entry ORDER BY entry_id DESC LIMIT 1),
                        (SELECT count(*) FROM "grant"), (SELECT count(voided_at) FROM "grant")
                    FROM ledger_state
                    """)
        else { return }
        progress = Progress(settledThrough: row[0], closedThrough: row[1], ratedThrough: row[2])
        (priceBooks, apps) = (row[3], row[4])
        stamp = Stamp(entries: row[5], hash: row[6], grants: row[7], voids: row[8])
    }

    private mutating func readEntries(_ database: Database) throws {
        for row in try Row.fetchAll(
            database,
            sql: """
                SELECT entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, price_version,
                    quantity, amount_micros, hash
                FROM ledger
                ORDER BY entry_id
                """)
        {
            let key = BillingOracle.LedgerKey(
                postedDay: Self.day(row[1]), usageDay: Self.day(row[2]), tenant: row[3], app: row[4], item: row[5],
                source: .init(rawValue: row[6] as String) ?? .free, grantCode: row[7], tier: row[8],
                priceVersion: row[9])
            entries.append(
                Entry(id: row[0], key: key, net: .init(quantity: row[10], amountMicros: row[11]), hash: row[12]))
        }
    }

    private mutating func readBalances(_ database: Database) throws {
        for row in try Row.fetchAll(
            database,
            sql: """
                SELECT grant_code, item, month, granted, consumed, remaining, effective_day, end_day, status
                FROM grant_balance
                """)
        {
            let key = BillingOracle.ConsumptionKey(
                grantCode: row[0], item: row[1] ?? "", month: (row[2] as String?).map { Self.month($0) })
            balances.append(
                Balance(
                    key: key, granted: row[3], consumed: row[4] ?? 0, remaining: row[5] ?? 0,
                    life: Self.day(row[6])..<Self.day(row[7]), isVoided: row[8] == "voided"))
        }
    }

    private mutating func readBills(_ database: Database) throws {
        for row in try Row.fetchAll(
            database,
            sql: "SELECT tenant, day, amount_micros, payable_micros, status, due_day, reference_app FROM bill")
        {
            bills.append(
                Bill(
                    key: .init(tenant: row[0], postedDay: Self.day(row[1])), amountMicros: row[2],
                    payableMicros: row[3], isFinal: row[4] == "final", dueDay: row[5], referenceApp: row[6]))
        }
        for row in try Row.fetchAll(
            database,
            sql: "SELECT tenant, month, amount_micros, payable_micros, remainder_micros FROM statement")
        {
            statements.append(
                Statement(
                    tenant: row[0], month: Self.month(row[1]), amountMicros: row[2], payableMicros: row[3],
                    remainderMicros: row[4]))
        }
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
