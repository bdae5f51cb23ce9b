// Whether grants gave what they had, to whom they belonged, while they lasted (Billing rules, section 5).

import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static var grants: Check {
        Check(name: "grants") { slices, findings in
            var entries = try GrantEntries(slices)
            // Ends in a transaction in which all entries are taken in: what was drawn in all is compared there.
            let grants = try slices.readAtEnd(of: { try entries.takeIn($0, &findings) }) { database in
                let grants = try Grants.all(database)
                try lives(grants, database, &findings)
                try terms(grants, database, &findings)
                try entries.compare(grants, database, &findings)
                return grants.count
            }
            return "\(counted(grants, "grant")), \(counted(entries.count, "entry", plural: "entries")) on them"
        }
    }

    /// A grant becomes effective on the date after its purchase, and ends on the same date a term later.
    private static func lives(_ grants: [RecordedGrant], _ database: Database, _ findings: inout Findings) throws {
        let calendar = try DayCalendar.stored(database)
        let finality = try LedgerProperties.read(database).finality
        let closedThrough = try LedgerState.read(database).closedThrough
        for recorded in grants {
            let (grant, life) = (recorded.grant, recorded.grant.life)
            if recorded.recordedAt < grant.purchasedAt {
                findings.add(
                    "grant \(grant.code) was bought at \(grant.purchasedAt), but recorded at \(recorded.recordedAt)")
            }
            // Where the ledger has used no days, only the zone's tables of then could tell.
            if let purchase = calendar?.dayOutsideGaps(of: grant.purchasedAt), life.effective != purchase + 1 {
                findings.add("grant \(grant.code) was bought on \(purchase), but is effective on \(life.effective)")
            }
            let end = life.effective.adding(months: recorded.term.months)
            if life.end != end {
                findings.add(
                    "grant \(grant.code) is effective on \(life.effective) and ends on \(life.end), its term on \(end)")
            }
            if recorded.offer == .subscription, let voidedAt = recorded.voidedAt,
                let voided = calendar?.latestDayBegun(by: voidedAt), life.effective < voided
            {
                findings.add(
                    "subscription \(grant.code) was voided on \(voided), after its first day, \(life.effective), had ended"
                )
            }
            // What was closed by then is not known any more.
            func compareFirstOpen(_ day: Day, at instant: Instant, _ what: (Day) -> String) {
                guard let today = calendar?.latestDayBegun(by: instant) else { return }
                let earliest = finality.earliestOpenDay(today: today, closedThrough: nil)
                let latest = finality.earliestOpenDay(today: today, closedThrough: closedThrough)
                guard day < earliest || latest < day else { return }
                findings.add(
                    "\(what(today)) from \(day) on; the first that was open then is none before \(earliest) or after "
                        + "\(latest)")
            }
            compareFirstOpen(grant.firstPostingDay, at: recorded.recordedAt) {
                "grant \(grant.code), recorded on \($0), changes posting days"
            }
            if let voidedAt = recorded.voidedAt, let voidedFrom = grant.voidedFrom {
                compareFirstOpen(voidedFrom, at: voidedAt) {
                    "grant \(grant.code), voided on \($0), takes no part in posting days"
                }
            }
        }
    }

    /// A grant is what a version of the price book sells; which one is not recorded, it was in force by the day of the
    /// purchase.
    private static func terms(_ grants: [RecordedGrant], _ database: Database, _ findings: inout Findings) throws {
        // Of a book that can't be read another check tells.
        guard let versions = try? PriceBooks.history(database).versions else { return }
        let calendar = try DayCalendar.stored(database)
        for recorded in grants {
            let purchase =
                calendar?.dayOutsideGaps(of: recorded.grant.purchasedAt) ?? recorded.grant.life.effective - 1
            let books = versions.filter { $0.number == 1 || $0.book.effective <= purchase }.map(\.book)
            guard !books.contains(where: { $0.sells(recorded) }) else { continue }
            let what =
                recorded.granted.sorted { $0.key < $1.key }.map { "\($0.value.units) of item \($0.key)" }
                + [recorded.devices.map { "for \(counted($0, "device"))" }, recorded.item.map { "of \($0)" }].compactMap
            { $0 }
            findings.add(
                "grant \(recorded.grant.code) is a \(recorded.offer.rawValue) for a \(recorded.term.rawValue) with "
                    + "\(what.isEmpty ? "nothing" : what.joined(separator: ", ")); no version of the price book that was in "
                    + "force by \(purchase) sells that")
        }
    }
}

