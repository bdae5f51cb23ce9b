// The runs of identities in the file: built once an arrival day is over, dropped when its identities are free.

import GRDB
import Quantities
import Storage

/// Builds and drops runs in slices, each a transaction of a few milliseconds; what an interruption leaves is made anew.
/// What a run is made of is read and sorted beside the writer.
struct IdentityRuns {
    private let file: LedgerFile
    private let key: FingerprintKey
    private let bounds: IdentityIndex.Bounds

    init(file: LedgerFile, key: FingerprintKey, bounds: IdentityIndex.Bounds) {
        self.file = file
        self.key = key
        self.bounds = bounds
    }

    // MARK: Building

    /// Builds the run of a day that is over.
    ///
    /// - Parameter between: called between two slices, and while a pass is read; events may be stored meanwhile.
    /// - Returns: the filter before the run; nil when the day has more records by now than the run was made of, as only
    ///   a clock that is set back can bring: then it is left for the next time.
    func build(_ day: Day, between: () throws -> Void) throws -> IdentityFilter? {
        // What an interrupted building has left.
        while try file.write({ try deleteSlice(of: day, $0) }) { try between() }
        let passes = try IdentityPasses(of: day, size: bounds.identitiesPerPass, key, file)
        var inserted = 0
        for pass in 0..<passes.count {
            let entries = try file.readAside(between: between) { try passes.entries(of: pass, $0) }
            var rest = entries[...]
            repeat {
                let slice = rest.prefix(bounds.rowsPerSlice)
                rest = rest.dropFirst(slice.count)
                inserted += slice.count
                let isLast = pass == passes.count - 1 && rest.isEmpty
                let isWhole = try file.write { database in
                    try insert(slice, of: day, database)
                    return try isLast && finish(passes, inserted: inserted, database)
                }
                if isWhole { return passes.filter }
                try between()
            } while !rest.isEmpty
        }
        return nil
    }

    private func insert(
        _ entries: ArraySlice<IdentityPasses.Entry>, of day: Day, _ database: Database
    ) throws {
        let insertion = try BulkInsert(database, into: "identity_run (arrival_day, hash, sequence)", integers: 3)
        for entry in entries {
            try insertion.add { columns, _ in
                columns[0] = Int64(day.number)
                columns[1] = entry.hash
                columns[2] = entry.sequence
            }
        }
        try insertion.flush()
    }

    /// - Returns: whether the run holds all of the day's identities; else it is not marked as complete.
    private func finish(_ passes: IdentityPasses, inserted: Int, _ database: Database) throws -> Bool {
        guard try IdentityPasses.lastRecord(of: passes.day, database) == passes.lastRecord,
            inserted == passes.identities
        else { return false }
        try database.execute(
            sql: "INSERT INTO identity_run_day (arrival_day, identities, filter) VALUES (?, ?, ?)",
            arguments: [passes.day.number, passes.identities, passes.filter.bytes])
        return true
    }

    // MARK: Dropping

    /// Drops the runs of days whose identities are free. That a run is complete goes first: from then on the day's
    /// identities are those of its records again, if a clock that is set back asks for them, wherever the deletion of the
    /// rows is interrupted.
    func drop(before heldFrom: Day, between: () throws -> Void) throws {
        func dropSlice() throws -> Bool {
            try file.write { database in
                try database.execute(
                    sql: "DELETE FROM identity_run_day WHERE arrival_day < ?", arguments: [heldFrom.number])
                guard let day = try firstDay(database), day < heldFrom else { return false }
                _ = try deleteSlice(of: day, database)
                return try firstDay(database).map { $0 < heldFrom } ?? false
            }
        }
        while try dropSlice() { try between() }
    }

    private func firstDay(_ database: Database) throws -> Day? {
        try Int.fetchOne(database, sql: "SELECT min(arrival_day) FROM identity_run").map { Day($0) }
    }

    /// - Returns: whether the day may have more rows.
    private func deleteSlice(of day: Day, _ database: Database) throws -> Bool {
        try database.execute(
            sql: """
                DELETE FROM identity_run
                WHERE arrival_day = ?1
                    AND hash <= coalesce(
                        (SELECT hash FROM identity_run WHERE arrival_day = ?1 ORDER BY hash LIMIT 1 OFFSET ?2),
                        9223372036854775807)
                """,
            arguments: [day.number, bounds.rowsPerSlice - 1])
        return database.changesCount >= bounds.rowsPerSlice
    }
}

/// The identities of a day as its run holds them, read in passes that fit into memory.
///
/// Used by one thread at a time: the reader's while a pass is read, the writer's between two.
private final class IdentityPasses: @unchecked Sendable {
    struct Entry: BitwiseCopyable, Comparable, Sendable {
        let hash: Int64
        let sequence: Int64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.hash, left.sequence) < (right.hash, right.sequence)
        }
    }

    let day: Day
    let identities: Int
    /// The day's last record when the reading began.
    let lastRecord: Int64?
    /// Holds the identities of the passes that were read.
    let filter: IdentityFilter
    let count: Int
    private let key: FingerprintKey

    init(of day: Day, size: Int, _ key: FingerprintKey, _ file: LedgerFile) throws {
        self.day = day
        self.key = key
        lastRecord = try file.read { try Self.lastRecord(of: day, $0) }
        // Records have consecutive ids.
        identities = lastRecord.map { Int($0 - day.firstID) + 1 } ?? 0
        count = max(1, (identities + size - 1) / size)
        filter = IdentityFilter(identities: identities)
    }

    static func lastRecord(of day: Day, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database, sql: "SELECT max(record_id) FROM usage_record WHERE record_id >= ? AND record_id < ?",
            arguments: [day.firstID, (day + 1).firstID])
    }

    /// The entries of one pass in the order of the run's key. Each pass takes an equal share of the hashes.
    func entries(of pass: Int, _ database: Database) throws -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(identities / count)
        try IdentityIndex.eachRecord(of: day, key, database) { record, hash in
            // Signed order is the order of the run's key.
            let share = (hash ^ 1 << 63).multipliedFullWidth(by: UInt64(count)).high
            guard share == UInt64(pass) else { return }
            entries.append(Entry(hash: Int64(bitPattern: hash), sequence: record - day.firstID))
            filter.insert(hash)
        }
        entries.sort()
        return entries
    }
}
