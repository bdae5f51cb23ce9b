// Whether the ledger's days follow each other: when they begin, which are closed and settled, what prices them.

import GRDB
import LedgerStore
import Quantities
import Rating

extension Check {
    /// - Parameter machine: nil where nothing is to be compared with it.
    static func days(_ machine: MachineClock?) -> Check {
        // A row a day: all of them together are few.
        Check(name: "days") { slices, findings in
            try slices.read { database in
                let properties = try LedgerProperties.read(database)
                let state = try LedgerState.read(database)
                let settled = try settledDays(state, properties.finality, database, &findings)
                let starts = try dayStarts(database, &findings)
                let versions = try PriceBooks.history(database).versions
                try priceBooks(versions, database, &findings)
                findings.add(try feeds(versions.map(\.book), database))
                try runs(state, properties.finality, database, &findings)
                findings.add(try ahead(of: machine, database))
                findings.add(try sealing(database))
                if let count = try Int64.fetchOne(
                    database, sql: "SELECT change_count - rated_change_count FROM ledger_state"), count < 0
                {
                    findings.add("the last run rated \(counted(-count, "change")) more than the ledger has noted")
                }
                return "\(counted(settled, "settled day")), \(counted(starts, "day start")), "
                    + counted(versions.count, "price book version")
            }
        }
    }

