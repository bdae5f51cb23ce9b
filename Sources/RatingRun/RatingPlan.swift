// What a rating run works from, and the entries that come of it, a tenant's day at a time.

import Accounting
import GRDB
import LedgerStore
import Quantities
import Rating
import Storage
import UsageStore

/// Which days a run covers: fixed in its first transaction, from which on the days to be settled take no more usage.
struct RatingScope: Sendable {
    let now: Instant
    let today: Day
    let days: ClosedRange<Day>
    /// The last day of the range that is final, if any.
    let finalThrough: Day?
    let changeCount: Int64
    /// nil for a dry run.
    let runID: Int64?
}

/// A few tenants' days, each whole: what one transaction appends.
struct RatedPart {
    var entries: [EntryDraft] = []
    /// Days whose last tenant is among these, or had nothing to append.
    var settled: [Day] = []
    var isLast = false
    /// All of them, in the last part.
    var unrated: [UnratedTenant] = []
}

/// Everything that a run reads, and how far it has rated. A value that any thread may make.
struct RatingPlan: Sendable {
    let writer: EntryWriter
    let history: PriceBookHistory
    private let scope: RatingScope
    private var tenants: [TenantPlan]
    private var day: Day
    /// The tenant whose turn it is on the day.
    private var turn = 0
    /// Once there are any, no day is settled.
    private var unrated: [UnratedTenant] = []

    private struct TenantPlan: Sendable {
        let code: Code
        /// Nil once a day could not be rated: what comes after it depends on it.
        var rater: TenantRater?
        let quantities: [Day: [UsageQuantity]]
        let booked: [Day: [LineKey: Booked]]
        /// The days on which the tenant can have lines at all.
        let busyDays: Set<Day>
        /// What the ledger lacks of a day, or holds too much.
        mutating func differences(on day: Day) throws(Overflow) -> [EntryDraft] {
            guard let truth = try rater?.rate(postingDay: day, quantities: quantities[day] ?? []) else { return [] }
            return try Differences.entries(tenant: code, postedDay: day, truth: truth, booked: booked[day] ?? [:])
        }
    }

    // MARK: Rating

    /// Rates on, days in order and in each the tenants by code, until there are so many entries or it is done.
    mutating func next(entries bound: Int) -> RatedPart {
        var part = RatedPart()
        while day <= scope.days.upperBound {
            while turn < tenants.count {
                guard part.entries.count < bound else { return part }
                if tenants[turn].busyDays.contains(day) {
                    do {
                        part.entries += try tenants[turn].differences(on: day)
                    } catch {
                        tenants[turn].rater = nil
                        unrated.append(
                            UnratedTenant(tenant: tenants[turn].code, day: day, reason: error.description))
                    }
                }
                turn += 1
            }
            if let final = scope.finalThrough, day <= final, unrated.isEmpty { part.settled.append(day) }
            day = day + 1
            turn = 0
        }
        part.isLast = true
        part.unrated = unrated
        return part
    }

    // MARK: Reading

    /// - Parameter known: the versions of the price book that were read before.
    init(
        _ scope: RatingScope, _ properties: LedgerProperties, known: PriceBookHistory?, _ database: Database
    ) throws {
        self.scope = scope
        day = scope.days.lowerBound
        history = try PriceBooks.history(database, known: known)
        let names = try Names(database)
        writer = EntryWriter(properties, names)

        let counted = try UsageReading.quantities(postedOn: scope.days, database)
        // How old usage can be follows from the usage itself: a clock that was wrong may have let in older usage.
        let firstMonth = counted.map(\.place.usageDay.month).min() ?? scope.days.lowerBound.month
        let ledgers = try RatingInputs.tenants(
            firstDay: scope.days.lowerBound, firstMonth: firstMonth, finality: properties.finality, names, database)
        let owners = try Accounts.owners(database)
        var quantities: [TenantID: [Day: [UsageQuantity]]] = [:]
        for usage in counted {
            guard let owner = owners[usage.app] else { continue }
            let quantity = UsageQuantity(
                app: try names.app(usage.app.number), item: try names.item(usage.item.number),
                usageDay: usage.place.usageDay, quantity: usage.quantity)
            quantities[owner, default: [:]][usage.place.postingDay, default: []].append(quantity)
        }
        let grants = Dictionary(grouping: try Grants.all(database), by: \.tenant)
        let history = history
        var unrated: [UnratedTenant] = []
        tenants = try Accounts.tenants(database).values.sorted { $0.code < $1.code }.map { tenant in
            let ledger = ledgers[tenant.id] ?? TenantLedger()
            let own = grants[tenant.id, default: []].map(\.grant)
            let usage = quantities[tenant.id] ?? [:]
            var rater: TenantRater?
            do {
                rater = try TenantRater(
                    history: history, grants: own, totals: ledger.totals, finality: properties.finality)
            } catch {
                unrated.append(
                    UnratedTenant(tenant: tenant.code, day: scope.days.lowerBound, reason: "\(error)"))
            }
            return TenantPlan(
                code: tenant.code, rater: rater,
                quantities: usage, booked: ledger.booked,
                busyDays: Set(usage.keys).union(ledger.booked.keys).union(own.compactMap(\.forfeitDay)))
        }
        self.unrated = unrated
    }
}
