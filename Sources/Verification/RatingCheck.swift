// Whether rating everything anew, from the first day on, gives the ledger as it stands: prices and rounding included.

import Accounting
import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static var rating: Check {
        Check(name: "rating") { slices, findings in
            // A grant or a price book that comes meanwhile changes no settled day, but may change the days behind.
            for _ in 1..<3 {
                if let compared = try compareAll(slices, isLastTry: false, &findings) { return compared }
            }
            return try compareAll(slices, isLastTry: true, &findings) ?? "not finished"
        }
    }

    /// - Parameter isLastTry: whether days that are not settled are left out if they can't be compared.
    /// - Returns: nil when something has come that the days behind the settled ones may have to be rated by.
    private static func compareAll(
        _ slices: Slices, isLastTry: Bool, _ findings: inout Findings
    ) throws -> String? {
        var ledger = try slices.read { try RatedAnew($0) }
        var found = findings
        if let settled = ledger.span.settledThrough {
            try slices.readUntil { database in
                try ledger.compare(through: settled, atMost: slices.bounds.rowsPerSlice, database, &found)
            }
        }
        let span = try slices.read { database -> RatedSpan? in
            let span = try RatedSpan(database)
            guard try ledger.isCurrent(database) else { return nil }
            // These may still change, so all of them are read at once; there are no more than are not final.
            if let through = span.comparableThrough {
                _ = try ledger.compare(through: through, atMost: .max, database, &found)
            }
            return span
        }
        guard span != nil || isLastTry else { return nil }
        findings = found
        let description = (span ?? ledger.span.settledOnly).description
        guard (span ?? ledger.span).comparableThrough != nil else { return description }
        return "\(counted(ledger.days, "day")) of \(counted(ledger.tenantCount, "tenant")) \(description)"
    }
}

/// All tenants rated again, posting day by posting day, without any sum carried along.
private struct RatedAnew {
    let span: RatedSpan
    private let inputs: Inputs
    private let names: Names
    private let owners: [AppID: TenantID]
    private var tenants: [TenantID: TenantAnew] = [:]
    private let forfeitDays: [Day]
    private var last = Day(Int.min / 2)
    /// How many days of tenants were compared.
    private(set) var days = 0

    var tenantCount: Int { tenants.count }

    /// How far everything had come that rating works by, besides usage.
    private struct Inputs: Equatable {
        let tenants: Int64?
        let apps: Int64?
        let versions: Int64?
        let grants: Int64?
        let voided: Int64?

        init(_ database: Database) throws {
            func number(_ sql: String) throws -> Int64? { try Int64.fetchOne(database, sql: sql) }
            tenants = try number("SELECT max(tenant_id) FROM tenant")
            apps = try number("SELECT max(app_id) FROM app")
            versions = try number("SELECT max(version) FROM price_book_version")
            grants = try number("SELECT max(grant_id) FROM \"grant\"")
            voided = try number("SELECT count(*) FROM \"grant\" WHERE voided_at IS NOT NULL")
        }
    }

    init(_ database: Database) throws {
        span = try RatedSpan(database)
        inputs = try Inputs(database)
        names = try Names(database)
        owners = try Accounts.owners(database)
        let history = try PriceBooks.history(database)
        let finality = try LedgerProperties.read(database).finality
        let grants = Dictionary(grouping: try Grants.all(database), by: \.tenant)
        for tenant in try Accounts.tenants(database).values {
            tenants[tenant.id] = try TenantAnew(tenant.code, grants[tenant.id] ?? [], history, finality)
        }
        forfeitDays = Set(tenants.values.flatMap(\.forfeitDays)).sorted()
    }

    func isCurrent(_ database: Database) throws -> Bool { try Inputs(database) == inputs }

    /// Compares the next days.
    ///
    /// - Parameter bound: how many rows are read before it ends, unless one day has more.
    /// - Returns: whether no day through that one is left.
    mutating func compare(
        through: Day, atMost bound: Int, _ database: Database, _ findings: inout Findings
    ) throws -> Bool {
        var rows = 0
        while rows < bound {
            guard let day = try nextDay(database), day <= through else { return true }
            rows += try compare(day, database, &findings)
            last = day
        }
        return false
    }

    private func nextDay(_ database: Database) throws -> Day? {
        let posting = try Check.nextPostingDay(after: Int64(last.number), database).map(day)
        return [posting, forfeitDays.first { $0 > last }].compactMap { $0 }.min()
    }

    /// - Returns: how many rows were read.
    private mutating func compare(_ day: Day, _ database: Database, _ findings: inout Findings) throws -> Int {
        let (quantities, counters) = try quantities(postedOn: day, database)
        let (booked, entries) = try bookedLines(postedOn: day, database)
        let busy = Set(quantities.keys).union(booked.keys).union(
            tenants.filter { $0.value.forfeitDays.contains(day) }.keys)
        for tenant in busy.sorted(by: { $0.number < $1.number }) {
            days += 1
            try tenants[tenant]?.compare(day, quantities[tenant] ?? [], booked[tenant] ?? [:], &findings)
        }
        return counters + entries
    }

