// How far a ledger has come: the latest instant, the closed, settled and rated days.

package import GRDB
package import Quantities

package struct LedgerState: Sendable {
    /// The latest instant at which the ledger was changed or rated, or a daemon saw it.
    package let latestInstant: Instant?
    /// Days through this one take no more usage.
    package let closedThrough: Day?
    package let settledThrough: Day?
    /// The latest day that any run has covered, or has begun to cover.
    package let ratedThrough: Day?
    /// Whether anything that rating depends on has changed since the last complete run began.
    package let hasUnratedChanges: Bool
    package let changeCount: Int64

    package static func read(_ database: Database) throws -> LedgerState {
        // Read in every transaction: a statement that is kept, columns by their place.
        let statement = try database.cachedStatement(
            sql: """
                SELECT
                    latest_instant, closed_through, settled_through, rated_through, change_count, rated_change_count
                FROM ledger_state
                """)
        guard let row = try Row.fetchOne(statement) else { preconditionFailure("a ledger without state") }
        func day(_ column: Int) -> Day? { (row[column] as Int?).map { Day($0) } }
        return LedgerState(
            latestInstant: (row[0] as Int64?).map { Instant(micros: $0) }, closedThrough: day(1),
            settledThrough: day(2), ratedThrough: day(3),
            hasUnratedChanges: (row[4] as Int64) != (row[5] as Int64), changeCount: row[4])
    }

    /// Records an instant: the latest one never goes back.
    package static func note(_ instant: Instant, _ database: Database) throws {
        try database.cachedStatement(
            sql: "UPDATE ledger_state SET latest_instant = max(coalesce(latest_instant, ?1), ?1)"
        ).execute(arguments: [instant.micros])
    }

    /// Records an instant that a person has confirmed, also one that is before the latest: from here on it is the one that
    /// a later instant is measured by.
    package static func noteConfirmed(_ instant: Instant, _ database: Database) throws {
        try database.execute(sql: "UPDATE ledger_state SET latest_instant = ?", arguments: [instant.micros])
    }

    /// Notes that what rating depends on has changed.
    package static func noteChange(_ database: Database) throws {
        try database.cachedStatement(sql: "UPDATE ledger_state SET change_count = change_count + 1").execute()
    }

    /// Closes days to usage before they are settled: from here on not even a clock that is set back opens them.
    package static func close(through day: Day, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE ledger_state SET closed_through = max(coalesce(closed_through, ?1), ?1)",
            arguments: [day.number])
    }

    /// Settles a day: its last tenant has been rated for good.
    package static func settle(_ day: Day, on today: Day, _ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO settled_day (day, settled_on) VALUES (?, ?)", arguments: [day.number, today.number])
        try database.execute(sql: "UPDATE ledger_state SET settled_through = ?", arguments: [day.number])
    }

    /// Notes that a run begins, so that the next one covers its days if it dies. Days that no run has covered before are
    /// a change that is yet to be rated.
    ///
    /// - Returns: the count of changes that the run covers.
    package static func beginRating(through day: Day, _ database: Database) throws -> Int64 {
        try database.execute(
            sql: """
                UPDATE ledger_state
                SET rated_through = ?1, change_count = change_count + 1
                WHERE coalesce(rated_through < ?1, TRUE)
                """,
            arguments: [day.number])
        return try read(database).changeCount
    }

    /// Notes that a run is complete.
    package static func completeRating(changeCount: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE ledger_state SET rated_change_count = ?", arguments: [changeCount])
    }
}
