// Whether a ledger has recorded an instant that the machine's clock has not reached.

import GRDB
import LedgerStore
import Quantities

/// The latest recorded instant, where it lies ahead of the clock. What is recorded is what the clock showed then, so it has
/// been set back since, or somebody has written another instant into the file.
struct AheadOfClock {
    let latest: Instant
    let now: Instant

    /// Further than a clock may go without a word from anybody (Billing rules, section 4): then any later instant would be
    /// believed until the clock gets there.
    var isFar: Bool { latest.isMore(thanSeconds: MachineClock.farSeconds, after: now) }

    /// - Parameter machine: nil where nothing is to be compared with it.
    /// - Returns: nil where the clock has reached it, and for a test clock, which shows what it is told.
    init?(_ database: Database, _ machine: MachineClock?) throws {
        guard let machine, try !LedgerProperties.read(database).hasTestClock,
            let latest = try LedgerState.read(database).latestInstant
        else { return nil }
        // After the ledger, which another process may be writing.
        let now = machine.wall
        guard latest > now else { return nil }
        (self.latest, self.now) = (latest, now)
    }
}
