// What a rating run did, for the person or program that asked for it.

package import Accounting
package import Quantities

package struct RatingReport: Codable, Sendable {
    /// Set where the day asked for and all before it are settled already.
    package var settledBefore: Day?
    /// The days that the run covered; nil when there was nothing to rate.
    package var days: ClosedRange<Day>?
    /// The days that are rated for good from this run on.
    package var settled: [Day] = []
    /// What was appended, or with a dry run would be, in the order of the ledger.
    package var appended: [EntryDraft] = []

    /// Tenants that could not be rated, by day and code; all others were.
    package var unrated: [UnratedTenant] = []

    package init() {}
}

/// A tenant whose bill of a day leaves the range of numbers. It is not rated from that day on, and no day from then on is
/// settled (Billing rules, section 7).
package struct UnratedTenant: Codable, Sendable, Equatable, CustomStringConvertible {
    package let tenant: Code
    package let day: Day
    package let reason: String

    package var description: String {
        "tenant '\(tenant)', bill of \(day): \(reason); nothing is appended for this tenant from that day on, and no day "
            + "from then on is settled; the other tenants are rated. If its prices are wrong, apply a price book that is "
            + "effective by \(day), as long as that day is open; if its events are, restore a backup from before they came, "
            + "and send the others again"
    }
}
