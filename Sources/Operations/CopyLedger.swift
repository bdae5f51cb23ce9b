// Copying the ledger into a file that whoever asked has begun, and will prove and publish.

package import LedgerStore
package import Storage

package struct CopyLedger: LedgerOperation {
    package static let name = "copy"
    private let draft: DraftAddress

    package init(into draft: DraftAddress) { self.draft = draft }

    /// - Returns: where the ledger stood when the copy was complete.
    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> LedgerMark {
        try ledger.copy(into: draft)
    }
}