extension PriceBook {
    /// Whether a grant can have been bought under this book.
    fileprivate func sells(_ recorded: RecordedGrant) -> Bool {
        guard (recorded.app != nil) == (recorded.offer == .subscription) else { return false }
        switch recorded.offer {
        case .miniProgramPackage:
            guard let package = miniProgramPackage, let devices = recorded.devices, recorded.item == nil else {
                return false
            }
            return package.term == recorded.term && package.devices.contains(devices)
                && package.granted(devices: devices) == recorded.granted
        case .resourcePackage:
            guard let item = recorded.item, let priced = items[item], case .tiers = priced.pricing else { return false }
            return resourcePackage?.term == recorded.term && Array(recorded.granted.keys) == [item]
                && recorded.devices == nil
        case .subscription:
            guard let licence = recorded.item, isLicence(licence) else { return false }
            return subscription?.terms.contains(recorded.term) == true && recorded.granted.isEmpty
                && recorded.devices == nil
        }
    }
}

/// The entries that name a grant, each alone and added up.
private struct GrantEntries {
    /// Of a package an item and usage month, of a resource package all.
    private struct Quota: Hashable, Comparable {
        let grant: Int64
        let item: Int64
        let month: Month?

        static func < (left: Quota, right: Quota) -> Bool {
            (left.grant, left.item, left.month?.number ?? 0) < (right.grant, right.item, right.month?.number ?? 0)
        }
    }

    private let slices: Slices
    private let labels: Labels
    private let rows = EntryRows(
        "entry_id, posted_day, usage_day, tenant_id, item_id, source, grant_id, quantity, amount_micros",
        where: "grant_id IS NOT NULL OR source IN ('package', 'resource_package', 'forfeit', 'purchase', 'refund')")
    private var grants: [Int64: RecordedGrant] = [:]
    private var items: [Int64: Code] = [:]
    private var months = MonthsOfDays()
    private(set) var count = 0

    /// What was drawn and forfeited, by posting day; those that were settled when the check began are one.
    private var drawn: [Quota: [Day: Quantity]] = [:]
    private let settled: Day
    /// What was drawn, without what was forfeited, by posting day as in ``drawn``.
    private var used: [Int64: [Day: Quantity]] = [:]
    /// What the entries say was paid, and given back; those of another tenant are no payment.
    private var purchases: [Int64: Money] = [:]
    private var refunds: [Int64: Money] = [:]

    init(_ slices: Slices) throws {
        self.slices = slices
        (labels, settled) = try slices.read { try (Labels($0), RatedSpan($0).settledThrough ?? Day(-1)) }
    }

    /// - Returns: whether these are all.
    mutating func takeIn(_ database: Database, _ findings: inout Findings) throws -> Bool {
        try rows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
            count += 1
            let entry = "entry \(row.integer(0))"
            if row.integer(6) > 0, grants[row.integer(6)] == nil { try readGrants(database) }
            guard let grant = grants[row.integer(6)], let source = Source(bytes: row.bytes(5)) else {
                findings.add("\(entry) names no grant")
                return
            }
            if grant.tenant.number != row.integer(3) {
                findings.add(
                    "\(entry) is of \(labels.tenant(row.integer(3))), its grant \(grant.grant.code) of "
                        + labels.tenant(grant.tenant.number))
            }
            let drawnEntry = DrawnEntry(
                source: source, item: items[row.integer(4)], postedDay: day(row.integer(1)),
                usageDay: day(row.integer(2)))
            for objection in drawnEntry.objections(to: grant) { findings.add("\(entry) \(objection)") }
            try add(row, source, grant)
        }
    }

    private mutating func readGrants(_ database: Database) throws {
        grants = Dictionary(uniqueKeysWithValues: try Grants.all(database).map { ($0.id, $0) })
        items = Dictionary(uniqueKeysWithValues: try PriceBooks.itemIDs(database).map { ($0.value.number, $0.key) })
    }

    private mutating func add(_ row: RawStatement, _ source: Source, _ grant: RecordedGrant) throws {
        let (quantity, amount) = (Quantity(row.integer(7)), Money(micros: row.integer(8)))
        switch source {
        case .package, .resourcePackage, .forfeit:
            let month = source == .package ? Month(number: Int(months.month(of: row.integer(2)))) : nil
            let quota = Quota(grant: grant.id, item: row.integer(4), month: month)
            let posted = max(day(row.integer(1)), settled)
            try drawn[quota, default: [:]][posted, default: .zero] += quantity
            if source != .forfeit { try used[grant.id, default: [:]][posted, default: .zero] += quantity }
        case .purchase where grant.tenant.number == row.integer(3):
            purchases[grant.id] = try (purchases[grant.id] ?? .zero) + amount
        case .refund where grant.tenant.number == row.integer(3):
            refunds[grant.id] = try (refunds[grant.id] ?? .zero) + amount
        case .purchase, .refund, .allowance, .overage, .free, .adjustment: break
        }
    }

    // MARK: Sums

    /// Compares what the entries add up to with the grants as they stand in the transaction that took in the last entry.
    func compare(_ grants: [RecordedGrant], _ database: Database, _ findings: inout Findings) throws {
        let through = try RatedSpan(database).comparableThrough
        let currency = try LedgerProperties.read(database).currency
        try compareDrawn(through, database, &findings)
        for grant in grants {
            try voidedButDrawn(grant, through, &findings)
            try comparePrice(grant, currency, &findings)
        }
    }

    /// A run may take a draw back on a later day than the one where it gives it: only a complete run, or a settled day,
    /// has done both.
    private func compareDrawn(_ through: Day?, _ database: Database, _ findings: inout Findings) throws {
        guard let through else { return }
        var granted: [Quota: Quantity] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT grant_id, item_id, granted FROM grant_item") {
            granted[Quota(grant: row["grant_id"], item: row["item_id"], month: nil)] = Quantity(row["granted"])
        }
        for (quota, days) in drawn.sorted(by: { $0.key < $1.key }) {
            var sum = Quantity.zero
            for (day, quantity) in days where day <= through { try sum += quantity }
            let most = granted[Quota(grant: quota.grant, item: quota.item, month: nil)] ?? .zero
            guard sum < .zero || most < sum else { continue }
            findings.add(
                "\(labels.grant(quota.grant)), \(labels.item(quota.item))\(quota.month.map { ", \($0)" } ?? ""): "
                    + "\(sum.units) units are drawn or forfeited, \(most.units) were granted")
        }
    }

    /// A grant that a final day draws on can't be voided, and the rating after a void takes back what open days have drawn.
    /// What it forfeited is no draw.
    private func voidedButDrawn(_ grant: RecordedGrant, _ through: Day?, _ findings: inout Findings) throws {
        guard let through, grant.isVoided else { return }
        var sum = Quantity.zero
        for (day, quantity) in used[grant.id] ?? [:] where day <= through { try sum += quantity }
        if sum != .zero {
            findings.add("grant \(grant.grant.code) is voided, but \(sum.units) units are drawn on it")
        }
    }

    /// The price paid stands in the ledger as an entry, and once more, taken back, when the grant was voided.
    private func comparePrice(_ grant: RecordedGrant, _ currency: Currency, _ findings: inout Findings) throws {
        let price = grant.price ?? .zero
        if !currency.canPay(price) {
            findings.add("grant \(grant.grant.code) has a price of \(price); \(currency.minorUnitRule)")
        }
        let refund = grant.isVoided ? try .zero - price : Money.zero
        let (purchased, refunded) = (purchases[grant.id] ?? .zero, refunds[grant.id] ?? .zero)
        if price != purchased || refund != refunded {
            findings.add(
                "grant \(grant.grant.code): a price of \(price) and a refund of \(refund) are recorded, the entries say "
                    + "\(purchased) and \(refunded)")
        }
    }
}

