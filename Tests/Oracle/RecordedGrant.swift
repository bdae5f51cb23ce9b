// A grant as it was recorded: when it is valid, and in which posting days it takes part (billing rules, section 5).

struct RecordedGrant {
    var terms: History.Grant
    /// The first day it is valid, the next local date after the purchase.
    var effectiveDay: Int
    /// The first day it is no longer valid.
    var endDay: Int
    /// The earliest day that was open when it was recorded.
    var firstPostingDay: Int
    /// What a mini program package grants every month, by item, as it was sold.
    var packageQuotas: [String: History.Quota]
    /// The first day on which nothing can be posted any more that was used while it was valid.
    var forfeitDay: Int
    /// The earliest day that was open when it was voided, if it was.
    var voidedFrom: Int?

    init(
        _ terms: History.Grant, effectiveDay: Int, firstOpenDay: Int, packageQuotas: [String: History.Quota],
        settings: History.Settings
    ) {
        self.terms = terms
        self.packageQuotas = packageQuotas
        self.effectiveDay = effectiveDay
        endDay = Dates.day(effectiveDay, monthsLater: Self.months(of: terms.offer))
        firstPostingDay = firstOpenDay
        // Usage of the last day may arrive so late, and is then posted on the earliest day that is not final.
        let lastDay = endDay - 1
        let lastArrival = lastDay + settings.maxAgeDays
        forfeitDay = max(lastDay, lastArrival - (settings.finalAfterDays - 1)) + 1
    }

    var voided: Bool { voidedFrom != nil }

    /// The first day in which it takes part; nil if it was voided before that was final.
    var takesPartFrom: Int? {
        let first = max(effectiveDay, firstPostingDay)
        return takesPart(in: first) ? first : nil
    }

    /// A grant changes no day that was final when it was recorded; nor does a void.
    private func takesPart(in postingDay: Int) -> Bool {
        postingDay >= firstPostingDay && postingDay < voidedFrom ?? .max
    }

    /// The item that its purchase names; a mini program package is of several items.
    var item: String? {
        switch terms.offer {
        case .miniProgramPackage: nil
        case .resourcePackage(let item, _): item
        case .subscription(let item, _, _): item
        }
    }

    /// The app that its purchase names: a subscription is for one.
    var app: String? {
        if case .subscription(_, let app, _) = terms.offer { return app }
        return nil
    }

    /// Whether it forfeits on its forfeit day what is left.
    var forfeits: Bool {
        if case .resourcePackage = terms.offer { return takesPart(in: forfeitDay) }
        return false
    }

    /// Whether usage of the day draws on it when it is posted on the posting day. What was forfeited covers nothing: where
    /// days were settled ahead of the clock, usage may be posted after that.
    func covers(usageDay: Int, postingDay: Int) -> Bool {
        let isValid = usageDay >= effectiveDay && usageDay < endDay
        let isForfeited = forfeits && postingDay >= forfeitDay
        return isValid && takesPart(in: postingDay) && !isForfeited
    }

    /// The order in which grants of one kind are drawn on.
    func isDrawnBefore(_ other: RecordedGrant) -> Bool {
        if endDay != other.endDay { return endDay < other.endDay }
        if effectiveDay != other.effectiveDay { return effectiveDay < other.effectiveDay }
        if terms.purchasedAt != other.terms.purchasedAt { return terms.purchasedAt < other.terms.purchasedAt }
        return Bytes(terms.code) < Bytes(other.terms.code)
    }

    private static func months(of offer: History.Offer) -> Int {
        switch offer {
        case .miniProgramPackage, .resourcePackage: 12
        case .subscription(_, _, let term): term == .year ? 12 : 1
        }
    }
}
