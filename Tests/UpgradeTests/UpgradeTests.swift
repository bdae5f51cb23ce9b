// Ledgers of every earlier schema: brought up, and restored from a backup of that time.

import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Migrations
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Verification

@Suite("A ledger of an earlier schema", .computing)
struct UpgradeTests {
    /// How many steps of the schema a ledger may have had.
    static let earlier = 1..<Migrations.all.count

    private let folder: ScratchFolder
    private let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("meterd.db")
    }

    private static let noon = "2027-01-10T12:30:00Z"

    /// Tenants, apps, a grant and the entry of its price are in all of them, usage in those that have tables for it.
    private func create(at path: String, _ steps: [Migration]) throws {
        let file = try EarlierLedger.create(at: path, steps: steps) { database in
            for (tenant, app) in [("acme", "shop"), ("zeta", "game")] {
                _ = try Accounts.addTenant(LedgerFixture.code(tenant), name: tenant, isLegacy: false, database)
                _ = try Accounts.addApp(
                    LedgerFixture.code(app), tenant: LedgerFixture.code(tenant), name: app, database)
            }
            let clock = LedgerClock(given: try LedgerFixture.instant(Self.noon))
            let order = GrantOrder(
                code: LedgerFixture.code("calls"), tenant: LedgerFixture.code("acme"),
                terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(50)),
                purchasedAt: try LedgerFixture.instant("2027-01-08T12:00:00Z"), price: Money(micros: 5_000_000))
            let moment = try Moment(clock, LedgerProperties.read(database), database)
            #expect(try Grants.record(order, at: moment, database) == .recorded)
        }
        guard steps.count > 1 else { return }
        try ingest(
            [EventLine.calls(7, id: "1"), EventLine.device("phone"), EventLine.device("phone", app: "game")], file)
    }

    private func ingest(_ events: [EventLine], _ file: LedgerFile) throws {
        let ledger = try OpenLedger(file: file)
        let clock = LedgerClock(given: try LedgerFixture.instant(Self.noon))
        for event in events {
            let batch = EventBatch(key: ledger.eventKey)
            var text = event.text
            let report = try text.withUTF8 { text in
                batch.add(line: text)
                return try ledger.ingest(batch, clock: clock)
            }
            #expect(report.accepted == 1)
        }
    }

    /// Every row of every table that a schema has, but for its own list of steps.
    private func rows(at path: String, _ steps: [Migration]) throws -> [String: [String]] {
        try LedgerFile.openForReading(at: path, migrations: steps).read { database in
            let tables = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_migration'")
            return try Dictionary(
                uniqueKeysWithValues: tables.map {
                    ($0, try LedgerFixture.rows(database, "SELECT * FROM \"\($0)\"").sorted())
                })
        }
    }

    /// Takes events and rates: the schema is what the program takes it for.
    private func work(_ path: String) throws {
        try ingest([EventLine.calls(90_000, id: "2"), EventLine.device("tablet")], LedgerFile.openForWriting(at: path))
        let ledger = try OpenLedger(file: LedgerFile.openForWriting(at: path))
        let clock = LedgerClock(given: try LedgerFixture.instant("2027-01-10T13:00:00Z"))
        _ = try ledger.rate(try #require(Day("2027-01-10")), clock: clock)
        let mark = try ledger.file.read { try LedgerMark.read($0) }
        #expect(mark.entryID >= 4)
        let drawn = "SELECT sum(quantity) FROM ledger WHERE source = 'resource_package'"
        #expect(try ledger.file.read { try LedgerFixture.rows($0, drawn) } == ["50"])
    }

    private func expectSound(_ path: String) throws {
        let report = try Verification(file: LedgerFile.openForReading(at: path)).run { _ in }
        #expect(report.findings == [])
        #expect(report.checks.count == Verification.checkNames.count)
    }

    @Test("is brought up by the first command that writes, with all it had; as it was it is kept", arguments: earlier)
    func broughtUp(steps: Int) throws {
        let known = Array(Migrations.all.prefix(steps))
        try create(at: path, known)
        let before = try rows(at: path, known)
        #expect(before["tenant"]?.count == 2)

        var kept: [String] = []
        let file = try LedgerFile.openForWriting(at: path, onUpgrade: { kept.append($0) })
        try file.close()
        #expect(kept == ["\(path).before-\(Migrations.all[steps].name)"])
        #expect(try rows(at: kept[0], known) == before)
        let after = try rows(at: path, Migrations.all)
        for (table, rows) in before { #expect(after[table] == rows, "table \(table)") }
        try expectSound(path)
        try work(path)
        try expectSound(path)
        // The schema is no other than that of a ledger which was made today.
        let today = folder.path("today.db")
        try create(at: today, Migrations.all)
        #expect(try schema(path) == schema(today))
    }

    private func schema(_ path: String) throws -> [String] {
        try LedgerFile.openForReading(at: path).read {
            try LedgerFixture.rows($0, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
        }
    }

    @Test("is brought up when it is restored, with all it had; the backup stays as it is", arguments: earlier)
    func restored(steps: Int) throws {
        let known = Array(Migrations.all.prefix(steps))
        let backup = folder.path("backup.db")
        try create(at: backup, known)
        let before = try rows(at: backup, known)
        var proven = 0
        try LedgerFile.restore(backup, as: path) { file in
            proven += 1
            let report = try Verification(file: file).run { _ in }
            #expect(report.findings == [])
        }
        #expect(proven == 1)
        #expect(try rows(at: backup, known) == before)
        let after = try rows(at: path, Migrations.all)
        for (table, rows) in before { #expect(after[table] == rows, "table \(table)") }
        try work(path)
        try expectSound(path)
    }
}
