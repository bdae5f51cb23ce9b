// Whether each sum event was stored once, on the days that its arrival allowed.

import GRDB
import LedgerStore
import Quantities
import Storage

extension Check {
    static let identities = Check(name: "identities") { database, findings in
        let properties = try LedgerProperties.read(database)
        try identitiesTakenTwice(properties.finality, database, &findings)
        try filedIdentities(properties.finality, database, &findings)
        let records = try recordDays(properties, database, &findings)
        let runs = try Int.fetchOne(database, sql: "SELECT count(*) FROM identity_run_day") ?? 0
        return "\(counted(records, "usage record")), \(counted(runs, "filed arrival day"))"
    }

    /// An identity is held through its arrival date plus the age limit plus one day (Billing rules, section 2).
    private static func identitiesTakenTwice(
        _ finality: FinalityRule, _ database: Database, _ findings: inout Findings
    ) throws {
        // Sorted outside of memory; neighbours are enough, since days ascend within an identity.
        let statement = try RawStatement(
            database,
            """
            SELECT source, id, record_id, before
            FROM (
                SELECT
                    source, id, record_id,
                    lag(record_id) OVER (PARTITION BY source, id ORDER BY record_id) AS before
                FROM usage_record
            )
            WHERE (record_id >> 40) - (before >> 40) <= ?1
            """)
        statement.bind(1, finality.maxAgeDays + 1)
        while try statement.step() {
            let source = String(decoding: statement.bytes(0), as: UTF8.self)
            let id = String(decoding: statement.bytes(1), as: UTF8.self)
            findings.add(
                "source '\(source)', id '\(id)' is stored twice, as record \(statement.integer(3)) of "
                    + "\(day(statement.integer(3) >> 40)) and record \(statement.integer(2)) of "
                    + "\(day(statement.integer(2) >> 40))")
        }
    }

    /// An arrival day that is filed has each of its records in the file: one that is missing could be taken again. Days
    /// whose identities are free may be on their way out.
    private static func filedIdentities(
        _ finality: FinalityRule, _ database: Database, _ findings: inout Findings
    ) throws {
        let statement = try RawStatement(
            database,
            """
            WITH filed AS (
                SELECT
                    arrival_day, identities,
                    (
                        SELECT count(*) FROM identity_run WHERE identity_run.arrival_day = identity_run_day.arrival_day
                    ) AS rows,
                    (
                        SELECT count(*)
                        FROM identity_run
                        JOIN usage_record ON record_id = identity_run.arrival_day << 40 | sequence
                        WHERE identity_run.arrival_day = identity_run_day.arrival_day
                    ) AS known,
                    (
                        SELECT count(*)
                        FROM usage_record
                        WHERE record_id >= arrival_day << 40 AND record_id < (arrival_day + 1) << 40
                    ) AS records
                FROM identity_run_day, clock_day
                WHERE arrival_day >= today - ?1
            )
            SELECT arrival_day, records, identities, rows, known
            FROM filed
            WHERE identities <> records OR rows <> records OR known <> records
            ORDER BY arrival_day
            """)
        statement.bind(1, finality.maxAgeDays + 1)
        while try statement.step() {
            findings.add(
                "arrival day \(day(statement.integer(0))) has \(statement.integer(1)) records, but "
                    + "\(statement.integer(2)) identities are noted as filed, \(statement.integer(3)) are, and "
                    + "\(statement.integer(4)) of them are those of records")
        }
    }

    /// The days of each record follow from its instant and its arrival (Billing rules, section 4).
    private static func recordDays(
        _ properties: LedgerProperties, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        let finality = properties.finality
        let segments = try Row.fetchAll(database, sql: "SELECT starts_at, day FROM day_start ORDER BY starts_at")
            .map { DaySegment(start: Instant(micros: $0["starts_at"]), day: Day($0["day"])) }
        let calendar = segments.isEmpty ? nil : DayCalendar(segments: segments)
        let statement = try RawStatement(
            database, "SELECT record_id, usage_day, posting_day, time, quantity FROM usage_record")
        var records = 0
        while try statement.step() {
            records += 1
            let record = statement.integer(0)
            let arrivalDay = day(record >> 40)
            let (usageDay, postingDay) = (day(statement.integer(1)), day(statement.integer(2)))
            let time = Instant(micros: statement.integer(3))
            if calendar?.day(of: time) != usageDay {
                findings.add(
                    "record \(record): usage day \(usageDay), but its time \(time) is on "
                        + describe(calendar?.day(of: time)))
            }
            let age = arrivalDay - usageDay
            // Ahead of its arrival usage is at most of the next date: two days on, where the zone skips one.
            let isAhead = age < -1 && segments.lazy.map(\.day).filter { $0 > arrivalDay }.min() != usageDay
            if age > finality.maxAgeDays || isAhead {
                findings.add(
                    "record \(record): usage day \(usageDay) is \(age) days before its arrival on \(arrivalDay), "
                        + "the age limit is \(finality.maxAgeDays)")
            }
            // What was closed by then is not known any more: the day may be later than this, never earlier.
            let earliest = finality.postingDay(usageDay: usageDay, today: arrivalDay, closedThrough: nil)
            if postingDay < earliest {
                findings.add(
                    "record \(record): posting day \(postingDay), but arrival on \(arrivalDay) allows none before "
                        + "\(earliest)")
            }
            if statement.integer(4) <= 0 { findings.add("record \(record): quantity \(statement.integer(4))") }
        }
        return records
    }
}
