// The moment a batch arrives, and what it means for usage of each day.

import GRDB
import LedgerStore
import Quantities

/// One instant for a whole batch, read inside its transaction (Billing rules, section 4).
struct Arrival {
    let now: Instant
    let today: Day
    let calendar: DayCalendar
    let finality: FinalityRule
    let closedThrough: Day?

    enum Time {
        case takes(usageDay: Day)
        case tooOld(String)
        case inFuture(String)
    }

    /// Whether usage of an instant can still be taken, and on which day it was.
    func judge(_ time: Instant) -> Time {
        if time > now + FinalityRule.futureToleranceSeconds {
            return .inFuture("time \(time) is more than 10 minutes after the arrival at \(now)")
        }
        guard let usageDay = calendar.day(of: time), today - usageDay <= finality.maxAgeDays else {
            return .tooOld(
                "time \(time) is too long before the arrival on \(today): "
                    + "the age limit of this ledger is \(finality.maxAgeDays) day\(finality.maxAgeDays == 1 ? "" : "s")"
            )
        }
        return .takes(usageDay: usageDay)
    }

    func place(_ usageDay: Day) -> CountingPlace {
        CountingPlace(
            postingDay: finality.postingDay(usageDay: usageDay, today: today, closedThrough: closedThrough),
            usageDay: usageDay)
    }

    var heldFrom: Day { finality.earliestHeldArrival(today: today) }
}
