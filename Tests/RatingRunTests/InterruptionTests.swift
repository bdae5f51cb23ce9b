// A rating run that dies between two tenants' days is finished by the next one, whatever day that one is asked for.

import GRDB
import LedgerFixture
import Operations
import Quantities
import Storage
import TestSupport
import Testing

@Suite("A rating run that was interrupted (Billing rules, section 6)", .computing)
struct InterruptionTests {
    private static let entries = """
        SELECT posted_day, usage_day, tenant, app, item, source, quantity, amount_micros
        FROM ledger
        ORDER BY 1, 2, 3, 4, 5
        """

    /// Two tenants with calls on two days that are still open.
    private func ledger() throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-11T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.addTenant("zeta", apps: ["game"])
        for app in ["shop", "game"] {
            for day in ["10", "11"] {
                let event = EventLine.calls(100, id: "\(app)-\(day)", at: "2027-01-\(day)T10:00:00Z", app: app)
                _ = try fixture.ingest(event.text)
            }
        }
        return fixture
    }

    private func day(_ text: String) throws -> Day { try #require(Day(text)) }

    @Test(
        "leaves the ledger that the next run completes",
        arguments: ["2027-01-10", "2027-01-11"], ["acme", "zeta"])
    func isFinished(nextDay: String, failingTenant: String) throws {
        let uninterrupted = try ledger()
        _ = try uninterrupted.ledger.rate(day("2027-01-11"), clock: uninterrupted.clock)

        let interrupted = try ledger()
        try interrupted.ledger.file.write { database in
            // The run dies at the second day of one tenant.
            try database.execute(
                sql: """
                    CREATE TRIGGER dies BEFORE INSERT ON ledger_entry
                    WHEN NEW.posted_day = \(day("2027-01-11").number)
                        AND NEW.tenant_id = (SELECT tenant_id FROM tenant WHERE code = '\(failingTenant)')
                    BEGIN
                        SELECT raise(ABORT, 'died');
                    END
                    """)
        }
        #expect(throws: (any Error).self) {
            try interrupted.ledger.rate(day("2027-01-11"), clock: interrupted.clock)
        }
        try interrupted.ledger.file.write { try $0.execute(sql: "DROP TRIGGER dies") }
        try interrupted.reopen()

        _ = try interrupted.ledger.rate(day(nextDay), clock: interrupted.clock)
        #expect(try interrupted.rows(Self.entries) == uninterrupted.rows(Self.entries))
        #expect(try interrupted.rows(Self.entries).count == 4)
    }
}
