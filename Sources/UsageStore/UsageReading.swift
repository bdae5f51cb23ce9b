// What rating and reading ask of usage: quantities by app, item, usage day and posting day.

package import GRDB
package import Quantities
package import Storage

/// A counter: what of an app's item on a usage day entered a posting day.
package struct CountedUsage: Sendable {
    package let app: AppID
    package let item: ItemID
    package let place: CountingPlace
    package let quantity: Quantity
}

package enum UsageReading {
    /// The first day that any usage was posted on.
    package static func firstPostingDay(_ database: Database) throws -> Day? {
        try Int.fetchOne(database, sql: "SELECT min(posting_day) FROM usage_counter WHERE quantity > 0").map { Day($0) }
    }

    /// What a counter in the file says; nothing where there is none.
    static func quantity(of key: CounterKey, _ database: Database) throws -> Quantity {
        let units = try Int64.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT quantity
                    FROM usage_counter
                    WHERE (posting_day, app_id, item_id, usage_day) = (?, ?, ?, ?)
                    """),
            arguments: [
                key.place.postingDay.number, key.app.number, key.item.number, key.place.usageDay.number,
            ])
        return Quantity(units ?? 0)
    }

    /// What one tenant's apps have posted on a range of days, zeros left out. A day's counters of an app lie together, so
    /// what others use costs nothing.
    package static func quantities(
        of tenant: TenantID, postedOn days: ClosedRange<Day>, _ database: Database
    ) throws -> [CountedUsage] {
        let statement = try RawStatement(
            database,
            """
            SELECT usage_counter.app_id, item_id, usage_day, posting_day, quantity
            FROM app
            CROSS JOIN usage_counter ON usage_counter.app_id = app.app_id
            WHERE app.tenant_id = ?1 AND posting_day = ?2 AND quantity > 0
            """)
        var usage: [CountedUsage] = []
        var day = days.lowerBound
        while day <= days.upperBound {
            statement.bind(1, tenant.number)
            statement.bind(2, day.number)
            while try statement.step() { usage.append(CountedUsage(statement)) }
            day = day + 1
        }
        return usage
    }

    /// The quantities posted on a range of days, zeros left out.
    package static func quantities(postedOn days: ClosedRange<Day>, _ database: Database) throws -> [CountedUsage] {
        let statement = try RawStatement(
            database,
            """
            SELECT app_id, item_id, usage_day, posting_day, quantity
            FROM usage_counter
            WHERE posting_day BETWEEN ?1 AND ?2 AND quantity > 0
            """)
        statement.bind(1, days.lowerBound.number)
        statement.bind(2, days.upperBound.number)
        var usage: [CountedUsage] = []
        while try statement.step() { usage.append(CountedUsage(statement)) }
        return usage
    }
}

extension CountedUsage {
    /// - Parameter row: app, item, usage day, posting day, quantity.
    fileprivate init(_ row: RawStatement) {
        app = AppID(row.integer(0))
        item = ItemID(row.integer(1))
        place = CountingPlace(postingDay: Day(Int(row.integer(3))), usageDay: Day(Int(row.integer(2))))
        quantity = Quantity(row.integer(4))
    }
}
