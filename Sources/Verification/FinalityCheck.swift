// Whether what is final has stayed as it was: nothing was appended to a settled day after it was settled.

import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static var finality: Check {
        Check(name: "finality") { slices, findings in
            var runs = try RunsAndDays(slices)
            runs.checkSettled(&findings)
            let rows = EntryRows(
                """
                entry_id, posted_day, usage_day, run_id, created_at, source,
                (
                    SELECT CASE source WHEN 'purchase' THEN recorded_at WHEN 'refund' THEN voided_at END
                    FROM "grant"
                    WHERE "grant".grant_id = ledger_entry.grant_id
                )
                """)
            var entries = 0
            try slices.readUntil { database in
                try rows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
                    entries += 1
                    if row.integer(3) == 0 {
                        try runs.checkRecorded(row, database, &findings)
                    } else {
                        try runs.checkRated(row, database, &findings)
                    }
                }
            }
            return "\(counted(entries, "entry", plural: "entries")) of \(counted(runs.count, "run"))"
        }
    }
}

/// The rating runs, and the days that they settled.
private struct RunsAndDays {
    private struct Run {
        /// As its entries have it.
        let createdAt: [UInt8]
        let day: Day?
        /// The last day that it could rate: the latest that it or a run before it was asked for.
        let through: Day
    }

    private var runs: [Int64: Run] = [:]
    /// The last run of each date.
    private var lastRuns: [Day: Int64] = [:]
    /// The dates on which days were settled, as of the beginning: what was settled later took its entries later.
    private let settledOn: [Day: Day]
    private var latest: Int64 = 0
    private var present = PresentDays()

    var count: Int { runs.count }

    init(_ slices: Slices) throws {
        settledOn = try slices.read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT day, settled_on FROM settled_day")
            return Dictionary(uniqueKeysWithValues: rows.map { (Day($0["day"]), Day($0["settled_on"])) })
        }
        try slices.read { try readRuns($0) }
    }

    /// A run settles: there was one on each date on which days were settled.
    func checkSettled(_ findings: inout Findings) {
        for (settled, date) in settledOn.sorted(by: { $0.key < $1.key }) where lastRuns[date] == nil {
            findings.add("\(settled) is noted as settled on \(date), when no run began")
        }
    }

    private mutating func readRuns(_ database: Database) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT run_id, started_at, requested_day FROM rating_run ORDER BY run_id")
        var through = Day(.min)
        for row in rows {
            let (id, start): (Int64, Instant) = (row["run_id"], Instant(micros: row["started_at"]))
            let day = try present.date(of: start, database)
            through = max(through, Day(row["requested_day"]))
            runs[id] = Run(createdAt: Array(start.description.utf8), day: day, through: through)
            if let day { lastRuns[day] = id }
        }
    }

    /// An entry of a run: as old as its run, in the order of runs, and on a settled day of no later run than the last on the
    /// date of settlement.
    mutating func checkRated(_ row: RawStatement, _ database: Database, _ findings: inout Findings) throws {
        let (entry, id) = (row.integer(0), row.integer(3))
        if runs[id] == nil { try readRuns(database) }
        guard let run = runs[id] else {
            findings.add("entry \(entry) is of run \(id), which is not there")
            return
        }
        if !run.createdAt.elementsEqual(row.bytes(4)) {
            findings.add(
                "entry \(entry) was appended at \(String(decoding: row.bytes(4), as: UTF8.self)), its run \(id) began at "
                    + String(decoding: run.createdAt, as: UTF8.self))
        }
        if id < latest { findings.add("entry \(entry) of run \(id) follows entries of run \(latest)") }
        latest = max(latest, id)
        let posted = day(row.integer(1))
        if posted > run.through {
            findings.add(
                "entry \(entry) was appended to \(posted) by run \(id), which rated days through \(run.through)")
        }
        if let settled = settledOn[posted], id > lastRuns[settled] ?? 0 {
            findings.add(
                "entry \(entry) was appended to \(posted) by run \(id) on \(describe(run.day)), after the day was settled on "
                    + "\(settled)")
        }
    }

    /// A purchase or refund: both its days are the date of recording (Billing rules, section 5).
    mutating func checkRecorded(_ row: RawStatement, _ database: Database, _ findings: inout Findings) throws {
        let entry = row.integer(0)
        guard let source = Source(bytes: row.bytes(5)), source == .purchase || source == .refund else {
            findings.add(
                "entry \(entry) of source \(String(decoding: row.bytes(5), as: UTF8.self)) is of no run")
            return
        }
        let recorded = Instant(micros: row.integer(6))
        if !recorded.description.utf8.elementsEqual(row.bytes(4)) {
            findings.add(
                "entry \(entry) was appended at \(String(decoding: row.bytes(4), as: UTF8.self)), its \(source) is recorded "
                    + "at \(recorded)")
        }
        let today = try present.date(of: recorded, database)
        for number in [row.integer(1), row.integer(2)] where day(number) != today {
            findings.add("entry \(entry), recorded on \(describe(today)), stands on \(day(number))")
        }
    }
}
