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

/// Who holds an identity: where it is an event of the same content, a new one is a duplicate, where of another a conflict.
package enum IdentityHold {
    case free, bySame
    case byOther(StoredContent)
}

/// What an identity was stored with.
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

    /// How much of a run is made at a time.
    package struct Bounds: Sendable {
        /// Identities of a pass of building a run, 16 bytes each.
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

    /// How an event stands to what is stored under its identity, where that is still held on a day of arrival (Billing
    /// rules, section 2).
    ///
    /// - Parameters:
    ///   - identity: the hash of source and id.
    ///   - isSame: whether the event has the same content as a stored one.
    package func find(
        _ identity: UInt64, source: UnsafeBufferPointer<UInt8>, id: UnsafeBufferPointer<UInt8>, heldFrom: Day,
        isSame: (StoredContent) -> Bool
    ) throws -> IdentityHold {
        var hold = IdentityHold.free
        // After a clock was set back several may be held: the search ends with one that is the same.
        func compare(_ record: Int64) throws -> Bool {
            guard let stored = try content(record, ifNamed: source, id) else { return false }
            let same = isSame(stored)
            hold = same ? .bySame : .byOther(stored)
            return same
        }
        for (day, table) in days where day >= heldFrom {
            if try table.value(of: identity, where: { try compare(day.firstID | Int64($0)) }) != nil { return hold }
        }
        for (day, filter) in runs where day >= heldFrom && filter.mayHold(identity) {
            runStatement.bind(1, day.number)
            runStatement.bind(2, Int64(bitPattern: identity))
            defer { runStatement.reset() }
            while try runStatement.step() {
                if try compare(day.firstID | runStatement.integer(0)) { return hold }
            }
        }
        return hold
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
        // A reading that fails must leave nothing: identities are all there, or read anew.
        loadedFrom = nil
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
        try Self.eachRecord(of: day, key, database) { record, hash in
            table.insert(hash, UInt32(truncatingIfNeeded: record))
        }
    }

    /// The arrival days that have records: hops from one to the next.
    private static func recordDays(from first: Day, before end: Day?, _ database: Database) throws -> [Day] {
        let statement = try database.cachedStatement(
            sql: "SELECT min(record_id) FROM usage_record WHERE record_id >= ? AND record_id < ?")
        var days: [Day] = []
        var next = first
        while let record = try Int64.fetchOne(statement, arguments: [next.firstID, end?.firstID ?? Int64.max]) {
            let day = Day(Int(record >> 40))
            days.append(day)
            next = day + 1
        }
        return days
    }

    /// Reads an arrival day's records in their order, each with the hash of its identity.
    static func eachRecord(
        of day: Day, _ key: FingerprintKey, _ database: Database, _ body: (_ record: Int64, _ hash: UInt64) -> Void
    ) throws {
        let statement = try RawStatement(
            database, "SELECT record_id, source, id FROM usage_record WHERE record_id >= ?1 AND record_id < ?2")
        statement.bind(1, day.firstID)
        statement.bind(2, (day + 1).firstID)
        while try statement.step() {
            body(statement.integer(0), key.identity(source: statement.bytes(1), id: statement.bytes(2)))
        }
    }

    // MARK: Runs

    /// Builds the runs of arrival days before today, and drops those whose identities are free.
    ///
    /// - Parameter between: called between its transactions; events may be stored meanwhile.
    package func maintainRuns(today: Day, heldFrom: Day, between: () throws -> Void = {}) throws {
        let pending = try file.read { database in
            let built = try Set(Int.fetchAll(database, sql: "SELECT arrival_day FROM identity_run_day"))
            return try Self.recordDays(from: heldFrom, before: today, database).filter { !built.contains($0.number) }
        }
        let maker = IdentityRuns(file: file, key: key, bounds: bounds)
        for day in pending {
            guard let filter = try maker.build(day, between: between) else { continue }
            days.removeAll { $0.day == day }
            // Whatever arrives on the day from now on takes it up again.
            nextRecord = nil
            if loadedFrom != nil {
                runs.append((day, filter))
                runs.sort { $0.day < $1.day }
            }
        }
        // Memory no longer knows what is dropped; a clock that is set back asks for it again.
        if let known = loadedFrom { loadedFrom = max(known, heldFrom) }
        days.removeAll { $0.day < heldFrom }
        runs.removeAll { $0.day < heldFrom }
        try maker.drop(before: heldFrom, between: between)
    }
}
