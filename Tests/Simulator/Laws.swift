// What must hold of any ledger at any time, told from its public views alone, whatever an oracle says.

import Oracle

package enum Law: String, CaseIterable, Sendable {
    case daysCountDevices = "a day's usage is the devices that count on it"
    case deviceCountsOnce = "each device counts once a month"
    case eventsAddUpToUsage = "the events stored add up to the usage"
    case everyEventIsAnswered = "every event received is answered once"
    case nothingIsDrawnBeyondAGrant = "no grant is consumed beyond what it granted"
    case nothingIsDrawnOutsideALife = "no grant is consumed outside its life"
    case nothingIsDrawnOnceForfeited = "no grant is consumed once the rest of it is forfeited"
    case billsAddUpToTheMonth = "bills add up to the month cut down"
    case ledgerOnlyGrows = "the ledger only grows"
    case finalDaysStay = "a final day never changes"
    /// This and the next hold only when a rating has just been completed.
    case entriesAddUpToUsage = "entries add up to the usage"
    case entriesAddUpToTheMonth = "a month's entries add up to the rounded month"

    fileprivate var isOfRatings: Bool { self == .entriesAddUpToUsage || self == .entriesAddUpToTheMonth }
}

/// The laws, and what of the past they need: made for one ledger, asked after each step.
package struct Laws {
    private var last: PublicViews.Entry?
    private var finalEntries: [BillingOracle.BillKey: [BillingOracle.LedgerKey: BillingOracle.Net]] = [:]
    private var finalBills: [BillingOracle.BillKey: PublicViews.Bill] = [:]
    /// How far days were settled at the step before, and how many entries there were.
    private var settled: (through: Int, entryCount: Int)?

    package init() {}

    package struct Breach: Sendable {
        package var law: Law
        package var details: [String]
    }

    /// - Parameters:
    ///   - isRated: whether a rating has just been completed.
    ///   - unitPrice: see `BillingOracle.unitPrice`.
    /// - Returns: the laws that are broken.
    package mutating func check(
        _ views: PublicViews, isRated: Bool, unitPrice: (_ item: String, _ version: Int, _ tier: Int) -> Int128?
    ) -> [Breach] {
        var breaches: [Breach] = []
        for law in Law.allCases where isRated || !law.isOfRatings {
            let details =
                switch law {
                case .daysCountDevices: Self.daysCountDevices(views)
                case .deviceCountsOnce: Self.deviceCountsOnce(views)
                case .eventsAddUpToUsage: Self.eventsAddUpToUsage(views)
                case .everyEventIsAnswered: Self.everyEventIsAnswered(views)
                case .nothingIsDrawnBeyondAGrant: Self.nothingIsDrawnBeyondAGrant(views)
                case .nothingIsDrawnOutsideALife: Self.nothingIsDrawnOutsideALife(views)
                case .nothingIsDrawnOnceForfeited: Self.nothingIsDrawnOnceForfeited(views)
                case .billsAddUpToTheMonth: Self.billsAddUpToTheMonth(views)
                case .ledgerOnlyGrows: ledgerOnlyGrows(views)
                case .finalDaysStay: finalDaysStay(views)
                case .entriesAddUpToUsage: Self.entriesAddUpToUsage(views)
                case .entriesAddUpToTheMonth: Self.entriesAddUpToTheMonth(views, unitPrice)
                }
            if !details.isEmpty { breaches.append(Breach(law: law, details: details.sorted())) }
        }
        return breaches
    }

    // MARK: Usage

    /// The days by the counters, the devices by the evidence.
    static func daysCountDevices(_ views: PublicViews) -> [String] {
        var devices: [BillingOracle.UsageKey: Int64] = [:]
        for (key, count) in views.evidence {
            let day = BillingOracle.UsageKey(
                app: key.app, item: key.item, usageDay: key.usageDay, postingDay: key.postingDay)
            devices[day, default: 0] += Int64(count)
        }
        let items = deviceItems(views)
        let used = views.usage.filter { items.contains($0.key.item) }.mapValues(\.quantity)
        return Set(devices.keys).union(used.keys).filter { devices[$0] ?? 0 != used[$0] ?? 0 }
            .map { "\($0): \(used[$0] ?? 0) devices, evidence of \(devices[$0] ?? 0)" }
    }

    private static func deviceItems(_ views: PublicViews) -> Set<String> {
        Set(views.months.keys.map(\.item)).union(views.evidence.keys.map(\.item))
    }

    static func deviceCountsOnce(_ views: PublicViews) -> [String] {
        struct Seen: Hashable {
            var month: BillingOracle.MonthKey
            var device: [UInt8]
        }
        var counted: [BillingOracle.MonthKey: Int64] = [:]
        var seen: [Seen: Int] = [:]
        for (key, count) in views.evidence {
            let month = BillingOracle.MonthKey(app: key.app, item: key.item, month: key.month)
            counted[month, default: 0] += Int64(count)
            if let device = key.device { seen[Seen(month: month, device: device), default: 0] += count }
        }
        let months = Set(counted.keys).union(views.months.keys).filter { counted[$0] != views.months[$0] }
            .map { "\($0): \(views.months[$0] ?? 0) devices, evidence of \(counted[$0] ?? 0)" }
        let twice = seen.filter { $0.value > 1 }.map { seen, count in
            "\(seen.month): device \(String(decoding: seen.device, as: UTF8.self)) counts \(count) times"
        }
        return months + twice
    }

    static func eventsAddUpToUsage(_ views: PublicViews) -> [String] {
        struct AppItem: Hashable {
            var app: String
            var item: String
        }
        let deviceItems = deviceItems(views)
        var used: [AppItem: Int64] = [:]
        for (key, usage) in views.usage where !deviceItems.contains(key.item) {
            used[AppItem(app: key.app, item: key.item), default: 0] += usage.quantity
        }
        var stored: [AppItem: Int64] = [:]
        for (key, count) in views.records {
            stored[AppItem(app: key.app, item: key.item), default: 0] += key.quantity * Int64(count)
        }
        return Set(used.keys).union(stored.keys).filter { used[$0] ?? 0 != stored[$0] ?? 0 }
            .map { "\($0.app) \($0.item): used \(used[$0] ?? 0), events of \(stored[$0] ?? 0)" }
    }

    static func everyEventIsAnswered(_ views: PublicViews) -> [String] {
        var answered: [Int: Int] = [:]
        for (key, count) in views.tally { answered[key.arrivalDay, default: 0] += count }
        return Set(answered.keys).union(views.received.keys).filter { answered[$0] != views.received[$0] }
            .map { "\(Dates.text(day: $0)): \(views.received[$0] ?? 0) received, \(answered[$0] ?? 0) answered" }
    }

    // MARK: Grants

    static func nothingIsDrawnBeyondAGrant(_ views: PublicViews) -> [String] {
        var drawn: [BillingOracle.ConsumptionKey: Int64] = [:]
        for entry in views.entries {
            guard let grant = entry.key.grantCode, let item = entry.key.item else { continue }
            switch entry.key.source {
            case .package:
                let month = Dates.month(ofDay: entry.key.usageDay)
                drawn[.init(grantCode: grant, item: item, month: month), default: 0] += entry.net.quantity
            case .resourcePackage:
                drawn[.init(grantCode: grant, item: item, month: nil), default: 0] += entry.net.quantity
            default: continue
            }
        }
        var breaches: [String] = []
        for balance in views.balances {
            let entered = drawn.removeValue(forKey: balance.key) ?? 0
            guard let granted = balance.granted else { continue }
            if balance.consumed != entered || !(0...granted).contains(entered) || balance.remaining < 0 {
                breaches.append(
                    "\(balance.key.grantCode) \(balance.key.item): granted \(granted), consumed \(balance.consumed), "
                        + "entries of \(entered), remaining \(balance.remaining)")
            }
        }
        return breaches + drawn.filter { $0.value != 0 }.map { "\($0.key): \($0.value) drawn on no grant" }
    }

    static func nothingIsDrawnOutsideALife(_ views: PublicViews) -> [String] {
        var lives: [String: Range<Int>] = [:]
        for balance in views.balances { lives[balance.key.grantCode] = balance.life }
        return views.ledger.compactMap { key, net in
            guard let grant = key.grantCode, net.quantity != 0, key.source.isUsage else { return nil }
            guard let life = lives[grant], life.contains(key.usageDay) else { return "\(key): \(net.quantity)" }
            return nil
        }
    }

    /// A resource package forfeits once, after its life, and covers nothing that is posted from that day on.
    static func nothingIsDrawnOnceForfeited(_ views: PublicViews) -> [String] {
        var forfeited: [String: Int] = [:]
        var breaches: [String] = []
        for (key, net) in views.ledger where key.source == .forfeit && net.quantity != 0 {
            guard let grant = key.grantCode else { continue }
            let end = views.balances.first { $0.key.grantCode == grant }?.life.upperBound ?? .min
            if key.postedDay < end || forfeited.updateValue(key.postedDay, forKey: grant) != nil {
                breaches.append("\(key): \(net.quantity)")
            }
        }
        for (key, net) in views.ledger where key.source.isUsage && net.quantity != 0 {
            guard let day = key.grantCode.flatMap({ forfeited[$0] }), key.postedDay >= day else { continue }
            breaches.append("\(key): \(net.quantity)")
        }
        return breaches
    }

    // MARK: Entries

    mutating func ledgerOnlyGrows(_ views: PublicViews) -> [String] {
        defer { last = views.entries.last }
        for (index, entry) in views.entries.enumerated() where entry.id != Int64(index + 1) {
            return ["entry \(entry.id) stands in place \(index + 1)"]
        }
        guard let last else { return [] }
        guard views.entries.count >= last.id, views.entries[Int(last.id) - 1] == last else {
            return ["entry \(last.id), \(last.key), is gone or another"]
        }
        return []
    }

    mutating func finalDaysStay(_ views: PublicViews) -> [String] {
        var entries: [BillingOracle.BillKey: [BillingOracle.LedgerKey: BillingOracle.Net]] = [:]
        for (key, net) in views.ledger where key.source.isUsage || key.source == .forfeit {
            entries[.init(tenant: key.tenant, postedDay: key.postedDay), default: [:]][key] = net
        }
        var bills: [BillingOracle.BillKey: PublicViews.Bill] = [:]
        for bill in views.bills { bills[bill.key] = bill }
        var breaches: [String] = []
        for (key, bill) in finalBills where bills[key] != bill {
            breaches.append("the bill of \(key) was \(bill), is \(bills[key].map { "\($0)" } ?? "gone")")
        }
        for (key, old) in finalEntries where (entries[key] ?? [:]) != old {
            breaches.append("the entries of \(key) were \(old), are \(entries[key] ?? [:])")
        }
        if let settled {
            for entry in views.entries.dropFirst(settled.entryCount)
            where entry.key.postedDay <= settled.through && (entry.key.source.isUsage || entry.key.source == .forfeit) {
                breaches.append("entry \(entry.id), \(entry.key), is new")
            }
        }
        for bill in views.bills where bill.isFinal {
            finalBills[bill.key] = bill
            finalEntries[bill.key] = entries[bill.key] ?? [:]
        }
        settled = views.progress.settledThrough.map { ($0, views.entries.count) }
        return breaches
    }

    static func entriesAddUpToUsage(_ views: PublicViews) -> [String] {
        guard let last = views.progress.ratedThrough else { return [] }
        var entered: [BillingOracle.UsageKey: Int64] = [:]
        for (key, net) in views.ledger where key.source.isUsage {
            let usage = BillingOracle.UsageKey(
                app: key.app ?? "", item: key.item ?? "", usageDay: key.usageDay, postingDay: key.postedDay)
            entered[usage, default: 0] += net.quantity
        }
        let used = views.usage.filter { $0.key.postingDay <= last }.mapValues(\.quantity)
        return Set(entered.keys).union(used.keys).filter { entered[$0] ?? 0 != used[$0] ?? 0 }
            .map { "\($0): used \(used[$0] ?? 0), entries of \(entered[$0] ?? 0)" }
    }

    static func entriesAddUpToTheMonth(
        _ views: PublicViews, _ unitPrice: (_ item: String, _ version: Int, _ tier: Int) -> Int128?
    ) -> [String] {
        struct ItemMonth: Hashable {
            var tenant: String
            var item: String
            var month: Int
        }
        var exact: [ItemMonth: Int128] = [:]
        var entered: [ItemMonth: Int64] = [:]
        var breaches: [String] = []
        for (key, net) in views.ledger where key.source.isUsage {
            let month = ItemMonth(tenant: key.tenant, item: key.item ?? "", month: Dates.month(ofDay: key.usageDay))
            entered[month, default: 0] += net.amountMicros
            guard let tier = key.tier else { continue }
            guard let version = key.priceVersion, let price = unitPrice(month.item, version, tier) else {
                breaches.append("\(key) has no price")
                continue
            }
            exact[month, default: 0] += Int128(net.quantity) * price
        }
        for (month, amount) in entered {
            let rounded = BillingOracle.rounded(exact[month] ?? 0)
            guard rounded != amount else { continue }
            breaches.append(
                "\(month.tenant) \(month.item) \(Dates.text(month: month.month)): \(amount), rounded \(rounded)")
        }
        return breaches
    }

    static func billsAddUpToTheMonth(_ views: PublicViews) -> [String] {
        struct TenantMonth: Hashable {
            var tenant: String
            var month: Int
        }
        let cent: Int64 = 10_000
        var entered: [TenantMonth: Int64] = [:]
        for entry in views.entries where entry.key.source.isUsage {
            let month = TenantMonth(tenant: entry.key.tenant, month: Dates.month(ofDay: entry.key.postedDay))
            entered[month, default: 0] += entry.net.amountMicros
        }
        var billed: [TenantMonth: (amount: Int64, payable: Int64)] = [:]
        for bill in views.bills {
            let month = TenantMonth(tenant: bill.key.tenant, month: Dates.month(ofDay: bill.key.postedDay))
            billed[month, default: (0, 0)].amount += bill.amountMicros
            billed[month, default: (0, 0)].payable += bill.payableMicros
        }
        var breaches: [String] = []
        for month in Set(entered.keys).union(billed.keys) {
            let (amount, bill) = (entered[month] ?? 0, billed[month] ?? (0, 0))
            let statement = views.statements.first { $0.tenant == month.tenant && $0.month == month.month }
            if bill.amount == amount, bill.payable == amount / cent * cent, statement?.amountMicros == amount,
                statement?.payableMicros == bill.payable, statement?.remainderMicros == amount - bill.payable
            {
                continue
            }
            breaches.append(
                "\(month.tenant) \(Dates.text(month: month.month)): entries of \(amount), bills of \(bill), "
                    + "statement \(statement.map { "\($0)" } ?? "-")")
        }
        return breaches
    }
}
