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
        while try statement.step() {
            usage.append(
                CountedUsage(
                    app: AppID(statement.integer(0)), item: ItemID(statement.integer(1)),
                    place: CountingPlace(
                        postingDay: Day(Int(statement.integer(3))), usageDay: Day(Int(statement.integer(2)))),
                    quantity: Quantity(statement.integer(4))))
        }
        return usage
    }
}
