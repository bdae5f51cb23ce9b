// Bought packages, resource packages and subscriptions: what they cover, and from when to when.

package import Quantities

/// The offers of a price book, under the names that grants and files use.
package enum Offer: String, Codable, Sendable, CaseIterable {
    case miniProgramPackage = "mini_program_package"
    case resourcePackage = "resource_package"
    case subscription
}

/// What a grant covers.
package enum Coverage: Hashable, Sendable {
    /// So many units of each of these items in every calendar month.
    case package(monthly: [Code: Quantity])
    /// So many units of one item in all.
    case resourcePackage(item: Code, total: Quantity)
    /// A licence for one app: nothing is drawn on it.
    case subscription
}

/// The days of a grant (Billing rules, section 5).
package struct GrantLife: Hashable, Codable, Sendable {
    /// The first usage day that it covers: the next local date after the purchase, two days on where the zone skips one.
    package let effective: Day
    /// The first usage day that it no longer covers.
    package let end: Day

    package init(effective: Day, term: Term) {
        self.effective = effective
        end = effective.adding(months: term.months)
    }

    package init(effective: Day, end: Day) {
        self.effective = effective
        self.end = end
    }

    package func covers(_ usageDay: Day) -> Bool { effective <= usageDay && usageDay < end }
}

/// A grant as rating sees it.
package struct Grant: Hashable, Sendable {
    package let code: Code
    package let coverage: Coverage
    package let life: GrantLife
    package let purchasedAt: Instant
    /// The earliest day that was not yet final when the grant was recorded: it takes part from there on.
    package let firstPostingDay: Day
    /// The posting day on which a resource package forfeits what is left. Nil for other grants, and for a resource package
    /// that was recorded after that day had become final.
    package let forfeitDay: Day?
    /// Of a voided one the earliest day that was not yet final then: it takes no part from there on, so that the days that
    /// were final stay as they are, rated already or not.
    package let voidedFrom: Day?

    package init(
        code: Code, coverage: Coverage, life: GrantLife, purchasedAt: Instant, firstPostingDay: Day,
        finality: FinalityRule, voidedFrom: Day? = nil
    ) {
        self.code = code
        self.coverage = coverage
        self.life = life
        self.purchasedAt = purchasedAt
        self.firstPostingDay = firstPostingDay
        self.voidedFrom = voidedFrom
        let lastsUntil = finality.firstDayWithoutUsage(before: life.end)
        if case .resourcePackage = coverage, firstPostingDay <= lastsUntil {
            forfeitDay = lastsUntil
        } else {
            forfeitDay = nil
        }
    }

    /// The first posting day on which the grant can change the ledger; nil when it was voided before that day was final.
    package var participatesFrom: Day? {
        let first = max(life.effective, firstPostingDay)
        return takesPart(in: first) ? first : nil
    }

    private func takesPart(in postingDay: Day) -> Bool {
        firstPostingDay <= postingDay && voidedFrom.map { postingDay < $0 } ?? true
    }

    /// Whether what is left of it is forfeited on that posting day.
    package func forfeits(on postingDay: Day) -> Bool { forfeitDay == postingDay && takesPart(in: postingDay) }

    /// Whether usage of that day, posted on that day, may draw on the grant: the usage day decides. Nothing is left from
    /// the forfeit day on; usage of the grant's life is posted that late only where days were settled ahead of the clock.
    package func mayCover(usageDay: Day, postingDay: Day) -> Bool {
        life.covers(usageDay) && takesPart(in: postingDay) && forfeitDay.map { postingDay < $0 } ?? true
    }

    /// Burn-down order within a kind: earliest end, earliest start, purchase instant, code (Billing rules, section 6).
    package static func drawsBefore(_ left: Grant, _ right: Grant) -> Bool {
        (left.life.end, left.life.effective, left.purchasedAt, left.code)
            < (right.life.end, right.life.effective, right.purchasedAt, right.code)
    }
}
