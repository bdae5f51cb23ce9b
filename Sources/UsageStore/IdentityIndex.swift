// Which (source, id) of sum events are taken: the recent ones in memory, older days in sorted runs on disk.

package import GRDB
package import Quantities
package import Storage

/// A sum event as it is stored.
package struct UsageRecord {
    package let source: UnsafeBufferPointer<UInt8>
    package let id: UnsafeBufferPointer<UInt8>
    package let feed: Int64
    package let time: Instant
    package let quantity: Quantity
    package let place: CountingPlace

    package init(
        source: UnsafeBufferPointer<UInt8>, id: UnsafeBufferPointer<UInt8>, feed: Int64, time: Instant,
        quantity: Quantity, place: CountingPlace
    ) {
        self.source = source
        self.id = id
        self.feed = feed
        self.time = time
        self.quantity = quantity
        self.place = place
    }
}

/// What an identity was stored with: the same content again is a duplicate, another a conflict.
package struct StoredContent: Equatable {
    package let app: AppID
    package let feed: Int64
    package let time: Instant
    package let quantity: Quantity
}

/// Finds stored records by identity. The hash only leads to a record; the record's own text decides.
///
/// Arrival days that are over have a run in the file, sorted by hash, behind a filter of two bytes an identity; the
/// others are in memory, 16 to 20 bytes an identity.
package final class IdentityIndex {
    private let key: FingerprintKey
    private let file: LedgerFile
    private let bounds: Bounds
    private let records: BulkInsert
    private let lastRecordStatement: RawStatement
    private let recordStatement: RawStatement
    private let runStatement: RawStatement

    /// Few: today, and days whose run is not built yet.
    @exclusivity(unchecked) private var days: ContiguousArray<(day: Day, table: FingerprintTable<UInt64>)> = []
    /// Ascending by day.
    @exclusivity(unchecked) private var runs: ContiguousArray<(day: Day, filter: IdentityFilter)> = []
    /// The first arrival day whose identities are known; nil before anything was read.
    private var loadedFrom: Day?
    /// A filed day was taken up again in this batch: memory must be read anew if the batch fails.
    private var hasReopened = false
    @exclusivity(unchecked) private var nextRecord: (day: Day, id: Int64)?
    @exclusivity(unchecked) private var undo:
        ContiguousArray<(table: FingerprintTable<UInt64>, hash: UInt64, sequence: UInt32)> = []

    /// How a run is built.
    package struct Bounds: Sendable {
        /// How many identities a pass holds in memory.
        package var identitiesPerPass = 1_000_000
        package var rowsPerSlice = 5_000

        package init() {}
    }

    init(file: LedgerFile, key: FingerprintKey, bounds: Bounds) throws {
        self.file = file
        self.key = key
        self.bounds = bounds
        (records, lastRecordStatement, recordStatement, runStatement) = try file.connection { database in
            (
                try BulkInsert(
                    database,
                    into: """
                        usage_record (record_id, app_id, feed_id, time, quantity, usage_day, posting_day, source, id)
                        """,
                    integers: 7, texts: 2),
                try RawStatement(
                    database, "SELECT max(record_id) FROM usage_record WHERE record_id >= ?1 AND record_id < ?2"),
                try RawStatement(
                    database,
                    """
                    SELECT source, id, app_id, feed_id, time, quantity
                    FROM usage_record
                    WHERE record_id = ?1
                    """),
                try RawStatement(
                    database, "SELECT sequence FROM identity_run WHERE arrival_day = ?1 AND hash = ?2")
            )
        }
    }

    // MARK: Looking up

    /// Reads what is held on a day of arrival, unless it is known.
    package func begin(heldFrom: Day, _ database: Database) throws { try load(from: heldFrom, database) }

    /// Asks for the memory in which an identity would be found, for a question that comes soon.
    @inline(__always)
    package func prefetch(_ identity: UInt64) {
        for (_, table) in days { table.prefetch(identity) }
        for (_, filter) in runs { filter.prefetch(identity) }
    }

    /// What is stored under an identity that is still held on a day of arrival (Billing rules, section 2).
    ///
    /// - Parameter identity: the hash of source and id.
    package func find(
        _ identity: UInt64, source: UnsafeBufferPointer<UInt8>, id: UnsafeBufferPointer<UInt8>, heldFrom: Day
    ) throws -> StoredContent? {
        var found: StoredContent?
        for (day, table) in days where day >= heldFrom {
            _ = try table.value(of: identity) { sequence in
                found = try content(day.firstID | Int64(sequence), ifNamed: source, id)
                return found != nil
            }
            if found != nil { return found }
        }
        for (day, filter) in runs where day >= heldFrom && filter.mayHold(identity) {
            runStatement.bind(1, day.number)
            runStatement.bind(2, Int64(bitPattern: identity))
            defer { runStatement.reset() }
            while try runStatement.step() {
                if let found = try content(day.firstID | runStatement.integer(0), ifNamed: source, id) { return found }
            }
        }
        return nil
    }

    private func content(
        _ record: Int64, ifNamed source: UnsafeBufferPointer<UInt8>, _ id: UnsafeBufferPointer<UInt8>
    ) throws -> StoredContent? {
        // The one that is asked for may still be on its way.
        try records.flush()
        recordStatement.bind(1, record)
        defer { recordStatement.reset() }
        guard try recordStatement.step(), recordStatement.bytes(0).elementsEqual(source),
            recordStatement.bytes(1).elementsEqual(id)
        else { return nil }
        return StoredContent(
            app: AppID(recordStatement.integer(2)), feed: recordStatement.integer(3),
            time: Instant(micros: recordStatement.integer(4)), quantity: Quantity(recordStatement.integer(5)))
    }

    // MARK: Storing

    func insert(
        _ record: UsageRecord, _ identity: UInt64, app: AppID, arrivalDay: Day, _ database: Database
    ) throws {
        if nextRecord?.day != arrivalDay {
            if runs.contains(where: { $0.day == arrivalDay }) { try reopen(arrivalDay, database) }
            try records.flush()
            nextRecord = (arrivalDay, try UsageStatements.firstFree(lastRecordStatement, of: arrivalDay))
        }
        guard let recordID = nextRecord?.id else { preconditionFailure("the next id was just read") }
        try records.add { integers, texts in
            integers[0] = recordID
            integers[1] = app.number
            integers[2] = record.feed
            integers[3] = record.time.micros
            integers[4] = record.quantity.units
            integers[5] = Int64(record.place.usageDay.number)
            integers[6] = Int64(record.place.postingDay.number)
            texts[0] = record.source
            texts[1] = record.id
        }
        nextRecord = (arrivalDay, recordID + 1)

        let sequence = UInt32(recordID - arrivalDay.firstID)
        let table = table(of: arrivalDay)
        table.insert(identity, sequence)
        undo.append((table, identity, sequence))
    }

    private func table(of day: Day) -> FingerprintTable<UInt64> {
        for known in days where known.day == day { return known.table }
        let table = FingerprintTable<UInt64>()
        days.append((day, table))
        return table
    }

    /// Takes up a day again whose identities are filed in a run: only a clock that was set back comes to one. The run
    /// is made anew once the day is over again.
    private func reopen(_ day: Day, _ database: Database) throws {
        hasReopened = true
        try database.execute(sql: "DELETE FROM identity_run_day WHERE arrival_day = ?", arguments: [day.number])
        runs.removeAll { $0.day == day }
        days.removeAll { $0.day == day }
        try loadRecords(of: day, database)
    }

    /// Writes the records that are still gathered.
    func flush() throws { try records.flush() }

    func commit() {
        undo.removeAll(keepingCapacity: true)
        hasReopened = false
    }

    func rollBack() {
        for entry in undo.reversed() { entry.table.remove(entry.hash, entry.sequence) }
        undo.removeAll(keepingCapacity: true)
        nextRecord = nil
        records.forget()
        if hasReopened { loadedFrom = nil }
        hasReopened = false
    }

    /// Reads what is held: of days with a run its filter, of the others every identity. Again when a clock that was set
    /// back asks for days before those that were read.
    private func load(from heldFrom: Day, _ database: Database) throws {
        if let loadedFrom, loadedFrom <= heldFrom { return }
        // What a reading that failed has left must not stay: identities are all there, or read anew.
        days = []
        runs = []
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT arrival_day, filter FROM identity_run_day WHERE arrival_day >= ? ORDER BY arrival_day",
            arguments: [heldFrom.number])
        while let row = try rows.next() {
            runs.append((Day(row["arrival_day"]), IdentityFilter(bytes: row["filter"])))
        }
        for day in try Self.recordDays(from: heldFrom, before: nil, database) {
            if !runs.contains(where: { $0.day == day }) { try loadRecords(of: day, database) }
        }
        loadedFrom = heldFrom
    }

    private func loadRecords(of day: Day, _ database: Database) throws {
        let table = table(of: day)
        try eachRecord(from: day.firstID, to: (day + 1).firstID, database) { record, hash in
            table.insert(hash, UInt32(truncatingIfNeeded: record))
        }
    }

    /// The arrival days that have records: hops from one to the next.
    private static func recordDays(from first: Day, before end: Day?, _ database: Database) throws -> [Day] {
        var days: [Day] = []
        var next = first
        while let record = try Int64.fetchOne(
            database, sql: "SELECT min(record_id) FROM usage_record WHERE record_id >= ? AND record_id < ?",
            arguments: [next.firstID, end?.firstID ?? Int64.max])
        {
            let day = Day(Int(record >> 40))
            days.append(day)
            next = day + 1
        }
        return days
    }

    private func eachRecord(
        from first: Int64, to end: Int64, _ database: Database, _ body: (_ record: Int64, _ hash: UInt64) -> Void
    ) throws {
        let statement = try RawStatement(
            database, "SELECT record_id, source, id FROM usage_record WHERE record_id >= ?1 AND record_id < ?2")
        statement.bind(1, first)
        statement.bind(2, end)
        while try statement.step() {
            body(statement.integer(0), key.identity(source: statement.bytes(1), id: statement.bytes(2)))
        }
    }

    // MARK: Runs

    /// Builds the runs of arrival days before today, and drops those whose identities are free. In slices, each a
    /// transaction; what an interruption leaves is made anew.
    ///
    /// - Parameter between: called between two slices; events may be stored meanwhile.
    package func maintainRuns(today: Day, heldFrom: Day, between: () throws -> Void = {}) throws {
        let pending = try file.read { database in
            let built = try Set(Int.fetchAll(database, sql: "SELECT arrival_day FROM identity_run_day"))
            return try Self.recordDays(from: heldFrom, before: today, database).filter { !built.contains($0.number) }
        }
        for day in pending {
            // Only a clock that is set back brings more identities to a day that is over; then it is begun again.
            while try !buildRun(of: day, between) {}
        }
        try dropRuns(before: heldFrom, between)
    }

    /// - Returns: whether the run holds all of the day's identities.
    private func buildRun(of day: Day, _ between: () throws -> Void) throws -> Bool {
        try deleteRows(of: day, between)
        let last = try lastRecord(of: day)
        let count = try file.read { database in
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM usage_record WHERE record_id >= ? AND record_id < ?",
                arguments: [day.firstID, (day + 1).firstID]) ?? 0
        }
        let filter = IdentityFilter(identities: count)
        // Signed order is the order of the run's key; each pass takes an equal share of the hashes.
        let passes = (count + bounds.identitiesPerPass - 1) / bounds.identitiesPerPass
        for pass in 0..<passes {
            var part: [(hash: Int64, sequence: Int64)] = []
            try file.read { database in
                try eachRecord(from: day.firstID, to: (day + 1).firstID, database) { record, hash in
                    let share = (hash ^ 1 << 63).multipliedFullWidth(by: UInt64(passes)).high
                    guard share == UInt64(pass) else { return }
                    part.append((Int64(bitPattern: hash), record - day.firstID))
                    filter.insert(hash)
                }
            }
            part.sort { $0 < $1 }
            for start in stride(from: 0, to: part.count, by: bounds.rowsPerSlice) {
                try file.write { database in
                    let statement = try RawStatement(
                        database, "INSERT INTO identity_run (arrival_day, hash, sequence) VALUES (?1, ?2, ?3)")
                    for entry in part[start..<min(start + bounds.rowsPerSlice, part.count)] {
                        statement.bind(1, day.number)
                        statement.bind(2, entry.hash)
                        statement.bind(3, entry.sequence)
                        try statement.run()
                    }
                }
                try between()
            }
        }
        guard try lastRecord(of: day) == last else { return false }
        try file.write { database in
            try database.execute(
                sql: "INSERT INTO identity_run_day (arrival_day, identities, filter) VALUES (?, ?, ?)",
                arguments: [day.number, count, filter.bytes])
        }
        days.removeAll { $0.day == day }
        if loadedFrom != nil {
            runs.append((day, filter))
            runs.sort { $0.day < $1.day }
        }
        return true
    }

    private func lastRecord(of day: Day) throws -> Int64? {
        try file.read { database in
            try Int64.fetchOne(
                database, sql: "SELECT max(record_id) FROM usage_record WHERE record_id >= ? AND record_id < ?",
                arguments: [day.firstID, (day + 1).firstID])
        }
    }

    /// The day goes first: from then on its identities are those of its records again, if a clock that is set back asks
    /// for them, wherever the deletion of the rows is interrupted.
    private func dropRuns(before heldFrom: Day, _ between: () throws -> Void) throws {
        // Memory no longer knows what is dropped.
        if let first = loadedFrom { loadedFrom = max(first, heldFrom) }
        days.removeAll { $0.day < heldFrom }
        runs.removeAll { $0.day < heldFrom }
        try file.write { database in
            try database.execute(
                sql: "DELETE FROM identity_run_day WHERE arrival_day < ?", arguments: [heldFrom.number])
        }
        while let day = try file.read({ try Int.fetchOne($0, sql: "SELECT min(arrival_day) FROM identity_run") }),
            Day(day) < heldFrom
        {
            try deleteRows(of: Day(day), between)
        }
    }

    private func deleteRows(of day: Day, _ between: () throws -> Void) throws {
        var deleted = 0
        repeat {
            deleted = try file.write { database in
                try database.execute(
                    sql: """
                        DELETE FROM identity_run
                        WHERE (arrival_day, hash, sequence) IN (
                            SELECT arrival_day, hash, sequence FROM identity_run WHERE arrival_day = ? LIMIT ?)
                        """,
                    arguments: [day.number, bounds.rowsPerSlice])
                return database.changesCount
            }
            try between()
        } while deleted == bounds.rowsPerSlice
    }
}
