// What final days draw on a grant: settled days as the ledger has them, the others computed in memory.

import Accounting
package import GRDB
package import LedgerStore
import Quantities
import Rating
import Storage
import UsageStore

package enum GrantDraws {
    /// How many posting days are told one by one.
    private static let daysTold = 5

    /// What the days that take no more usage draw on a grant. Days that are final but not settled are rated in memory,
    /// and only those of the grant's tenant; nothing is written.
    ///
    /// - Returns: nil when no such day draws on it.
    /// - Throws: ``LedgerStore/LedgerError/unrated(_:)`` when such a day of the tenant can't be rated.
    package static func ofFinalDays(
        on recorded: RecordedGrant, at moment: Moment, _ database: Database
    ) throws -> FinalDraws? {
        var draws = try settled(recorded, moment.state, database)
        for draw in try unsettled(recorded, through: moment.earliestOpenDay - 1, moment, database) {
            try draws.add(draw)
        }
        return draws.isEmpty ? nil : draws
    }

    // MARK: Settled days

    /// The grant's running sums say whether there are any. Only if there are, the tenant's entries are read in order of
    /// their days, as far as is told.
    private static func settled(
        _ recorded: RecordedGrant, _ state: LedgerState, _ database: Database
    ) throws -> FinalDraws {
        var draws = FinalDraws(daysTold: daysTold)
        guard let settledThrough = state.settledThrough else { return draws }
        let all = try Int64.fetchOne(
            database,
            sql: "SELECT sum(quantity) FROM rated_total WHERE grant_id = ? AND grant_id <> 0 AND source <> 'forfeit'",
            arguments: [recorded.id])
        let open = try Int64.fetchOne(
            database,
            sql: """
                SELECT sum(quantity)
                FROM ledger_entry
                WHERE tenant_id = ? AND posted_day > ? AND grant_id = ? AND source IN ('package', 'resource_package')
                """,
            arguments: [recorded.tenant.number, settledThrough.number, recorded.id])
        var rest = try Quantity(all ?? 0) - Quantity(open ?? 0)
        guard rest != .zero else { return draws }
        let names = try Names(database)
        let statement = try RawStatement(
            database,
            """
            SELECT posted_day, item_id, quantity
            FROM ledger_entry
            WHERE tenant_id = ?1 AND posted_day <= ?2 AND grant_id = ?3 AND source IN ('package', 'resource_package')
            ORDER BY posted_day
            """)
        statement.bind(1, recorded.tenant.number)
        statement.bind(2, settledThrough.number)
        statement.bind(3, recorded.id)
        while try statement.step() {
            let day = Day(Int(statement.integer(0)))
            guard draws.tells(day) else { break }
            let draw = GrantDraw(
                postingDay: day, item: try names.item(statement.integer(1)), quantity: Quantity(statement.integer(2)))
            try draws.add(draw)
            try rest -= draw.quantity
        }
        try draws.addUntold(rest)
        return draws
    }

    // MARK: Days that are not settled

    private static func unsettled(
        _ recorded: RecordedGrant, through last: Day, _ moment: Moment, _ database: Database
    ) throws -> [GrantDraw] {
        guard let first = try RatingRun.firstDay(moment.state, database), first <= last else { return [] }
        let names = try Names(database)
        var quantities: [Day: [UsageQuantity]] = [:]
        for usage in try UsageReading.quantities(of: recorded.tenant, postedOn: first...last, database) {
            quantities[usage.place.postingDay, default: []].append(
                UsageQuantity(
                    app: try names.app(usage.app.number), item: try names.item(usage.item.number),
                    usageDay: usage.place.usageDay, quantity: usage.quantity))
        }
        let months = quantities.values.flatMap { $0.map(\.usageDay.month) }
        let ledger = try RatingInputs.tenants(
            only: recorded.tenant, firstDay: first, firstMonth: months.min() ?? first.month,
            finality: moment.properties.finality, names, database)
        let grants = try Grants.all(database).filter { $0.tenant == recorded.tenant }.map(\.grant)
        var day = first
        do {
            var rater = try TenantRater(
                history: PriceBooks.history(database), grants: grants, totals: ledger[recorded.tenant]?.totals ?? [],
                finality: moment.properties.finality)
            var draws: [GrantDraw] = []
            for (posted, usage) in quantities.sorted(by: { $0.key < $1.key }) {
                day = posted
                for line in try rater.rate(postingDay: posted, quantities: usage)
                where line.key.grant == recorded.grant.code && line.key.source.isUsage {
                    draws.append(GrantDraw(postingDay: posted, item: line.key.item, quantity: line.quantity))
                }
            }
            return draws
        } catch let overflow as Overflow {
            let tenant = try Accounts.tenants(database).values.first { $0.id == recorded.tenant }
            guard let tenant else { preconditionFailure("a grant without its tenant") }
            throw LedgerError.unrated(
                "\(UnratedTenant(tenant: tenant.code, day: day, reason: overflow.description))")
        }
    }
}
