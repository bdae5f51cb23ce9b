// Each rule of the schema that rows must keep to, broken once: bounds, references, types, indexes.

import GRDB
import Migrations
import Storage
import TestSupport
import Testing
import Verification

@Suite("A row that the schema would refuse", .computing)
struct SchemaRuleTests {
    /// A table, one of its constraints, and what breaks it.
    struct Bound: Sendable, CustomTestStringConvertible {
        let table: String
        let name: String
        let sql: String

        init(_ table: String, _ name: String, _ sql: String) {
            (self.table, self.name, self.sql) = (table, name, sql)
        }

        var testDescription: String { "\(table): \(name)" }
    }

    private static let bounds = [
        Bound("ledger_property", "one_row", "UPDATE ledger_property SET id = 2"),
        Bound("ledger_property", "test_clock_flag", "UPDATE ledger_property SET test_clock = 2"),
        Bound("ledger_property", "final_after_days_range", "UPDATE ledger_property SET final_after_days = 32"),
        Bound("ledger_property", "max_age_days_range", "UPDATE ledger_property SET max_age_days = -1"),
        Bound("ledger_property", "currency_code", "UPDATE ledger_property SET currency = 'USDX'"),
        Bound("ledger_property", "fingerprint_key_length", "UPDATE ledger_property SET fingerprint_key = x'00'"),
        Bound("ledger_state", "one_row", "UPDATE ledger_state SET id = 2"),
        Bound("ledger_state", "settled_is_closed", "UPDATE ledger_state SET closed_through = settled_through - 1"),
        Bound("tenant", "legacy_flag", "UPDATE tenant SET legacy = 2"),
        Bound("item", "aggregation_kind", "UPDATE item SET aggregation = 'mean' WHERE item_id = 1"),
        Bound("grant", "offer_code", "UPDATE \"grant\" SET offer = 'gift'"),
        Bound("grant", "term_kind", "UPDATE \"grant\" SET term = 'week'"),
        Bound("grant", "price_is_paid", "UPDATE \"grant\" SET price_micros = -1 WHERE code = 'R'"),
        Bound("grant", "void_is_whole", "UPDATE \"grant\" SET voided_at = 1802232000000000 WHERE code = 'R'"),
        Bound("grant", "life_is_not_empty", "UPDATE \"grant\" SET end_day = effective_day"),
        Bound("grant_item", "granted_is_positive", "UPDATE grant_item SET granted = 0 WHERE grant_id = 2"),
        Bound("ledger_entry", "source_kind", "UPDATE ledger_entry SET source = 'gift' WHERE entry_id = 2"),
        Bound(
            "ledger_entry", "reason_is_one_line", "UPDATE ledger_entry SET reason = 'a' || char(10) WHERE entry_id = 2"),
        Bound("ledger_entry", "hash_length", "UPDATE ledger_entry SET hash = x'00' WHERE entry_id = 2"),
        Bound("ledger_entry", "usage_precedes_posting", "UPDATE ledger_entry SET usage_day = posted_day + 1"),
        Bound(
            "ledger_entry", "only_usage_has_quantity", "UPDATE ledger_entry SET quantity = 1 WHERE source = 'purchase'"),
        Bound(
            "ledger_entry", "only_prices_have_amounts",
            "UPDATE ledger_entry SET amount_micros = 1 WHERE source = 'free'"),
        Bound(
            "outcome_counter", "outcome_kind", "UPDATE outcome_counter SET outcome = 'lost' WHERE outcome = 'refused'"),
        Bound("device", "name_or_fingerprint", "UPDATE device SET name = NULL"),
        Bound("new_device", "name_or_fingerprint", "INSERT INTO new_device VALUES (1, 2 << 32 | 999, NULL, NULL)"),
        Bound("touch", "counts_sign", "UPDATE touch SET counts = 2 WHERE counts = 1"),
        Bound("seal_progress", "one_row", "UPDATE seal_progress SET id = 2"),
        Bound("usage_counter", "quantity_is_not_negative", "UPDATE usage_counter SET quantity = -1 WHERE app_id = 3"),
        Bound(
            "usage_counter", "active_devices_is_not_negative",
            "UPDATE usage_counter SET active_devices = -1 WHERE app_id = 3"),
    ]

