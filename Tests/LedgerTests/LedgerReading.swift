// Reads a real ledger through its public views into the shapes that the oracle answers with.

import GRDB
import Oracle
import Quantities
import Storage

enum LedgerReading {
    private static func day(_ text: String) -> Int { Day(text)?.number ?? Int.min }

    static func ledger(_ file: LedgerFile) throws -> [BillingOracle.LedgerKey: BillingOracle.Net] {
        try file.read { database in
            var ledger: [BillingOracle.LedgerKey: BillingOracle.Net] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM ledger") {
                let key = BillingOracle.LedgerKey(
                    postedDay: day(row["posted_day"]), usageDay: day(row["usage_day"]), tenant: row["tenant"],
                    app: row["app"], item: row["item"], source: .init(rawValue: row["source"]) ?? .free,
                    grantCode: row["grant_code"], tier: row["tier"], priceVersion: row["price_version"])
                ledger[key, default: .zero].quantity += row["quantity"] as Int64
                ledger[key, default: .zero].amountMicros += row["amount_micros"] as Int64
            }
            return ledger.filter { $0.value != .zero }
        }
    }

    static func usage(_ file: LedgerFile) throws -> [BillingOracle.UsageKey: BillingOracle.Usage] {
        try file.read { database in
            var usage: [BillingOracle.UsageKey: BillingOracle.Usage] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM usage_daily") {
                let key = BillingOracle.UsageKey(
                    app: row["app"], item: row["item"], usageDay: day(row["usage_day"]),
                    postingDay: day(row["posted_day"]))
                usage[key] = .init(quantity: row["quantity"], activeDevices: row["active_devices"])
            }
            return usage
        }
    }

    static func monthlyDevices(_ file: LedgerFile) throws -> [BillingOracle.MonthKey: Int64] {
        try devices(file, "SELECT app, item, month, devices FROM mau")
    }

    /// The unique devices of each month, counted from the evidence.
    static func countedDevices(_ file: LedgerFile) throws -> [BillingOracle.MonthKey: Int64] {
        try devices(
            file, "SELECT app, item, month, count(DISTINCT device) FROM counted_device GROUP BY app, item, month")
    }

    private static func devices(_ file: LedgerFile, _ sql: String) throws -> [BillingOracle.MonthKey: Int64] {
        try file.read { database in
            var devices: [BillingOracle.MonthKey: Int64] = [:]
            for row in try Row.fetchAll(database, sql: sql) {
                let month = Month(row[2] as String)?.number ?? Int.min
                devices[BillingOracle.MonthKey(app: row[0], item: row[1], month: month)] = row[3]
            }
            return devices
        }
    }

    /// The bills that come to something.
    static func bills(_ file: LedgerFile) throws -> [BillingOracle.BillKey: BillingOracle.Bill] {
        try file.read { database in
            var bills: [BillingOracle.BillKey: BillingOracle.Bill] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM bill WHERE amount_micros <> 0") {
                bills[.init(tenant: row["tenant"], postedDay: day(row["day"]))] = .init(
                    amountMicros: row["amount_micros"], payableMicros: row["payable_micros"])
            }
            return bills
        }
    }

    static func consumption(_ file: LedgerFile) throws -> [BillingOracle.ConsumptionKey: Int64] {
        try file.read { database in
            var consumption: [BillingOracle.ConsumptionKey: Int64] = [:]
            let rows = try Row.fetchAll(
                database, sql: "SELECT grant_code, item, month, consumed FROM grant_balance WHERE consumed <> 0")
            for row in rows {
                let month = (row["month"] as String?).map { Month($0)?.number ?? Int.min }
                consumption[.init(grantCode: row["grant_code"], item: row["item"], month: month)] = row["consumed"]
            }
            return consumption
        }
    }
}
