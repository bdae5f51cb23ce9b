// The database itself keeps the ledger append-only, whoever writes.

import Foundation
import GRDB
import LedgerFixture
import TestSupport
import Testing

@Suite("The ledger's guards (Billing rules, section 8)", .computing)
struct LedgerGuardTests {
    /// A ledger with two entries, and a tenant's id for a third.
    private func ledger() throws -> LedgerFixture {
        let ledger = try LedgerFixture()
        try ledger.addTenant("acme", apps: ["shop"])
        for id in 1...2 { try ledger.execute(Self.insert(id: "\(id)")) }
        return ledger
    }

    private static func insert(_ verb: String = "INSERT", id: String) -> String {
        """
        \(verb) INTO ledger_entry (
            entry_id, posted_day, usage_day, tenant_id, source, quantity, amount_micros, created_at, hash)
        VALUES (\(id), 20828, 20828, 1, 'adjustment', 0, 5, '2027-01-10T12:00:00Z', zeroblob(32))
        """
    }

    @Test(
        "Entries are not changed, deleted, replaced or put out of order",
        arguments: [
            "UPDATE ledger_entry SET amount_micros = 6 WHERE entry_id = 1",
            "UPDATE ledger_entry SET amount_micros = amount_micros",
            "UPDATE OR REPLACE ledger_entry SET entry_id = 2 WHERE entry_id = 1",
            "UPDATE OR IGNORE ledger_entry SET amount_micros = 6",
            "DELETE FROM ledger_entry WHERE entry_id = 2",
            "DELETE FROM ledger_entry",
            insert("INSERT OR REPLACE", id: "1"),
            insert("INSERT OR REPLACE", id: "2"),
            insert("REPLACE", id: "2"),
            insert("INSERT OR IGNORE", id: "2"),
            insert(id: "2") + " ON CONFLICT (entry_id) DO UPDATE SET amount_micros = 6",
            insert(id: "4"), insert(id: "0"), insert(id: "-1"),
        ])
    func guards(change: String) throws {
        let ledger = try ledger()
        let before = try ledger.rows("SELECT * FROM ledger_entry")
        let error = #expect(throws: DatabaseError.self) { try ledger.execute(change) }
        #expect(error?.message == "the ledger is append-only")
        #expect(try ledger.rows("SELECT * FROM ledger_entry") == before)
    }

    @Test("The next entry is taken, numbered or not")
    func successor() throws {
        let ledger = try ledger()
        try ledger.execute(Self.insert(id: "3"))
        #expect(try ledger.rows("SELECT max(entry_id) FROM ledger_entry") == ["3"])
    }

    @Test(
        "What an entry may say is checked",
        arguments: [
            ("posted_day", "20827"), ("tenant_id", "9"), ("source", "'gift'"), ("quantity", "1"),
            ("hash", "zeroblob(31)"),
            ("amount_micros", "5.5"), ("created_at", "NULL"),
        ])
    func constraints(column: String, value: String) throws {
        let ledger = try ledger()
        let columns = [
            "entry_id", "posted_day", "usage_day", "tenant_id", "source", "quantity", "amount_micros", "created_at",
            "hash",
        ]
        var values = ["3", "20828", "20828", "1", "'adjustment'", "0", "5", "'2027-01-10T12:00:00Z'", "zeroblob(32)"]
        let index = try #require(columns.firstIndex(of: column))
        values[index] = value
        let change =
            "INSERT INTO ledger_entry (\(columns.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")))"
        #expect(throws: DatabaseError.self) { try ledger.execute(change) }
    }

    @Test("The properties of a ledger never change, and there is one row of them")
    func properties() throws {
        let ledger = try ledger()
        for change in [
            "UPDATE ledger_property SET time_zone = 'UTC'", "DELETE FROM ledger_property",
            "INSERT INTO ledger_property SELECT 2, time_zone, test_clock, final_after_days, max_age_days, currency, "
                + "minor_unit_micros, payment_term_days, fingerprint_key, created_at FROM ledger_property",
        ] {
            #expect(throws: DatabaseError.self, "\(change)") { try ledger.execute(change) }
        }
    }
}