    @Test("is told with the constraint that it breaks", arguments: bounds)
    func bound(bound: Bound) throws {
        let findings = try Mutant("", bound.sql, []).report().findings
        #expect(Set(findings.map(\.check)) == ["file"])
        #expect(
            findings.contains {
                $0.sentence.hasPrefix("table \(bound.table): ") && $0.sentence.hasSuffix(" against '\(bound.name)'")
            }, "\(findings)")
    }

    @Test("is tried for each constraint that there is")
    func allBounds() throws {
        let named = /CONSTRAINT (\w+)\s+CHECK/
        let inSchema = Migrations.all.flatMap { $0.sql.matches(of: named).map { String($0.1) } }
        #expect(Self.bounds.map(\.name).sorted() == inSchema.sorted())
    }

    // MARK: References

    /// Each column that refers to another table.
    private static func references() throws -> [(table: String, column: String)] {
        let ledger = try RichLedger.make()
        return try LedgerFile.openForReading(at: ledger.path).read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT object.name AS "table", reference."from" AS "column"
                    FROM sqlite_schema AS object, pragma_foreign_key_list(object.name) AS reference
                    WHERE object.type = 'table'
                    """
            ).map { ($0["table"], $0["column"]) }
        }
    }

    @Test("is told when it refers to nothing, whatever column does")
    func reference() throws {
        let references = try Self.references()
        #expect(references.count == 16)
        for (table, column) in references {
            let sql = """
                UPDATE "\(table)" SET "\(column)" = 999
                WHERE "\(column)" = (SELECT min("\(column)") FROM "\(table)")
                """
            let findings = try Mutant("\(table).\(column)", sql, []).report().findings
            #expect(findings.map(\.check) == ["file"])
            let sentence = findings.first?.sentence ?? "nothing"
            #expect(sentence.hasPrefix("table \(table): "), "\(sentence)")
            #expect(sentence.contains(" whose \(column) is none of table "), "\(sentence)")
        }
    }

    // MARK: Types and indexes

    /// Changes rows under another schema, which is put back afterwards: so SQLite lets in what it would refuse.
    private static func report(under change: String, _ sql: String) throws -> VerificationReport {
        let ledger = try RichLedger.make()
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        // A connection each, since each reads the schema once.
        func write(_ statements: (Database) throws -> Void) throws {
            let queue = try DatabaseQueue(path: ledger.path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON")
                try statements(database)
            }
            try queue.close()
        }
        var kept: [Row] = []
        try write { database in
            kept = try Row.fetchAll(
                database, sql: "SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_schema")
            try database.execute(sql: change)
        }
        try write { try $0.execute(sql: sql) }
        try write { database in
            try database.execute(sql: "DELETE FROM sqlite_schema")
            for row in kept {
                try database.execute(
                    sql: """
                        INSERT INTO sqlite_schema (rowid, type, name, tbl_name, rootpage, sql)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """, arguments: StatementArguments(row.databaseValues))
            }
        }
        return try ledger.verify()
    }

    private static let unlike = [
        (
            "a text where a number belongs",
            "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'tenant'",
            "UPDATE tenant SET legacy = 'no' WHERE tenant_id = 1", "tenant.legacy"
        ),
        (
            "nothing where something belongs",
            "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'tenant'",
            "UPDATE tenant SET name = NULL WHERE tenant_id = 1", "NULL value in tenant.name"
        ),
        (
            "a row that an index does not have",
            "DELETE FROM sqlite_schema WHERE name = 'usage_counter_by_app'",
            "INSERT INTO usage_counter VALUES (1, 1, 1, 1, 0, 0)", "missing from index usage_counter_by_app"
        ),
        (
            "an index that has one row more than its table", "DELETE FROM sqlite_schema WHERE name = 'app_by_tenant'",
            "DELETE FROM app WHERE app_id = 1", "wrong # of entries in index app_by_tenant"
        ),
    ]

    @Test("is told by SQLite's own check", arguments: unlike.indices)
    func unlikeItsTable(index: Int) throws {
        let (what, change, sql, words) = Self.unlike[index]
        let report = try Self.report(under: change, sql)
        #expect(report.checks.map(\.name) == ["file"], "\(what)")
        #expect(report.findings.contains { $0.sentence.contains(words) }, "\(what): \(report.findings)")
    }
}
