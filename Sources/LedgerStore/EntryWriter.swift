// Appending to the ledger: numbers, chains and stores entries.

package import Accounting
package import GRDB
package import Quantities
import Rating
import Storage

/// Appends entries inside the caller's transaction. Made for one command or run; it keeps the ids of codes.
package struct EntryWriter: Sendable {
    private let currency: Currency
    private let ids: IDs

    package init(_ properties: LedgerProperties, _ names: Names) {
        currency = properties.currency
        ids = IDs(names)
    }

    /// Appends entries in their order, each chained to the one before.
    package func append(
        _ entries: [EntryDraft], runID: Int64?, at now: Instant, _ database: Database
    ) throws {
        guard !entries.isEmpty else { return }
        let head = try ChainHead.last(database)
        var entryID = head.entryID
        let first = entryID + 1
        var previous = head.hash
        let statement = try RawStatement(
            database,
            """
            INSERT INTO ledger_entry (
                entry_id, posted_day, usage_day, tenant_id, app_id, item_id, source, grant_id, tier, quantity,
                amount_micros, price_version, run_id, reason, created_at, hash)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
            """)
        let createdAt = now.description
        for entry in entries {
            entryID += 1
            let stamp = EntryStamp(entryID: entryID, currency: currency, runID: runID, createdAt: createdAt)
            let hash = Chain.hash(of: Chain.text(of: entry, stamp: stamp, previous: previous))
            statement.bind(1, entryID)
            statement.bind(2, entry.postedDay.number)
            statement.bind(3, entry.usageDay.number)
            statement.bind(4, ids.tenants[entry.tenant])
            statement.bind(5, entry.app.flatMap { ids.apps[$0] })
            statement.bind(6, entry.item.flatMap { ids.items[$0] })
            statement.bind(7, copying: entry.source.rawValue)
            statement.bind(8, entry.grant.flatMap { ids.grants[$0] })
            statement.bind(9, entry.tier.map(Int64.init))
            statement.bind(10, entry.quantity.units)
            statement.bind(11, entry.amount.micros)
            statement.bind(12, entry.priceVersion.map(Int64.init))
            statement.bind(13, runID)
            statement.bind(14, copying: entry.reason)
            statement.bind(15, copying: createdAt)
            statement.bind(16, copying: hash)
            try statement.run()
            previous = hash
        }
        try Self.total(from: first, database)
    }

    /// Adds the entries from one on to the running sums: together, since most of a tenant's day fall into few sums.
    private static func total(from first: Int64, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO rated_total
                SELECT
                    tenant_id, item_id,
                    CAST(strftime('%Y', usage_day * 86400, 'unixepoch') AS INTEGER) * 12
                        + CAST(strftime('%m', usage_day * 86400, 'unixepoch') AS INTEGER) - 1,
                    source, coalesce(grant_id, 0), coalesce(tier, 0), coalesce(price_version, 0), sum(quantity),
                    sum(amount_micros)
                FROM ledger_entry
                WHERE entry_id >= ?1
                    AND source IN ('allowance', 'package', 'resource_package', 'overage', 'free', 'forfeit')
                GROUP BY tenant_id, item_id, usage_day, source, grant_id, tier, price_version
                ON CONFLICT (tenant_id, item_id, month, source, grant_id, tier, price_version) DO UPDATE SET
                    quantity = quantity + excluded.quantity,
                    amount_micros = amount_micros + excluded.amount_micros
                """)
        try statement.execute(arguments: [first])
    }
}
