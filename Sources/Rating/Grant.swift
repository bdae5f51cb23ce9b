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
    /// The first usage day that it covers: the local date after the purchase.
    package let effective: Day
    /// The first usage day that it no longer covers.
    package let end: Day

    package init(purchaseDay: Day, term: Term) {
        effective = purchaseDay + 1
        end = effective.adding(months: term.months)
    }

    package init(effective: Day, end: Day) {
        self.effective = effective
        self.end = end
    }

    package func covers(_ usageDay: Day) -> Bool { effective <= usageDay && usageDay < end }
}

/// A grant as rating sees it: one that takes part (a voided one is left out by the caller).
package struct Grant: Hashable, Sendable {
    package let code: Code
    package let coverage: Coverage
    package let life: GrantLife
    package let purchasedAt: Instant
    /// The earliest day that was not yet final when the grant was recorded: it takes part from there on.
    package let firstPostingDay: Day

    package init(code: Code, coverage: Coverage, life: GrantLife, purchasedAt: Instant, firstPostingDay: Day) {
        self.code = code
        self.coverage = coverage
        self.life = life
        self.purchasedAt = purchasedAt
        self.firstPostingDay = firstPostingDay
    }

    /// The first posting day on which the grant can change the ledger.
    package var participatesFrom: Day { max(life.effective, firstPostingDay) }

    /// Whether usage of that day, posted on that day, may draw on the grant. What is left of a resource package is
    /// forfeited on its end day, so later corrections find nothing; a package's months stay open to corrections.
    package func mayCover(usageDay: Day, postingDay: Day) -> Bool {
        guard life.covers(usageDay), postingDay >= firstPostingDay else { return false }
        if case .resourcePackage = coverage { return postingDay < life.end }
        return true
    }

    /// Burn-down order within a kind: earliest end, earliest start, purchase instant, code (Billing rules, section 6).
    package static func drawsBefore(_ left: Grant, _ right: Grant) -> Bool {
        (left.life.end, left.life.effective, left.purchasedAt, left.code)
            < (right.life.end, right.life.effective, right.purchasedAt, right.code)
    }
}
