// The dates of instants that the ledger has known as its present, while it may still come to new ones.

import GRDB
import LedgerStore
import Quantities

/// The ledger's stored days, read again where they do not reach an instant.
struct PresentDays {
    private var calendar: DayCalendar?

    /// - Returns: nil for an instant that the ledger has not known as its present.
    mutating func date(of instant: Instant, _ database: Database) throws -> Day? {
        if let day = calendar?.latestDayBegun(by: instant) { return day }
        calendar = try DayCalendar.stored(database)
        return calendar?.latestDayBegun(by: instant)
    }
}
