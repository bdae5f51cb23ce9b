// What a rating run reads of the ledger: the totals it carries on from, and what stands booked on unsettled days.

package import Accounting
package import GRDB
package import Quantities
package import Rating
package import Storage

/// What the ledger holds of one tenant, as far as a run needs it.
package struct TenantLedger: Sendable {
    /// Sums of the entries of settled days.
    package var totals: [RatedTotal] = []
    /// The entries of unsettled days, summed by line.
    package var booked: [Day: [LineKey: Booked]] = [:]

    package init() {}
}

package enum RatingInputs {
    /// Reads the totals and booked lines of every tenant, or of one.
    ///
    /// - Parameters:
    ///   - only: nil for every tenant.
    ///   - firstDay: the first unsettled day; later entries are booked lines, earlier ones are in the totals.
    ///   - firstMonth: the earliest usage month that has usage to rate; of earlier ones only resource packages count
    ///     on, as long as something may be drawn on them or forfeited.
    package static func tenants(
        only tenant: TenantID? = nil, firstDay: Day, firstMonth: Month, finality: FinalityRule, _ names: Names,
        _ database: Database
    ) throws -> [TenantID: TenantLedger] {
        var tenants = try booked(of: tenant, from: firstDay, names, database)
        var open: [TotalKey: Int64] = [:]
        for (tenant, ledger) in tenants {
            for lines in ledger.booked.values {
                for (key, booked) in lines { open[TotalKey(tenant, key), default: 0] += booked.quantity.units }
            }
        }
        // The totals hold all entries; those of unsettled days are taken off again.
        let statement = try RawStatement(
            database,
            """
            SELECT tenant_id, item_id, month, source, grant_id, tier, price_version, quantity
            FROM rated_total
            WHERE month >= ?1 AND (?4 IS NULL OR tenant_id = ?4)
            UNION ALL
            SELECT tenant_id, item_id, month, source, grant_id, tier, price_version, quantity
            FROM rated_total
            WHERE grant_id IN (
                    SELECT grant_id
                    FROM "grant"
                    WHERE offer = 'resource_package'
                        -- Before its forfeit day, or without one.
                        AND (end_day + ?3 >= ?2 OR first_posting_day > end_day + ?3)
                        AND (?4 IS NULL OR tenant_id = ?4))
                AND grant_id <> 0 AND month < ?1
            """)
        statement.bind(1, firstMonth.number)
        statement.bind(2, firstDay.number)
        statement.bind(3, Int64(finality.correctionDays))
        statement.bind(4, tenant?.number)
        while try statement.step() {
            guard let source = Source(rawValue: String(decoding: statement.bytes(3), as: UTF8.self)) else { continue }
            let key = TotalKey(
                tenant: TenantID(statement.integer(0)), item: try names.item(statement.integer(1)),
                month: Month(number: Int(statement.integer(2))), source: source,
                grant: statement.integer(4) == 0 ? nil : try names.grant(statement.integer(4)),
                tier: statement.integer(5) == 0 ? nil : Int(statement.integer(5)),
                priceVersion: statement.integer(6) == 0 ? nil : Int(statement.integer(6)))
            let settled = statement.integer(7) - (open[key] ?? 0)
            guard settled != 0 else { continue }
            tenants[key.tenant, default: TenantLedger()].totals.append(key.total(Quantity(settled)))
        }
        return tenants
    }

    /// The first day that has entries: those of purchases too, so that every day with a bill is settled in its turn.
    package static func firstPostedDay(_ database: Database) throws -> Day? {
        try Int.fetchOne(database, sql: "SELECT min(posted_day) FROM ledger_entry").map { Day($0) }
    }

    private struct TotalKey: Hashable {
        let tenant: TenantID
        let item: Code
        let month: Month
        let source: Source
        let grant: Code?
        let tier: Int?
        let priceVersion: Int?

        init(
            tenant: TenantID, item: Code, month: Month, source: Source, grant: Code?, tier: Int?, priceVersion: Int?
        ) {
            self.tenant = tenant
            self.item = item
            self.month = month
            self.source = source
            self.grant = grant
            self.tier = tier
            self.priceVersion = priceVersion
        }

        init(_ tenant: TenantID, _ key: LineKey) {
            self.init(
                tenant: tenant, item: key.item, month: key.usageDay.month, source: key.source, grant: key.grant,
                tier: key.tier, priceVersion: key.priceVersion)
        }

        func total(_ quantity: Quantity) -> RatedTotal {
            RatedTotal(
                item: item, month: month, source: source, grant: grant, tier: tier, priceVersion: priceVersion,
                quantity: quantity)
        }
    }

    private static func booked(
        of tenant: TenantID?, from firstDay: Day, _ names: Names, _ database: Database
    ) throws -> [TenantID: TenantLedger] {
        let statement = try RawStatement(
            database,
            """
            SELECT
                tenant_id, posted_day, usage_day, app_id, item_id, source, grant_id, tier, price_version, quantity,
                amount_micros
            FROM ledger_entry
            WHERE posted_day >= ?1 AND (?2 IS NULL OR tenant_id = ?2)
                AND source IN ('allowance', 'package', 'resource_package', 'overage', 'free', 'forfeit')
            """)
        statement.bind(1, firstDay.number)
        statement.bind(2, tenant?.number)
        var tenants: [TenantID: TenantLedger] = [:]
        while try statement.step() {
            guard let source = Source(rawValue: String(decoding: statement.bytes(5), as: UTF8.self)) else { continue }
            // Ids begin at 1, so a NULL column reads as 0.
            let key = LineKey(
                usageDay: Day(Int(statement.integer(2))),
                app: statement.integer(3) == 0 ? nil : try names.app(statement.integer(3)),
                item: try names.item(statement.integer(4)), source: source,
                grant: statement.integer(6) == 0 ? nil : try names.grant(statement.integer(6)),
                tier: statement.integer(7) == 0 ? nil : Int(statement.integer(7)),
                priceVersion: statement.integer(8) == 0 ? nil : Int(statement.integer(8)))
            let day = Day(Int(statement.integer(1)))
            let tenant = TenantID(statement.integer(0))
            var booked = tenants[tenant, default: TenantLedger()].booked[day, default: [:]][key] ?? .nothing
            booked.quantity = try booked.quantity + Quantity(statement.integer(9))
            booked.amount = try booked.amount + Money(micros: statement.integer(10))
            tenants[tenant, default: TenantLedger()].booked[day, default: [:]][key] = booked
        }
        return tenants
    }
}
