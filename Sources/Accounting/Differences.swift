// From the truth of a tenant's day to the entries that make the ledger say it (Billing rules, section 6).

package import Quantities
package import Rating

/// What the ledger holds of a line: the sum of its entries.
package struct Booked: Hashable, Sendable {
    package var quantity: Quantity
    package var amount: Money

    package init(quantity: Quantity, amount: Money) {
        self.quantity = quantity
        self.amount = amount
    }

    package static let nothing = Booked(quantity: .zero, amount: .zero)
}

package enum Differences {
    /// The entries to append for one tenant and posting day: for each line the difference between the rated truth and
    /// what the ledger holds. Nothing where both agree, so a second run over the same day appends nothing.
    ///
    /// - Parameters:
    ///   - truth: the day's lines in rating order.
    ///   - booked: sums by line, of the entries that rating appended for this day before.
    /// - Returns: new and changed lines in rating order, then those that are gone.
    /// - Throws: ``Quantities/Overflow``.
    package static func entries(
        tenant: Code, postedDay: Day, truth: [RatedLine], booked: [LineKey: Booked]
    ) throws(Overflow) -> [EntryDraft] {
        var entries: [EntryDraft] = []
        var open = booked
        for line in truth {
            let before = open.removeValue(forKey: line.key)
            let quantity = try line.quantity - (before ?? .nothing).quantity
            let amount = try line.amount - (before ?? .nothing).amount
            guard quantity != .zero || amount != .zero else { continue }
            entries.append(
                draft(line.key, tenant, postedDay, quantity, amount, reason: reason(line.key, postedDay, before)))
        }
        let gone = open.filter { $0.value != .nothing }.sorted { inRatingOrder($0.key, $1.key) }
        for (key, before) in gone {
            let quantity = try Quantity.zero - before.quantity
            let amount = try Money.zero - before.amount
            entries.append(draft(key, tenant, postedDay, quantity, amount, reason: "rated anew: no longer so"))
        }
        return entries
    }

    private static func reason(_ key: LineKey, _ postedDay: Day, _ before: Booked?) -> String? {
        if before != nil { return "rated anew: the difference to what stood here" }
        if key.source == .forfeit { return "left unused; no usage of its life can come any more" }
        return key.usageDay < postedDay ? "correction: arrived after \(key.usageDay) was final" : nil
    }

    private static func draft(
        _ key: LineKey, _ tenant: Code, _ postedDay: Day, _ quantity: Quantity, _ amount: Money, reason: String?
    ) -> EntryDraft {
        EntryDraft(
            postedDay: postedDay, usageDay: key.usageDay, tenant: tenant, app: key.app, item: key.item,
            source: key.source, grant: key.grant, tier: key.tier, quantity: quantity, amount: amount,
            priceVersion: key.priceVersion, reason: reason)
    }

    /// Any fixed order will do for lines that are gone; this one reads well.
    private static func inRatingOrder(_ left: LineKey, _ right: LineKey) -> Bool {
        func rank(_ key: LineKey) -> (Code, Day, String, String, String, Int) {
            (
                key.item, key.usageDay, key.app?.text ?? "", key.source.rawValue, key.grant?.text ?? "",
                (key.tier ?? 0) + 1000 * (key.priceVersion ?? 0)
            )
        }
        return rank(left) < rank(right)
    }
}