    private func quantities(
        postedOn postingDay: Day, _ database: Database
    ) throws -> (quantities: [TenantID: [UsageQuantity]], rows: Int) {
        let statement = try RawStatement(
            database,
            """
            SELECT app_id, item_id, usage_day, quantity
            FROM usage_counter
            WHERE posting_day = ?1 AND quantity > 0
            """)
        statement.bind(1, postingDay.number)
        var (quantities, rows): ([TenantID: [UsageQuantity]], Int) = ([:], 0)
        while try statement.step() {
            rows += 1
            guard let owner = owners[AppID(statement.integer(0))] else { continue }
            quantities[owner, default: []].append(
                UsageQuantity(
                    app: try names.app(statement.integer(0)), item: try names.item(statement.integer(1)),
                    usageDay: day(statement.integer(2)), quantity: Quantity(statement.integer(3))))
        }
        return (quantities, rows)
    }

    /// The lines that the entries of a day add up to, of every tenant that has entries.
    private func bookedLines(
        postedOn postingDay: Day, _ database: Database
    ) throws -> (lines: [TenantID: [LineKey: Booked]], rows: Int) {
        let statement = try RawStatement(
            database,
            """
            SELECT
                tenant_id, usage_day, app_id, item_id, source, grant_id, tier, price_version, quantity, amount_micros
            FROM ledger_entry
            WHERE posted_day = ?1
            """)
        statement.bind(1, postingDay.number)
        var (lines, rows): ([TenantID: [LineKey: Booked]], Int) = ([:], 0)
        while try statement.step() {
            rows += 1
            let tenant = TenantID(statement.integer(0))
            guard let source = Source(bytes: statement.bytes(4)), source.isUsage || source == .forfeit else {
                lines[tenant] = lines[tenant] ?? [:]
                continue
            }
            // Ids, tiers and versions begin at 1, so a NULL column reads as 0.
            let key = LineKey(
                usageDay: day(statement.integer(1)),
                app: statement.integer(2) == 0 ? nil : try names.app(statement.integer(2)),
                item: try names.item(statement.integer(3)), source: source,
                grant: statement.integer(5) == 0 ? nil : try names.grant(statement.integer(5)),
                tier: statement.integer(6) == 0 ? nil : Int(statement.integer(6)),
                priceVersion: statement.integer(7) == 0 ? nil : Int(statement.integer(7)))
            try lines[tenant, default: [:]][key, default: .nothing].add(statement.integer(8), statement.integer(9))
        }
        return (lines, rows)
    }
}

extension Booked {
    fileprivate mutating func add(_ units: Int64, _ micros: Int64) throws {
        quantity = try quantity + Quantity(units)
        amount = try amount + Money(micros: micros)
    }
}

/// One tenant rated again.
private struct TenantAnew {
    let forfeitDays: Set<Day>
    private let tenant: Code
    private var rater: TenantRater

    init(
        _ tenant: Code, _ grants: [RecordedGrant], _ history: PriceBookHistory, _ finality: FinalityRule
    ) throws {
        self.tenant = tenant
        forfeitDays = Set(grants.compactMap(\.grant.forfeitDay))
        rater = try TenantRater(history: history, grants: grants.map(\.grant), totals: [], finality: finality)
    }

    mutating func compare(
        _ day: Day, _ quantities: [UsageQuantity], _ booked: [LineKey: Booked], _ findings: inout Findings
    ) throws {
        let truth = try rater.rate(postingDay: day, quantities: quantities)
        for difference in try Differences.entries(tenant: tenant, postedDay: day, truth: truth, booked: booked) {
            try add(difference, booked, &findings)
        }
    }

    private func add(
        _ difference: EntryDraft, _ booked: [LineKey: Booked], _ findings: inout Findings
    ) throws {
        guard let item = difference.item else { return }
        let key = LineKey(
            usageDay: difference.usageDay, app: difference.app, item: item, source: difference.source,
            grant: difference.grant, tier: difference.tier, priceVersion: difference.priceVersion)
        let held = booked[key] ?? .nothing
        let quantity = try held.quantity + difference.quantity
        let amount = try held.amount + difference.amount
        var label = "tenant \(tenant), posting day \(difference.postedDay), usage day \(key.usageDay)"
        if let app = key.app { label += ", app \(app)" }
        label += ", item \(key.item), \(key.source.rawValue)"
        if let grant = key.grant { label += ", grant \(grant)" }
        if let tier = key.tier { label += ", tier \(tier)" }
        if let version = key.priceVersion { label += ", price version \(version)" }
        findings.add(
            "\(label): the ledger holds \(held.quantity.units) units for \(held.amount), rating gives "
                + "\(quantity.units) for \(amount)")
    }
}
