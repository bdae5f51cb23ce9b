// Whether rating everything anew, from the first day on, gives the ledger as it stands: prices and rounding included.

import Accounting
import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static let rating = Check(name: "rating") { database, findings in
        let span = try RatedSpan(database)
        guard let through = span.comparableThrough else { return span.description }
        let history = try PriceBooks.history(database)
        let names = try Names(database)
        let grants = try Grants.all(database)
        let tenants = try Accounts.tenants(database).values.sorted { $0.code < $1.code }
        var days = 0
        for tenant in tenants {
            let own = grants.filter { $0.tenant == tenant.id }
            var anew = try TenantAnew(tenant, own, history, names, through: through, database)
            days += try anew.compare(settledThrough: span.settledThrough, names, database, &findings)
        }
        return "\(counted(days, "day")) of \(counted(tenants.count, "tenant")) \(span.description)"
    }
}

/// One tenant rated again without any sum carried along.
private struct TenantAnew {
    private let tenant: Tenant
    private var rater: TenantRater
    private let quantities: [Day: [UsageQuantity]]
    private let voided: Set<Code>
    private let grantEnds: [Day]
    private let through: Day

    init(
        _ tenant: Tenant, _ grants: [RecordedGrant], _ history: PriceBookHistory, _ names: Names, through: Day,
        _ database: Database
    ) throws {
        self.tenant = tenant
        self.through = through
        let valid = grants.filter { !$0.isVoided }.map(\.grant)
        voided = Set(grants.filter(\.isVoided).map(\.grant.code))
        grantEnds = valid.map(\.life.end)
        rater = try TenantRater(history: history, grants: valid, totals: [])
        quantities = try Self.quantities(of: tenant, through: through, names, database)
    }

    private static func quantities(
        of tenant: Tenant, through: Day, _ names: Names, _ database: Database
    ) throws -> [Day: [UsageQuantity]] {
        let statement = try RawStatement(
            database,
            """
            SELECT app_id, item_id, usage_day, posting_day, quantity
            FROM app
            JOIN usage_counter USING (app_id)
            WHERE tenant_id = ?1 AND posting_day <= ?2 AND quantity > 0
            """)
        statement.bind(1, tenant.id.number)
        statement.bind(2, through.number)
        var quantities: [Day: [UsageQuantity]] = [:]
        while try statement.step() {
            let quantity = UsageQuantity(
                app: try names.app(statement.integer(0)), item: try names.item(statement.integer(1)),
                usageDay: day(statement.integer(2)), quantity: Quantity(statement.integer(4)))
            quantities[day(statement.integer(3)), default: []].append(quantity)
        }
        return quantities
    }

    /// - Returns: how many of the tenant's days were compared.
    mutating func compare(
        settledThrough: Day?, _ names: Names, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let ledger = try BookedDays(of: tenant, through: through, names, database)
        let days = Set(quantities.keys).union(grantEnds).union(ledger.days).filter { $0 <= through }.sorted()
        for day in days {
            var booked = try ledger.lines(of: day)
            if let settledThrough, day <= settledThrough {
                // A grant may be voided after its forfeit was settled: the line stays, though it says nothing now.
                booked = booked.filter { !($0.key.source == .forfeit && $0.key.grant.map(voided.contains) ?? false) }
            }
            let truth = try rater.rate(postingDay: day, quantities: quantities[day] ?? [])
            let differences = try Differences.entries(
                tenant: tenant.code, postedDay: day, truth: truth, booked: booked)
            for difference in differences { try add(difference, booked, &findings) }
        }
        return days.count
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
        var label = "tenant \(tenant.code), posting day \(difference.postedDay), usage day \(key.usageDay)"
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

/// The lines that a tenant's entries add up to, read a day at a time.
private struct BookedDays {
    let days: [Day]
    private let tenant: Tenant
    private let names: Names
    private let statement: RawStatement

    init(of tenant: Tenant, through: Day, _ names: Names, _ database: Database) throws {
        self.tenant = tenant
        self.names = names
        days = try Int.fetchAll(
            database, sql: "SELECT DISTINCT posted_day FROM ledger_entry WHERE tenant_id = ? AND posted_day <= ?",
            arguments: [tenant.id.number, through.number]
        ).map { Day($0) }
        statement = try RawStatement(
            database,
            """
            SELECT usage_day, app_id, item_id, source, grant_id, tier, price_version, quantity, amount_micros
            FROM ledger_entry
            WHERE tenant_id = ?1 AND posted_day = ?2
                AND source IN ('allowance', 'package', 'resource_package', 'overage', 'free', 'forfeit')
            """)
    }

    func lines(of day: Day) throws -> [LineKey: Booked] {
        statement.bind(1, tenant.id.number)
        statement.bind(2, day.number)
        defer { statement.reset() }
        var lines: [LineKey: Booked] = [:]
        while try statement.step() {
            guard let source = Source(rawValue: String(decoding: statement.bytes(3), as: UTF8.self)) else { continue }
            // Ids, tiers and versions begin at 1, so a NULL column reads as 0.
            let key = LineKey(
                usageDay: Day(Int(statement.integer(0))),
                app: statement.integer(1) == 0 ? nil : try names.app(statement.integer(1)),
                item: try names.item(statement.integer(2)), source: source,
                grant: statement.integer(4) == 0 ? nil : try names.grant(statement.integer(4)),
                tier: statement.integer(5) == 0 ? nil : Int(statement.integer(5)),
                priceVersion: statement.integer(6) == 0 ? nil : Int(statement.integer(6)))
            var booked = lines[key] ?? .nothing
            booked.quantity = try booked.quantity + Quantity(statement.integer(7))
            booked.amount = try booked.amount + Money(micros: statement.integer(8))
            lines[key] = booked
        }
        return lines
    }
}
