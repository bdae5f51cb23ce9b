// Recording and voiding grants, with what was paid and what is given back (billing rules, section 5).

extension BillingOracle {
    mutating func record(_ grant: History.Grant, at: Int64, today: Int) -> GrantOutcome {
        if let known = grants.first(where: { $0.terms.code == grant.code }) {
            return known.terms == grant ? .repeated : .refusedOtherTerms
        }
        if grant.purchasedAt > at { return .refusedFuturePurchase }
        let purchaseDay = local.day(of: grant.purchasedAt)
        let recorded = RecordedGrant(
            grant, purchaseDay: purchaseDay, firstOpenDay: firstOpenDay(today: today),
            packageQuotas: books[priceVersion(ofDay: purchaseDay + 1) - 1].packageQuotas)
        grants.append(recorded)
        if let price = grant.priceMicros { pay(recorded, .purchase, price, today: today) }
        return .recorded
    }

    /// Rates through today first, so that what was used until now speaks against it.
    mutating func void(_ code: String, today: Int) -> VoidOutcome {
        guard let index = grants.firstIndex(where: { $0.terms.code == code }) else { return .refusedUnknown }
        if grants[index].voided { return .alreadyVoided }
        _ = rate(through: today, today: today)
        if consumption.contains(where: { $0.key.grantCode == code && $0.value != 0 }) { return .refusedUsed }
        grants[index].voided = true
        if let price = grants[index].terms.priceMicros { pay(grants[index], .refund, -price, today: today) }
        return .voided
    }

    private mutating func pay(_ grant: RecordedGrant, _ source: Source, _ amountMicros: Int64, today: Int) {
        let key = LedgerKey(
            postedDay: today, usageDay: today, tenant: grant.terms.tenant, app: grant.app, item: grant.item,
            source: source, grantCode: grant.terms.code)
        paid[key] = Net(quantity: 0, amountMicros: amountMicros)
    }
}
