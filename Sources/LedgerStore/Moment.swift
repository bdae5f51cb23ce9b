// The moment of a command: its instant, its local date, and which day is the earliest that is still open.

package import GRDB
package import Quantities

/// Read once, inside the command's transaction.
package struct Moment: Sendable {
    package let properties: LedgerProperties
    package let state: LedgerState
    package let now: Instant
    package let today: Day

    /// - Throws: ``LedgerError`` from the clock.
    package init(_ clock: LedgerClock, _ properties: LedgerProperties, _ database: Database) throws {
        self.properties = properties
        state = try LedgerState.read(database)
        now = try clock.now(properties, state)
        today = try LedgerDays(properties).days(around: now, database).today
    }

    package var earliestOpenDay: Day {
        properties.finality.earliestOpenDay(today: today, closedThrough: state.closedThrough)
    }
}