    /// What runs were asked for, and what the state says of it, which are written together. A run is asked for no day that
    /// is yet to come, and closes the days that are final on its date, through the last day ever rated (Billing rules,
    /// section 6).
    private static func runs(
        _ state: LedgerState, _ finality: FinalityRule, _ database: Database, _ findings: inout Findings
    ) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT run_id, started_at, requested_day FROM rating_run ORDER BY run_id")
        var present = PresentDays()
        var last: Day?
        // The last day that each run closes, if there is any to close: not always later than that of the run before, which
        // may have gone by a clock that ran ahead.
        var closed: Set<Day> = []
        for row in rows {
            let (id, start): (Int64, Instant) = (row["run_id"], Instant(micros: row["started_at"]))
            let requested = Day(row["requested_day"] as Int)
            let through = last.map { max($0, requested) } ?? requested
            last = through
            guard let date = try present.date(of: start, database) else {
                findings.add("run \(id) began at \(start), when the ledger was not there")
                continue
            }
            if requested > date {
                findings.add("run \(id) began on \(date), and was asked for \(requested), which was yet to come")
            }
            closed.insert(min(through, date - finality.finalAfterDays))
        }
        if last != state.ratedThrough {
            findings.add(
                "the last day that a run was asked for is \(describe(last)), the state says that days through "
                    + "\(describe(state.ratedThrough)) were rated")
        }
        if let day = state.closedThrough, !closed.contains(day) {
            findings.add(
                "days through \(day) are closed, but no run closed them: of \(counted(rows.count, "run")), the last day that one "
                    + "closed is \(describe(closed.max()))")
        }
    }

    /// What the clock had not shown yet it can't have recorded.
    private static func ahead(of machine: MachineClock?, _ database: Database) throws -> [String] {
        guard let ahead = try AheadOfClock(database, machine), ahead.isFar else { return [] }
        return [
            "the latest instant that the ledger has recorded is \(ahead.latest), but this machine's clock shows \(ahead.now); "
                + "until then a clock that is wrong would be believed. Set the clock if it is wrong; if it is right, run "
                + "'meterd clock confirm'"
        ]
    }

    /// The mark of a sealing that was interrupted is whole, or not there.
    private static func sealing(_ database: Database) throws -> [String] {
        let marks = try Int.fetchOne(
            database,
            sql: """
                SELECT
                    (posting_day IS NOT NULL) + (month IS NOT NULL) + (item_id IS NOT NULL) + (device_id IS NOT NULL)
                FROM seal_progress
                """)
        return [0, 4].contains(marks) ? [] : ["the mark of how far the sealing of a day has come is not whole"]
    }

    private static func settledDays(
        _ state: LedgerState, _ finality: FinalityRule, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let rows = try Row.fetchAll(database, sql: "SELECT day, settled_on FROM settled_day ORDER BY day")
        var last: Day?
        for row in rows {
            let day = Day(row["day"] as Int)
            let settledOn = Day(row["settled_on"] as Int)
            if let last, day != last + 1 {
                findings.add("settled days go from \(last) to \(day), with a gap between them")
            }
            if !finality.isFinal(day, today: settledOn) {
                findings.add(
                    "\(day) was settled on \(settledOn), before it was final on \(day + finality.finalAfterDays)")
            }
            last = day
        }
        if last != state.settledThrough {
            findings.add(
                "the last settled day is \(describe(last)), the state says that days through "
                    + "\(describe(state.settledThrough)) are settled")
        }
        if let settled = state.settledThrough, state.closedThrough.map({ $0 < settled }) ?? true {
            findings.add(
                "days through \(settled) are settled, but only days through \(describe(state.closedThrough)) are closed"
            )
        }
        return rows.count
    }

    /// Where a clock is set back over midnight, a day's segment comes after one of the day that follows: a step back is
    /// by one day, and only within the hours around midnight.
    private static func dayStarts(_ database: Database, _ findings: inout Findings) throws -> Int {
        let rows = try Row.fetchAll(database, sql: "SELECT starts_at, day FROM day_start ORDER BY starts_at")
        // No zone is more than 15 hours off; a change may add to that.
        let reach = 16 * 3600
        // The largest change of a zone since 1970 was by 7 hours (Vostok, 1994), but for days that were left out as a whole.
        let (shortest, longest) = (16 * 3600, 32 * 3600)
        var last: (start: Instant, day: Day)?
        var firstStarts: [Day: Instant] = [:]
        for row in rows {
            let start = Instant(micros: row["starts_at"])
            let day = Day(row["day"] as Int)
            let midnight = Instant(micros: Int64(day.number) * 86_400_000_000)
            if start < midnight + -reach || midnight + (86_400 + reach) < start {
                findings.add("\(day) begins at \(start), which is no instant of that date in any time zone")
            }
            if start.micros % 1_000_000 != 0 {
                findings.add("\(day) begins at \(start), which is no whole second, as in no time zone")
            }
            if let last, !follows(last, (start, day)) {
                findings.add("\(day) begins at \(start), after \(last.day), which begins at \(last.start)")
            }
            if firstStarts[day] == nil { firstStarts[day] = start }
            last = (start, day)
        }
        for (day, start) in firstStarts.sorted(by: { $0.key < $1.key }) {
            guard let next = firstStarts[day + 1], !(start + shortest...start + longest).contains(next) else {
                continue
            }
            findings.add(
                "\(day) begins at \(start) and \(day + 1) at \(next), which is no day's length in any time zone")
        }
        return rows.count
    }

    private static func follows(_ last: (start: Instant, day: Day), _ next: (start: Instant, day: Day)) -> Bool {
        if next.day > last.day { return true }
        return next.day == last.day - 1 && next.start < last.start + 86_400
    }

    /// What records feed: a feature with items that a version of the price book gives it.
    private static func feeds(_ books: [PriceBook], _ database: Database) throws -> [String] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT feature, item.code
                FROM feed
                JOIN feed_item USING (feed_id)
                JOIN item USING (item_id)
                ORDER BY feed_id, item_id
                """)
        return rows.compactMap { row in
            let (feature, item): (String, String) = (row["feature"], row["code"])
            let isSold = books.contains { book in
                let fed =
                    feature == PriceBook.gatewayFeature
                    ? book.itemsFedByGatewayCalls : Code(feature).flatMap { book.items(fedBy: $0) }
                return fed?.contains { $0.text == item } ?? false
            }
            return isSold ? nil : "feature '\(feature)' feeds item '\(item)' in no version of the price book"
        }
    }

    private static func priceBooks(
        _ versions: [PriceBookVersion], _ database: Database, _ findings: inout Findings
    ) throws {
        let days = try Row.fetchAll(
            database, sql: "SELECT version, effective_day FROM price_book_version ORDER BY version")
        var last: Day?
        for (index, (row, version)) in zip(days, versions).enumerated() {
            let effective = Day(row["effective_day"] as Int)
            if version.number != index + 1 {
                findings.add("price book version \(version.number) stands where version \(index + 1) belongs")
            }
            if effective != version.book.effective {
                findings.add(
                    "price book version \(version.number) is noted as effective on \(effective), its text says "
                        + "\(version.book.effective)")
            }
            if let last, effective <= last {
                findings.add(
                    "price book version \(version.number) is effective on \(effective), not after the version before "
                        + "it, on \(last)")
            }
            last = effective
        }
    }
}

func describe(_ day: Day?) -> String { day.map(\.description) ?? "none" }