/// What an entry on a grant must keep to.
private struct DrawnEntry {
    let source: Source
    let item: Code?
    let postedDay: Day
    let usageDay: Day

    func objections(to recorded: RecordedGrant) -> [String] {
        let grant = recorded.grant
        switch source {
        case .package, .resourcePackage:
            let offer: Offer = source == .package ? .miniProgramPackage : .resourcePackage
            if recorded.offer != offer {
                return ["draws on grant \(grant.code) as a \(offer.rawValue), which it is not"]
            }
            if !covers(grant) { return ["draws on grant \(grant.code), which does not cover item \(name(item))"] }
            var objections: [String] = []
            if !grant.life.covers(usageDay) {
                objections.append(
                    "draws on grant \(grant.code) for usage day \(usageDay), outside of its life from "
                        + "\(grant.life.effective) to \(grant.life.end)")
            }
            if postedDay < grant.firstPostingDay {
                objections.append(
                    "draws on grant \(grant.code) on posting day \(postedDay), before its first, "
                        + "\(grant.firstPostingDay)"
                )
            }
            if let forfeitDay = grant.forfeitDay, postedDay >= forfeitDay {
                objections.append(
                    "draws on grant \(grant.code) on posting day \(postedDay), after it was forfeited on \(forfeitDay)")
            }
            return objections
        case .forfeit:
            if recorded.offer != .resourcePackage || !covers(grant) {
                return ["forfeits item \(name(item)) of grant \(grant.code), which is no resource package of it"]
            }
            guard let forfeitDay = grant.forfeitDay else {
                return ["forfeits grant \(grant.code), which was recorded after its forfeit day"]
            }
            if postedDay != forfeitDay || usageDay != forfeitDay {
                return ["forfeits grant \(grant.code) on \(postedDay), not on its forfeit day \(forfeitDay)"]
            }
            return []
        case .purchase, .refund: return []
        case .allowance, .overage, .free, .adjustment: return ["of source \(source.rawValue) names grant \(grant.code)"]
        }
    }

    private func covers(_ grant: Grant) -> Bool {
        guard let item else { return false }
        return switch grant.coverage {
        case .package(let monthly): monthly[item] != nil
        case .resourcePackage(let covered, _): covered == item
        case .subscription: false
        }
    }

    private func name(_ item: Code?) -> String { item?.text ?? "none" }
}
