// How far the ledger must agree with the usage: what every check of rating begins with.

import GRDB
import LedgerStore
import Quantities

struct RatedSpan {
    /// Days through this one are in the ledger as the usage stands now. Nil when none are.
    let comparableThrough: Day?
    let settledThrough: Day?
    let hasUnratedChanges: Bool

    init(_ database: Database) throws {
        let state = try LedgerState.read(database)
        settledThrough = state.settledThrough
        hasUnratedChanges = state.hasUnratedChanges
        // A run that is interrupted may have settled days beyond the last one that a complete run covered.
        let rated = hasUnratedChanges ? nil : state.ratedThrough
        comparableThrough = [settledThrough, rated].compactMap { $0 }.max()
    }

    /// How a check tells which days it compared.
    var description: String { comparableThrough.map { "through \($0)" } ?? "no rated days" }
}
