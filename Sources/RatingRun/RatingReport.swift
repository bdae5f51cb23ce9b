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

    package init() {}
}
