// Random purchases: some begin and some end inside the history, some are recorded late, all run out soon.

struct RandomGrants {
    let local: LocalDates
    let settings: History.Settings
    private var made: [History.Grant] = []
    private var notVoided: [String] = []

    init(local: LocalDates, settings: History.Settings) {
        self.local = local
        self.settings = settings
    }

    mutating func grant(at now: Int64, _ random: inout SplitMix64) -> History.Grant {
        if !made.isEmpty, random.chance(percent: 10) { return random.pick(made) }
        var tenant = random.pick(settings.tenants).code
        var offer = offer(tenant: tenant, &random)
        var purchasedAt = purchase(offer, at: now, &random)
        if !made.isEmpty, random.chance(percent: 25) {
            // A twin, so that the last rules of the order decide between the two.
            let twin = random.pick(made)
            (tenant, offer) = (twin.tenant, twin.offer)
            purchasedAt = min(now, twin.purchasedAt + random.pick([0, 0, 1, -1, 3_600_000_000, 86_400_000_000]))
        }
        let code = random.pick(["A", "b", "M", "z"]) + "\(made.count + 1)"
        let price: Int64? = random.chance(percent: 50) ? random.int64(0...1_000) * 10_000 : nil
        let grant = History.Grant(
            code: code, tenant: tenant, offer: offer, purchasedAt: purchasedAt, priceMicros: price)
        made.append(grant)
        notVoided.append(code)
        return grant
    }

    /// A code that no void was asked for yet, nil when there is none.
    mutating func codeToVoid(_ random: inout SplitMix64) -> String? {
        guard !notVoided.isEmpty else { return nil }
        return notVoided.remove(at: random.int(0...(notVoided.count - 1)))
    }

    /// One that was bought in the last instant of yesterday.
    mutating func grantInForce(at now: Int64, _ random: inout SplitMix64) -> History.Grant {
        let tenant = random.pick(settings.tenants).code
        let price: Int64? = random.chance(percent: 50) ? random.int64(0...1_000) * 10_000 : nil
        let grant = History.Grant(
            code: random.pick(["A", "b", "M", "z"]) + "\(made.count + 1)", tenant: tenant,
            offer: offer(tenant: tenant, &random), purchasedAt: local.firstInstant(of: local.day(of: now)) - 1,
            priceMicros: price)
        made.append(grant)
        return grant
    }

    private func offer(tenant: String, _ random: inout SplitMix64) -> History.Offer {
        let apps = settings.apps.filter { $0.tenant == tenant }.map(\.code)
        switch random.int(1...10) {
        case 1...3:
            return .miniProgramPackage(devices: random.int64(1...3))
        case 4 where !apps.isEmpty:
            return .subscription(
                item: "security_armor", app: random.pick(apps), term: random.pick([.month, .year]))
        case 5...7:
            return .resourcePackage(item: "gateway_calls", quantity: random.int64(1...60))
        default:
            return .resourcePackage(
                item: random.pick(History.PriceBook.deviceItems), quantity: random.int64(1...5))
        }
    }

    private func purchase(_ offer: History.Offer, at now: Int64, _ random: inout SplitMix64) -> Int64 {
        let today = local.day(of: now)
        let dayMicros: Int64 = 86_400_000_000
        switch random.int(1...10) {
        case 1...3: return now
        case 4...5: return now - random.int64(0...(Int64(settings.finalAfterDays + 3) * dayMicros))
        case 6: return min(now, local.firstInstant(of: today - random.int(0...4)) - random.pick([0, 1]))
        case 7 where !made.isEmpty: return min(now, random.pick(made).purchasedAt)
        default: return purchaseEnding(around: today, offer, now: now, &random)
        }
    }

    /// The term before a day not far from today, so that the grant ends while the history lasts.
    private func purchaseEnding(
        around today: Int, _ offer: History.Offer, now: Int64, _ random: inout SplitMix64
    ) -> Int64 {
        var months = 12
        if case .subscription(_, _, .month) = offer { months = 1 }
        let end = today + random.pick([-5, -3, -2, -1, 0, 1, 1, 2, 3, 5, 10, 20])
        let purchaseDay = Dates.day(end, monthsLater: -months) - 1
        let first = local.firstInstant(of: purchaseDay)
        let last = local.firstInstant(of: purchaseDay + 1) - 1
        return min(now, random.pick([first, last, first + (last - first) / 2]))
    }
}
