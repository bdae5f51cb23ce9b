// Whether each sum event was stored once, on the days that its arrival allowed, and would be found again.

import Foundation
import GRDB
import LedgerStore
import Quantities
import Storage
import UsageStore

extension Check {
    static var identities: Check {
        Check(name: "identities") { slices, findings in
            let properties = try slices.read { try LedgerProperties.read($0) }
            let key = FingerprintKey(properties.fingerprintKey)
            let records = try UsageRecords(slices, properties.finality, key).check(&findings)
            let days = try filedDays(properties.finality, key, slices, &findings)
            return "\(counted(records, "usage record")), \(counted(days, "filed arrival day"))"
        }
    }

    /// - Returns: how many arrival days are filed.
    private static func filedDays(
        _ finality: FinalityRule, _ key: FingerprintKey, _ slices: Slices, _ findings: inout Findings
    ) throws -> Int {
        let days = try slices.read { database in
            try Int64.fetchAll(database, sql: "SELECT arrival_day FROM identity_run_day ORDER BY arrival_day")
        }
        for day in days { try FiledDay(day, finality, key, slices).check(&findings) }
        return days.count
    }
}

/// The records of sum events, which are only appended.
private struct UsageRecords {
    private let slices: Slices
    private let finality: FinalityRule
    private let key: FingerprintKey

    private struct Known {
        let hash: UInt64
        let record: Int64
    }

    init(_ slices: Slices, _ finality: FinalityRule, _ key: FingerprintKey) {
        self.slices = slices
        self.finality = finality
        self.key = key
    }

    /// - Returns: how many records there are.
    func check(_ findings: inout Findings) throws -> Int {
        let size = try slices.read { try Self.size($0) }
        let passes = try slices.passes(
            atMost: size, of: [("usage_record", "record_id")], bytesPerRow: MemoryLayout<Known>.stride)
        let sql = """
            SELECT record_id, usage_day, posting_day, time, quantity, source, id
            FROM usage_record
            WHERE record_id > ?1
            ORDER BY record_id
            LIMIT ?2
            """
        var records = 0
        for pass in passes.all {
            var known: [Known] = []
            var calendar: DayCalendar?
            var last = Int64.min
            try slices.scan(sql) {
                // An event may have brought days that were not there before.
                if pass == 0 { calendar = try DayCalendar.stored($0) }
            } _: { row, _ in
                let record = row.integer(0)
                if pass == 0 {
                    records += 1
                    checkNumber(record, after: last, &findings)
                    checkDays(row, calendar, &findings)
                    last = record
                }
                let hash = key.identity(source: row.bytes(5), id: row.bytes(6))
                if passes.pass(of: hash) == pass { known.append(Known(hash: hash, record: record)) }
            }
            try takenTwice(known, &findings)
        }
        return records
    }

    /// How many records there are, at most: the numbers of a day have no gaps.
    private static func size(_ database: Database) throws -> Int {
        var size = 0
        var from = Int64.min
        while let first = try Int64.fetchOne(
            database, sql: "SELECT min(record_id) FROM usage_record WHERE record_id >= ?", arguments: [from])
        {
            let end = first | 0xFF_FFFF_FFFF
            let last = try Int64.fetchOne(
                database, sql: "SELECT max(record_id) FROM usage_record WHERE record_id BETWEEN ? AND ?",
                arguments: [first, end])
            size += Int((last ?? first) - first + 1)
            guard end < .max else { break }
            from = end + 1
        }
        return size
    }

    private func checkNumber(_ record: Int64, after last: Int64, _ findings: inout Findings) {
        let (arrivalDay, sequence) = (record >> 40, record & 0xFF_FFFF_FFFF)
        let expected = last >> 40 == arrivalDay ? (last & 0xFF_FFFF_FFFF) + 1 : 0
        if sequence != expected {
            findings.add(
                "record \(record), number \(sequence) of arrival day \(day(arrivalDay)), stands where number \(expected) "
                    + "belongs")
        }
    }

    /// The days of each record follow from its instant and its arrival (Billing rules, section 4).
    private func checkDays(_ row: RawStatement, _ calendar: DayCalendar?, _ findings: inout Findings) {
        let record = row.integer(0)
        let arrivalDay = day(record >> 40)
        let (usageDay, postingDay) = (day(row.integer(1)), day(row.integer(2)))
        let time = Instant(micros: row.integer(3))
        if calendar?.day(of: time) != usageDay {
            findings.add(
                "record \(record): usage day \(usageDay), but its time \(time) is on \(describe(calendar?.day(of: time)))"
            )
        }
        let age = arrivalDay - usageDay
        // Ahead of its arrival usage is at most of the next date: two days on, where the zone skips one.
        let isAhead = age < -1 && calendar?.day(after: arrivalDay) != usageDay
        if age > finality.maxAgeDays || isAhead {
            findings.add(
                "record \(record): usage day \(usageDay) is \(age) days before its arrival on \(arrivalDay), the age "
                    + "limit is \(finality.maxAgeDays)")
        }
        // What was closed by then is not known any more: the day may be later than this, never earlier.
        let earliest = finality.postingDay(usageDay: usageDay, today: arrivalDay, closedThrough: nil)
        if postingDay < earliest {
            findings.add(
                "record \(record): posting day \(postingDay), but arrival on \(arrivalDay) allows none before \(earliest)"
            )
        }
        if row.integer(4) <= 0 { findings.add("record \(record): quantity \(row.integer(4))") }
    }

