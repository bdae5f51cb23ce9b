// A grant as it was recorded: when it is valid, and in which posting days it takes part (billing rules, section 5).

struct RecordedGrant {
    var terms: History.Grant
    /// The first day it is valid, the date after the purchase.
    var effectiveDay: Int
    /// The first day it is no longer valid.
    var endDay: Int
    /// The earliest day that was open when it was recorded.
    var firstPostingDay: Int
    /// What a mini program package grants every month, by item, as it was sold.
    var packageQuotas: [String: History.Quota]
    var voided = false

    init(
        _ terms: History.Grant, purchaseDay: Int, firstOpenDay: Int, packageQuotas: [String: History.Quota]
    ) {
        self.terms = terms
        self.packageQuotas = packageQuotas
        effectiveDay = purchaseDay + 1
        endDay = Dates.day(effectiveDay, monthsLater: Self.months(of: terms.offer))
        firstPostingDay = firstOpenDay
    }

    var takesPartFrom: Int {
        max(effectiveDay, firstPostingDay)
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

    /// Whether usage of the day draws on it when it is posted on the posting day.
    func covers(usageDay: Int, postingDay: Int) -> Bool {
        let valid = usageDay >= effectiveDay && usageDay < endDay && postingDay >= firstPostingDay
        if case .resourcePackage = terms.offer { return valid && postingDay < endDay }
        return valid
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
