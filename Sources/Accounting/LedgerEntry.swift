// A ledger entry: what is to be appended, and the entry as it stands once chained.

package import Quantities
package import Rating

/// An entry before it has its number and its place in the chain.
package struct EntryDraft: Hashable, Codable, Sendable {
    package let postedDay: Day
    package let usageDay: Day
    package let tenant: Code
    package let app: Code?
    package let item: Code?
    package let source: Source
    package let grant: Code?
    package let tier: Int?
    package let quantity: Quantity
    package let amount: Money
    package let priceVersion: Int?
    /// A sentence for the reader of the ledger, without control characters.
    package let reason: String?

    package init(
        postedDay: Day, usageDay: Day, tenant: Code, app: Code? = nil, item: Code? = nil, source: Source,
        grant: Code? = nil, tier: Int? = nil, quantity: Quantity = .zero, amount: Money = .zero,
        priceVersion: Int? = nil, reason: String? = nil
    ) {
        self.postedDay = postedDay
        self.usageDay = usageDay
        self.tenant = tenant
        self.app = app
        self.item = item
        self.source = source
        self.grant = grant
        self.tier = tier
        self.quantity = quantity
        self.amount = amount
        self.priceVersion = priceVersion
        self.reason = reason
    }
}

/// What an entry has besides its draft.
package struct EntryStamp: Hashable, Sendable {
    package let entryID: Int64
    package let currency: Currency
    package let runID: Int64?
    /// RFC 3339, UTC.
    package let createdAt: String

    package init(entryID: Int64, currency: Currency, runID: Int64?, createdAt: String) {
        self.entryID = entryID
        self.currency = currency
        self.runID = runID
        self.createdAt = createdAt
    }
}