    /// An identity is held through its arrival date plus the age limit plus one day (Billing rules, section 2).
    private func takenTwice(_ known: [Known], _ findings: inout Findings) throws {
        let sorted = known.sorted { ($0.hash, $0.record) < ($1.hash, $1.record) }
        // Neighbours are enough, since days ascend within an identity.
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.hash == second.hash {
            guard (second.record >> 40) - (first.record >> 40) <= finality.maxAgeDays + 1 else { continue }
            let (one, other) = try slices.read {
                try (Self.identity(first.record, $0), Self.identity(second.record, $0))
            }
            guard let one, let other, one == other else { continue }
            findings.add(
                "source '\(String(decoding: one.source, as: UTF8.self))', id '\(String(decoding: one.id, as: UTF8.self))' "
                    + "is stored twice, as record \(first.record) of \(day(first.record >> 40)) and record "
                    + "\(second.record) of \(day(second.record >> 40))")
        }
    }

    private struct Identity: Equatable {
        let source: [UInt8]
        let id: [UInt8]
    }

    private static func identity(_ record: Int64, _ database: Database) throws -> Identity? {
        let statement = try RawStatement(database, "SELECT source, id FROM usage_record WHERE record_id = ?1")
        statement.bind(1, record)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        return Identity(source: Array(statement.bytes(0)), id: Array(statement.bytes(1)))
    }
}

/// An arrival day whose identities are filed: each of its records is in the file, under its own hash, and the day's filter
/// lets it through. One that is missed could be taken again.
private struct FiledDay {
    private let number: Int64
    private let finality: FinalityRule
    private let key: FingerprintKey
    private let slices: Slices
    private var first: Int64 { number << 40 }

    init(_ number: Int64, _ finality: FinalityRule, _ key: FingerprintKey, _ slices: Slices) {
        self.number = number
        self.finality = finality
        self.key = key
        self.slices = slices
    }

    /// What is noted of a filed day.
    private struct Filing {
        let identities: Int64
        let filter: Data
    }

    /// Nil when the day is not filed any more, or may be on its way out because its identities are free.
    private func filing(_ database: Database) throws -> Filing? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT identities, filter
                FROM identity_run_day, clock_day
                WHERE arrival_day = ?1 AND arrival_day >= today - ?2
                """,
            arguments: [number, finality.maxAgeDays + 1]
        ).map { Filing(identities: $0["identities"], filter: $0["filter"]) }
    }

    func check(_ findings: inout Findings) throws {
        guard let filing = try slices.read({ try filing($0) }) else { return }
        let records = try countRecords()
        guard IdentityFilter.isFilter(bytes: filing.filter.count, identities: Int(clamping: filing.identities)) else {
            findings.add(
                "arrival day \(day(number)) has \(counted(filing.identities, "filed identity", plural: "filed identities"))"
                    + ", and a filter of \(counted(filing.filter.count, "byte"))")
            return
        }
        let (rows, found) = try countFiled(IdentityFilter(bytes: filing.filter))
        // Nothing of it has changed if it is filed still.
        guard try slices.read({ try self.filing($0) })?.identities == filing.identities else { return }
        guard filing.identities == records, rows == records, found == records else {
            findings.add(
                "arrival day \(day(number)) has \(counted(records, "record")), but \(filing.identities) identities are "
                    + "noted as filed, \(rows) are, and \(found) of them lead to those records")
            return
        }
    }

    private func countRecords() throws -> Int64 {
        var records: Int64 = 0
        var from = first
        try slices.readUntil { database in
            let end = from + Int64(slices.bounds.rowsPerSlice)
            records +=
                try Int64.fetchOne(
                    database, sql: "SELECT count(*) FROM usage_record WHERE record_id >= ? AND record_id < ?",
                    arguments: [from, min(end, first + 1 << 40)]) ?? 0
            guard
                let next = try Int64.fetchOne(
                    database, sql: "SELECT min(record_id) FROM usage_record WHERE record_id >= ? AND record_id < ?",
                    arguments: [end, first + 1 << 40])
            else { return true }
            from = next
            return false
        }
        return records
    }

    /// - Returns: the identities that are filed, and how many of them a question for their record would find.
    private func countFiled(_ filter: IdentityFilter) throws -> (rows: Int64, found: Int64) {
        var (rows, found): (Int64, Int64) = (0, 0)
        var last = (hash: Int64.min, sequence: Int64.min)
        try slices.readUntil { database in
            let statement = try RawStatement(
                database,
                """
                SELECT hash, sequence, source, id
                FROM identity_run
                LEFT JOIN usage_record ON record_id = arrival_day << 40 | sequence
                WHERE arrival_day = ?1 AND (hash, sequence) > (?2, ?3)
                ORDER BY hash, sequence
                LIMIT ?4
                """)
            statement.bind(1, number)
            statement.bind(2, last.hash)
            statement.bind(3, last.sequence)
            statement.bind(4, slices.bounds.rowsPerSlice)
            var read = 0
            while try statement.step() {
                read += 1
                last = (statement.integer(0), statement.integer(1))
                let hash = UInt64(bitPattern: last.hash)
                if filter.mayHold(hash), key.identity(source: statement.bytes(2), id: statement.bytes(3)) == hash {
                    found += 1
                }
            }
            rows += Int64(read)
            return read < slices.bounds.rowsPerSlice
        }
        return (rows, found)
    }
}
