// Recording and voiding grants, with what was paid and what is given back (billing rules, section 5).

extension BillingOracle {
    mutating func record(_ grant: History.Grant, at: Int64, today: Int) -> GrantOutcome {
        if let known = grants.first(where: { $0.terms.code == grant.code }) {
            if known.voided, misreading != .voidedCodeIsRepeated { return .refusedVoided }
            return known.terms == grant ? .repeated : .refusedOtherTerms
        }
        if grant.purchasedAt > at { return .refusedFuturePurchase }
        let purchaseDay = local.day(of: grant.purchasedAt)
        var recorded = RecordedGrant(
            grant, effectiveDay: local.day(of: local.firstInstant(of: purchaseDay + 1)),
            firstOpenDay: firstOpenDay(today: today),
            packageQuotas: books[priceVersion(ofDay: purchaseDay) - 1].packageQuotas, settings: settings)
        if misreading == .forfeitsAtTheEnd { recorded.forfeitDay = recorded.endDay }
        if misreading == .forfeitsADayLate { recorded.forfeitDay += 1 }
        grants.append(recorded)
        if let price = grant.priceMicros { pay(recorded, .purchase, price, today: today) }
        return .recorded
    }

    /// What final days draw on a grant speaks against it, also where those days are still to be rated; and of a
    /// subscription that its first day is over.
    mutating func void(_ code: String, today: Int) -> VoidOutcome {
        guard let index = grants.firstIndex(where: { $0.terms.code == code }) else { return .refusedUnknown }
        if grants[index].voided { return .alreadyVoided }
        if misreading == .voidRatesFirst { _ = rate(through: today, today: today) }
        if isDrawnOnByFinalDays(grants[index], today: today) { return .refusedUsed }
        if case .subscription = grants[index].terms.offer, today > grants[index].effectiveDay,
            misreading != .subscriptionIsVoidedAtAnyTime
        {
            return .refusedBegun
        }
        grants[index].voidedFrom = firstOpenDay(today: today)
        if let price = grants[index].terms.priceMicros { pay(grants[index], .refund, -price, today: today) }
        return .voided
    }

    private func isDrawnOnByFinalDays(_ grant: RecordedGrant, today: Int) -> Bool {
        let lastFinal = firstOpenDay(today: today) - 1
        let days: ClosedRange<Int>
        switch misreading {
        case .openDaysSpeakAgainstAVoid: days = .min ... .max
        case .onlySettledDaysSpeakAgainstAVoid: days = .min...(settledThrough ?? .min)
        default: days = .min...lastFinal
        }
        return truth(through: days.upperBound).contains { key, net in
            let isDraw = key.source == .package || key.source == .resourcePackage
            return isDraw && key.grantCode == grant.terms.code && days.contains(key.postedDay) && net.quantity != 0
        }
    }

    private mutating func pay(_ grant: RecordedGrant, _ source: Source, _ amountMicros: Int64, today: Int) {
        let key = LedgerKey(
            postedDay: today, usageDay: today, tenant: grant.terms.tenant, app: grant.app, item: grant.item,
            source: source, grantCode: grant.terms.code)
        paid[key] = Net(quantity: 0, amountMicros: amountMicros)
    }
}

extension BillingOracle {
    /// A wrong reading of the rules of grants, planted to see whether the simulation notices.
    package enum Misreading: Sendable, CaseIterable {
        /// What is left of a resource package goes on its end day, before late usage of its life has come.
        case forfeitsAtTheEnd
        case forfeitsADayLate
        /// A void rates through today, whether it succeeds or not.
        case voidRatesFirst
        case openDaysSpeakAgainstAVoid
        /// Days that are final and not yet settled don't.
        case onlySettledDaysSpeakAgainstAVoid
        case subscriptionIsVoidedAtAnyTime
        case voidedCodeIsRepeated
    }
}
