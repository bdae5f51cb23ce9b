// How far the ledger must agree with the usage: what every check of rating begins with.

import GRDB
import LedgerStore
import Quantities

struct RatedSpan {
    /// Days through this one are in the ledger as the usage stands now. Nil when none are.
    let comparableThrough: Day?
    let settledThrough: Day?
    /// The first day that a run has rated and that is not compared, because something has changed since.
    private let changedFrom: Day?

    init(_ database: Database) throws {
        let state = try LedgerState.read(database)
        settledThrough = state.settledThrough
        // A run that is interrupted may have settled days beyond the last one that a complete run covered.
        let rated = state.hasUnratedChanges ? nil : state.ratedThrough
        comparableThrough = [settledThrough, rated].compactMap { $0 }.max()
        changedFrom = try state.hasUnratedChanges ? Self.firstOpen(state, database) : nil
    }

    private init(settledThrough: Day?) {
        comparableThrough = settledThrough
        self.settledThrough = settledThrough
        changedFrom = settledThrough.map { $0 + 1 }
    }

    /// The same where no day behind the settled ones could be compared.
    var settledOnly: RatedSpan { RatedSpan(settledThrough: settledThrough) }

    /// The first rated day that is not settled. A grant or usage may have come since, and change any of them.
    private static func firstOpen(_ state: LedgerState, _ database: Database) throws -> Day? {
        guard let ratedThrough = state.ratedThrough else { return nil }
        let first =
            try state.settledThrough.map { $0 + 1 }
            ?? Int.fetchOne(
                database,
                sql: """
                    SELECT min(day)
                    FROM (
                        SELECT min(posted_day) AS day FROM ledger_entry
                        UNION ALL
                        SELECT min(posting_day) FROM usage_counter)
                    """
            ).map { Day($0) }
        return first.flatMap { $0 <= ratedThrough ? $0 : nil }
    }

    /// How a check tells which days it compared.
    var description: String {
        let compared = comparableThrough.map { "through \($0)" }
        guard let changedFrom else { return compared ?? "no rated days" }
        let open = "days from \(changedFrom) on are not compared, something has changed since the last rating"
        return compared.map { "\($0); \(open)" } ?? open
    }
}
