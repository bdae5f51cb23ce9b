// The properties of a ledger: chosen when it is made, never changed.

package import Foundation
package import GRDB
package import Quantities

/// Time zone, clock, finality, currency (Billing rules, sections 1, 4 and 10).
package struct LedgerProperties: Sendable {
    package let timeZone: TimeZone
    /// Its name as it was given at `init`: Foundation calls UTC GMT.
    package let timeZoneName: String
    package let hasTestClock: Bool
    package let finality: FinalityRule
    package let currency: Currency
    /// 16 bytes.
    package let fingerprintKey: [UInt8]

    /// - Throws: ``LedgerError/unknownTimeZone(_:)``.
    package static func timeZone(named name: String) throws(LedgerError) -> TimeZone {
        guard let zone = TimeZone(identifier: name), name == "UTC" || name.contains("/") else {
            throw .unknownTimeZone(name)
        }
        return zone
    }

    package static let paymentTermDays = 15

    package static func read(_ database: Database) throws -> LedgerProperties {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM ledger_property"),
            let currency = Currency(code: row["currency"])
        else { preconditionFailure("a ledger without properties") }
        return LedgerProperties(
            timeZone: try timeZone(named: row["time_zone"]), timeZoneName: row["time_zone"],
            hasTestClock: row["test_clock"],
            finality: FinalityRule(finalAfterDays: row["final_after_days"], maxAgeDays: row["max_age_days"]),
            currency: currency, fingerprintKey: [UInt8](row["fingerprint_key"] as Data))
    }

    /// Writes the properties and the empty state of a new ledger.
    package static func create(
        _ database: Database, timeZone: String, hasTestClock: Bool, finality: FinalityRule, currency: Currency,
        at now: Instant
    ) throws {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try database.execute(
            sql: """
                INSERT INTO ledger_property (
                    id, time_zone, test_clock, final_after_days, max_age_days, currency, minor_unit_micros,
                    payment_term_days, fingerprint_key, created_at)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                timeZone, hasTestClock, finality.finalAfterDays, finality.maxAgeDays, currency.code,
                currency.minorUnitMicros, paymentTermDays, Data(key), now.micros,
            ])
        try database.execute(
            sql: "INSERT INTO ledger_state (id, change_count, rated_change_count) VALUES (1, 0, 0)")
    }
}
