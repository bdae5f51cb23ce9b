// The rating run: load, rate, append the differences, settle, for every unsettled day (Billing rules, section 6).

import GRDB
package import LedgerStore
package import Quantities
import Rating
package import Storage
import UsageStore

/// Rates a ledger. Any number of runs, at any time, interrupted anywhere, end in the same ledger.
package final class RatingRun {
    private let file: LedgerFile
    private let properties: LedgerProperties
    private let entriesPerTransaction: Int
    /// The price books as the last run read them: their versions never change.
    private var history: PriceBookHistory?

    /// - Parameter entriesPerTransaction: where a transaction takes up no other tenant's day: so that those who wait for
    ///   its end wait a few milliseconds, unless a single tenant's day has more.
    package init(file: LedgerFile, entriesPerTransaction: Int = 500) throws {
        self.file = file
        self.entriesPerTransaction = entriesPerTransaction
        properties = try file.read { try LedgerProperties.read($0) }
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
        let begun =
            dryRun
            ? try file.rolledBack { try scope(date, clock, dryRun: true, $0) }
            : try file.write { try scope(date, clock, dryRun: false, $0) }
        guard let scope = begun else {
            report.settledBefore = try file.read { try LedgerState.read($0) }.settledThrough
            return report
        }
        report.days = scope.days
        var plan = try file.readAside(between: between) { [properties, history] database in
            try RatingPlan(scope, properties, known: history, database)
        }
        history = plan.history
        while true {
            let part = plan.next(entries: entriesPerTransaction)
            if !dryRun { try store(part, scope, plan.writer) }
            report.appended += part.entries
            report.settled += part.settled
            report.unrated += part.unrated
            if part.isLast { return report }
            try between()
        }
    }

    private func store(_ part: RatedPart, _ scope: RatingScope, _ writer: EntryWriter) throws {
        try file.write { database in
            try writer.append(part.entries, runID: scope.runID, at: scope.now, database)
            for day in part.settled { try LedgerState.settle(day, on: scope.today, database) }
            if part.isLast, part.unrated.isEmpty {
                try LedgerState.completeRating(changeCount: scope.changeCount, database)
            }
        }
    }

    /// Fixes what the run covers, and notes that it has begun. Days that it will settle take no more usage from then on.
    private func scope(
        _ date: Day, _ clock: LedgerClock, dryRun: Bool, _ database: Database
    ) throws -> RatingScope? {
        let moment = try Moment(clock, properties, database)
        guard date <= moment.today else { throw LedgerError.dayInFuture(date, today: moment.today) }
        // A run that finds nothing to do is a run.
        if !dryRun { try LedgerState.note(moment.now, database) }
        guard let first = try Self.firstDay(moment.state, database) else { return nil }
        let last = moment.state.ratedThrough.map { max($0, date) } ?? date
        guard first <= last else { return nil }

        let final = min(last, moment.today - properties.finality.finalAfterDays)
        let finalThrough = final >= first ? final : nil
        var runID: Int64?
        var changeCount = moment.state.changeCount
        if !dryRun {
            if let finalThrough { try LedgerState.close(through: finalThrough, database) }
            changeCount = try LedgerState.beginRating(through: last, database)
            try database.execute(
                sql: "INSERT INTO rating_run (requested_day, started_at) VALUES (?, ?)",
                arguments: [date.number, moment.now.micros])
            runID = database.lastInsertedRowID
        }
        return RatingScope(
            now: moment.now, today: moment.today, days: first...last, finalThrough: finalThrough,
            changeCount: changeCount, runID: runID)
    }

    /// The first unsettled day: after the last settled one, or the first that has usage, a grant or entries.
    static func firstDay(_ state: LedgerState, _ database: Database) throws -> Day? {
        if let settled = state.settledThrough { return settled + 1 }
        let usage = try UsageReading.firstPostingDay(database)
        let grant = try Grants.all(database).compactMap(\.grant.participatesFrom).min()
        // Prices paid, and what a grant that is voided since has left.
        let entry = try RatingInputs.firstPostedDay(database)
        return [usage, grant, entry].compactMap { $0 }.min()
    }
}
