// The properties of a ledger: chosen when it is made, never changed.

package import Foundation
package import GRDB
package import Quantities

/// Time zone, clock, finality, currency (Billing rules, sections 1, 4 and 10).
package struct LedgerProperties: Sendable {
    package let timeZone: TimeZone
    package let hasTestClock: Bool
    package let finality: FinalityRule
    package let currency: Currency
    /// 16 bytes.
    package let fingerprintKey: [UInt8]

    /// - Throws: ``LedgerError/unknownTimeZone(_:)``.
    package static func timeZone(named name: String) throws(LedgerError) -> TimeZone {
        // Foundation also knows abbreviations (PST) and offsets (GMT+8), which are no zones.
        guard let zone = TimeZone(identifier: name), name.contains("/") || namesWithoutRegion.contains(name) else {
            throw .unknownTimeZone(name)
        }
        return zone
    }

    private static let namesWithoutRegion: Set<String> = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GMT", "HST", "Hongkong", "Iceland",
        "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST", "MST7MDT", "NZ", "Navajo", "PRC",
        "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET",
        "Zulu",
    ]

    package static let paymentTermDays = 15

    package static func read(_ database: Database) throws -> LedgerProperties {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM ledger_property"),
            let currency = Currency(recordedCode: row["currency"])
        else { preconditionFailure("a ledger without properties") }
        return LedgerProperties(
            timeZone: try timeZone(named: row["time_zone"]), hasTestClock: row["test_clock"],
            finality: FinalityRule(row), currency: currency, fingerprintKey: [UInt8](row["fingerprint_key"] as Data))
    }

    package static func finality(_ database: Database) throws -> FinalityRule {
        let row = try Row.fetchOne(database, sql: "SELECT final_after_days, max_age_days FROM ledger_property")
        guard let row else { preconditionFailure("a ledger without properties") }
        return FinalityRule(row)
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
        // A test clock begins with what it is told first, which may be any instant.
        try database.execute(
            sql: "INSERT INTO ledger_state (id, latest_instant, change_count, rated_change_count) VALUES (1, ?, 0, 0)",
            arguments: [hasTestClock ? nil : now.micros])
    }
}

extension FinalityRule {
    fileprivate init(_ row: Row) {
        self.init(finalAfterDays: row["final_after_days"], maxAgeDays: row["max_age_days"])
    }
}
