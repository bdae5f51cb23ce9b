// The rating run: load, rate, append the differences, settle, for every unsettled day (Billing rules, section 6).

import Accounting
import GRDB
package import LedgerStore
package import Quantities
import Rating
package import Storage
import UsageStore

/// Rates a ledger. Any number of runs, at any time, interrupted anywhere, end in the same ledger.
package struct RatingRun {
    private let file: LedgerFile
    private let properties: LedgerProperties

    package init(file: LedgerFile) throws {
        self.file = file
        properties = try file.read { try LedgerProperties.read($0) }
    }

    /// Everything that a run works from, read in one transaction.
    private struct Plan {
        let now: Instant
        let today: Day
        let days: ClosedRange<Day>
        /// The last day of the range that is final, if any.
        let finalThrough: Day?
        let changeCount: Int64
        var tenants: [TenantPlan]
        let runID: Int64?
        let writer: EntryWriter
    }

    private struct TenantPlan {
        let code: Code
        var rater: TenantRater
        let quantities: [Day: [UsageQuantity]]
        let booked: [Day: [LineKey: Booked]]
        /// The days on which the tenant can have lines at all.
        let busyDays: Set<Day>

        /// What the ledger lacks of a day, or holds too much.
        mutating func differences(on day: Day) throws -> [EntryDraft] {
            do {
                let truth = try rater.rate(postingDay: day, quantities: quantities[day] ?? [])
                return try Differences.entries(
                    tenant: code, postedDay: day, truth: truth, booked: booked[day] ?? [:])
            } catch {
                throw LedgerError.amountOutOfRange(tenant: code, day: day, error)
            }
        }
    }

    /// Computes anew every unsettled day through `date` (or through the last day ever rated), appends what differs from
    /// the ledger, settles the days that are final.
    ///
    /// - Parameters:
    ///   - dryRun: computes and reports, and writes nothing.
    ///   - between: called between two transactions; usage that is stored meanwhile waits for the next run.
    /// - Throws: ``LedgerStore/LedgerError/dayInFuture(_:today:)``; ``Quantities/Overflow``; `DatabaseError`.
    package func run(
        date: Day, clock: LedgerClock, dryRun: Bool = false, between: () throws -> Void = {}
    ) throws -> RatingReport {
        var report = RatingReport()
        let made =
            dryRun
            ? try file.rolledBack { try makePlan(date, clock, dryRun: true, $0) }
            : try file.write { try makePlan(date, clock, dryRun: false, $0) }
        guard var plan = made else {
            report.settledBefore = try file.read { try LedgerState.read($0) }.settledThrough
            return report
        }
        report.days = plan.days

        var settling: [Day] = []
        func settle(_ database: Database) throws {
            for day in settling { try LedgerState.settle(day, on: plan.today, database) }
        }
        for number in plan.days.lowerBound.number...plan.days.upperBound.number {
            let day = Day(number)
            for index in plan.tenants.indices where plan.tenants[index].busyDays.contains(day) {
                let entries = try plan.tenants[index].differences(on: day)
                guard !entries.isEmpty else { continue }
                if !dryRun {
                    try file.write { database in
                        try settle(database)
                        try plan.writer.append(entries, runID: plan.runID, at: plan.now, database)
                    }
                    settling = []
                    try between()
                }
                report.appended += entries
            }
            if let final = plan.finalThrough, day <= final {
                settling.append(day)
                report.settled.append(day)
            }
        }
        if !dryRun {
            try file.write { database in
                try settle(database)
                try LedgerState.completeRating(changeCount: plan.changeCount, database)
            }
        }
        return report
    }

    private func makePlan(_ date: Day, _ clock: LedgerClock, dryRun: Bool, _ database: Database) throws -> Plan? {
        let moment = try Moment(clock, properties, database)
        guard date <= moment.today else { throw LedgerError.dayInFuture(date, today: moment.today) }
        let grants = try Grants.all(database).filter { !$0.isVoided }
        guard let first = try Self.firstDay(moment.state, grants, database) else { return nil }
        let last = moment.state.ratedThrough.map { max($0, date) } ?? date
        guard first <= last else { return nil }

        let final = min(last, moment.today - properties.finality.finalAfterDays)
        let finalThrough = final >= first ? final : nil
        var runID: Int64?
        var changeCount = moment.state.changeCount
        if !dryRun {
            if let finalThrough { try LedgerState.close(through: finalThrough, database) }
            try LedgerState.note(moment.now, database)
            changeCount = try LedgerState.beginRating(through: last, database)
            try database.execute(
                sql: "INSERT INTO rating_run (requested_day, started_at) VALUES (?, ?)",
                arguments: [date.number, moment.now.micros])
            runID = database.lastInsertedRowID
        }
        return Plan(
            now: moment.now, today: moment.today, days: first...last, finalThrough: finalThrough,
            changeCount: changeCount,
            tenants: try tenants(first...last, grants, database), runID: runID,
            writer: try EntryWriter(properties, database))
    }

    /// The first unsettled day: after the last settled one, or the first that has usage, a grant or entries.
    private static func firstDay(
        _ state: LedgerState, _ grants: [RecordedGrant], _ database: Database
    ) throws -> Day? {
        if let settled = state.settledThrough { return settled + 1 }
        let usage = try UsageReading.firstPostingDay(database)
        let grant = grants.map(\.grant.participatesFrom).min()
        // Prices paid, and what a grant that is voided since has left.
        let entry = try RatingInputs.firstPostedDay(database)
        return [usage, grant, entry].compactMap { $0 }.min()
    }

    /// The tenants by code, each with its rater as of the eve of the first day.
    private func tenants(
        _ days: ClosedRange<Day>, _ grants: [RecordedGrant], _ database: Database
    ) throws -> [TenantPlan] {
        let history = try PriceBooks.history(database)
        let names = try Names(database)
        let counted = try UsageReading.quantities(postedOn: days, database)
        // How old usage can be follows from the usage itself: a clock that was wrong may have let in older usage.
        let firstMonth = counted.map(\.place.usageDay.month).min() ?? days.lowerBound.month
        let ledgers = try RatingInputs.tenants(firstDay: days.lowerBound, firstMonth: firstMonth, database)

        var owners: [AppID: TenantID] = [:]
        for app in try Accounts.apps(database).values { owners[app.id] = app.tenant.id }
        var quantities: [TenantID: [Day: [UsageQuantity]]] = [:]
        for usage in counted {
            guard let owner = owners[usage.app] else { continue }
            let quantity = UsageQuantity(
                app: try names.app(usage.app.number), item: try names.item(usage.item.number),
                usageDay: usage.place.usageDay, quantity: usage.quantity)
            quantities[owner, default: [:]][usage.place.postingDay, default: []].append(quantity)
        }
        return try Accounts.tenants(database).values.sorted { $0.code < $1.code }.map { tenant in
            let ledger = ledgers[tenant.id] ?? TenantLedger()
            let own = grants.filter { $0.tenant == tenant.id }.map(\.grant)
            let usage = quantities[tenant.id] ?? [:]
            return TenantPlan(
                code: tenant.code,
                rater: try TenantRater(history: history, grants: own, totals: ledger.totals),
                quantities: usage, booked: ledger.booked,
                busyDays: Set(usage.keys).union(ledger.booked.keys).union(own.map(\.life.end)))
        }
    }
}
