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

    /// What the last time meant: nearly all events are of the same day as the one before.
    private var last: (from: Instant, to: Instant, day: UsageDay)?

    init(now: Instant, today: Day, calendar: DayCalendar, finality: FinalityRule, closedThrough: Day?) {
        self.now = now
        self.today = today
        self.calendar = calendar
        self.finality = finality
        self.closedThrough = closedThrough
    }

    /// A local day on which usage can still be taken.
    struct UsageDay {
        let place: CountingPlace
        let month: Month
    }

    enum Time {
        case takes(UsageDay)
        case tooOld(String)
        case inFuture(String)
    }

    /// Whether usage of an instant can still be taken, and where it counts.
    @inline(__always)
    mutating func judge(_ time: Instant) -> Time {
        if let last, last.from <= time, time < last.to, time <= now + FinalityRule.futureToleranceSeconds {
            return .takes(last.day)
        }
        return judgeAnew(time)
    }

    private mutating func judgeAnew(_ time: Instant) -> Time {
        if time > now + FinalityRule.futureToleranceSeconds {
            return .inFuture("time \(time) is more than 10 minutes after the arrival at \(now)")
        }
        guard let (segment, end) = calendar.segment(of: time), today - segment.day <= finality.maxAgeDays else {
            return .tooOld(
                "time \(time) is too long before the arrival on \(today): "
                    + "the age limit of this ledger is \(finality.maxAgeDays) day\(finality.maxAgeDays == 1 ? "" : "s")"
            )
        }
        let place = CountingPlace(
            postingDay: finality.postingDay(usageDay: segment.day, today: today, closedThrough: closedThrough),
            usageDay: segment.day)
        let day = UsageDay(place: place, month: segment.day.month)
        last = (segment.start, end, day)
        return .takes(day)
    }

    var heldFrom: Day { finality.earliestHeldArrival(today: today) }
}
