// A ledger open for writing: everything that changes it goes through here, whoever asks.

import GRDB
package import Ingestion
package import LedgerStore
package import Quantities
package import Rating
package import RatingRun
package import Storage
package import UsageStore

/// The operations on one ledger. Owned by the one writer of its file; not thread-safe.
///
/// Each operation reads the clock inside its own transaction and is durable when it returns.
package final class OpenLedger {
    package let file: LedgerFile
    package let properties: LedgerProperties
    private let bounds: Bounds
    private let ingestor: Ingestor
    private let ratingRun: RatingRun

    /// Called between the transactions of a long operation, so that the writer may serve others meanwhile; what it
    /// throws ends the operation there, and the next run of it goes on.
    package var betweenTransactions: () throws -> Void = {}

    /// How much of a long operation goes into one transaction. What it comes to in the end does not depend on it.
    package struct Bounds: Sendable {
        /// See ``RatingRun/RatingRun``.
        package var entriesPerTransaction = 500
        package var sealing = Sealing.Bounds()
        package var filing = DeviceFiling.Bounds()
        package var identities = IdentityIndex.Bounds()
        /// Events of the quarantine that are tried together.
        package var retriesPerTransaction = 1_000
        package var dropsPerTransaction = 2_000

        package init() {}
    }

    /// - Parameter file: open for writing.
    package init(file: LedgerFile, bounds: Bounds = Bounds()) throws {
        self.file = file
        self.bounds = bounds
        properties = try file.read { try LedgerProperties.read($0) }
        ingestor = try Ingestor(file: file, identities: bounds.identities)
        ratingRun = try RatingRun(file: file, entriesPerTransaction: bounds.entriesPerTransaction)
    }

    /// Moves what the WAL holds into the file and lets go of both; nothing can be done with the ledger afterwards.
    ///
    /// - Parameter checkpointing: not where the disk has failed: then nothing more is written.
    package func close(checkpointing: Bool = true) throws { try file.close(checkpointing: checkpointing) }

    /// Records the instant with what the block changes, or if a person has confirmed the clock.
    ///
    /// - Parameter changes: whether the block has changed anything, by what it returns.
    private func write<Value>(
        _ clock: LedgerClock, changes: (Value) -> Bool = { _ in true }, _ block: (Moment, Database) throws -> Value
    ) throws -> Value {
        try file.write { database in
            let moment = try Moment(clock, properties, database)
            let value = try block(moment, database)
            if changes(value) || clock.isConfirmed { try LedgerState.note(moment.now, database) }
            return value
        }
    }

    // MARK: The clock

    /// What the clock shows, and whether it is believed; changes nothing.
    package func report(on clock: LedgerClock) throws -> ClockReport {
        try clock.report(properties, file.read { try LedgerState.read($0) })
    }

    /// Records what time it is.
    package func recordInstant(clock: LedgerClock) throws { try write(clock) { _, _ in } }

    /// Records what time it is because a person says that the clock is right. A machine's clock that is behind the latest
    /// recorded instant is taken at its word too: that instant was wrong. A test clock never goes back.
    package func confirm(_ clock: LedgerClock) throws -> ClockReport {
        var clock = clock
        clock.isConfirmed = true
        try write(clock) { moment, database in
            if !properties.hasTestClock { try LedgerState.noteConfirmed(moment.now, database) }
        }
        return try report(on: clock)
    }

    // MARK: Accounts, price books, grants

    package func addTenant(_ code: Code, name: String, isLegacy: Bool, clock: LedgerClock) throws -> Recording {
        try write(clock, changes: { $0 == .recorded }) { _, database in
            try Accounts.addTenant(code, name: name, isLegacy: isLegacy, database)
        }
    }

    package func addApp(_ code: Code, tenant: Code, name: String, clock: LedgerClock) throws -> Recording {
        try write(clock, changes: { $0 == .recorded }) { _, database in
            try Accounts.addApp(code, tenant: tenant, name: name, database)
        }
    }

    /// - Parameters:
    ///   - yaml: the file, stored as it is.
    ///   - book: what the file says.
    package func applyPriceBook(
        _ book: PriceBook, yaml: String, clock: LedgerClock
    ) throws -> PriceBookApplication {
        try write(clock, changes: { $0.recording == .recorded }) { try apply(book, yaml: yaml, at: $0, $1) }
    }

    /// What ``applyPriceBook(_:yaml:clock:)`` would do; writes nothing.
    package func previewPriceBook(
        _ book: PriceBook, yaml: String, clock: LedgerClock
    ) throws -> PriceBookApplication {
        try file.rolledBack { try apply(book, yaml: yaml, at: Moment(clock, properties, $0), $0) }
    }

    private func apply(
        _ book: PriceBook, yaml: String, at moment: Moment, _ database: Database
    ) throws -> PriceBookApplication {
        try PriceBooks.apply(
            book, yaml: yaml, earliestOpenDay: moment.earliestOpenDay, at: moment.now, database)
    }

    /// - Returns: what became of it, the grant, and whether it covers nothing when it is recorded now.
    package func recordGrant(
        _ order: GrantOrder, clock: LedgerClock
    ) throws -> (recording: Recording, grant: RecordedGrant, coversNothing: Bool) {
        try write(clock, changes: { $0.recording == .recorded }) { moment, database in
            let recording = try Grants.record(order, at: moment, database)
            guard let grant = try Grants.all(database).first(where: { $0.grant.code == order.code }) else {
                preconditionFailure("a grant was just recorded")
            }
            return (recording, grant, grant.coversNothing(properties.finality, recordedOn: moment.today))
        }
    }

    /// Voids a grant that no final day draws on, in one transaction: when it fails, nothing has changed. Only its tenant's
    /// days are computed: a tenant that can't be billed says nothing of another's grant.
    ///
    /// - Returns: the grant as it was, and what entries of open days draw on it until the next rating takes that back.
    /// - Throws: ``LedgerError``: `unknownGrant`, `grantVoided`, `grantUsed`, `subscriptionBegun`, `unrated`.
    package func voidGrant(_ code: Code, clock: LedgerClock) throws -> (grant: RecordedGrant, openDraws: Quantity) {
        try write(clock) { moment, database in
            let grant = try Grants.notVoided(code, database)
            let draws = try GrantDraws.ofFinalDays(on: grant, at: moment, database)
            return (grant, try Grants.void(grant, finalDraws: draws, at: moment, database))
        }
    }

    // MARK: Events

    /// Keys the hashes of the batches that this ledger takes.
    package var eventKey: FingerprintKey { ingestor.key }

    /// Stores a batch of events; what the report says is durable.
    package func ingest(_ batch: EventBatch, clock: LedgerClock) throws -> BatchReport {
        try ingest([batch], clock: clock)[0]
    }

    /// Stores batches of several senders in one transaction.
    ///
    /// - Returns: a report for each.
    /// - Throws: and then nothing of any of them is stored.
    package func ingest(_ batches: [EventBatch], clock: LedgerClock) throws -> [BatchReport] {
        try ingestor.apply(batches, clock: clock)
    }

    /// Stores what there is time for of batches of several senders, in one transaction.
    ///
    /// - Returns: how far each batch has come. At least one has come further.
    /// - Throws: and then each is as far as it was.
    package func ingest(
        _ batches: [BatchInProgress], within time: Duration, clock: LedgerClock
    ) throws -> [BatchInProgress] {
        try ingestor.apply(batches, within: time, clock: clock)
    }

    /// Commits a page: whether this ledger can still be written durably. (SQLite writes nothing where nothing changes.)
    package func probe() throws {
        try file.write { try $0.execute(sql: "UPDATE ledger_state SET probe_count = (probe_count + 1) % 1000000") }
    }

    /// Keeps the file's log short; to be called after answers.
    ///
    /// - Parameter isIdle: nothing waits to be stored.
    /// - Throws: `StorageError` when that has failed in a way after which nothing may be written.
    package func shortenLog(whileIdle isIdle: Bool) throws { try file.checkpointIfDue(whileIdle: isIdle) }

    /// Makes ready for a new day of arrivals: cheap when there is nothing to do.
    package func prepareIngestion(clock: LedgerClock) throws { try ingestor.maintain(clock: clock) }

    /// Reads all that memory holds of usage, as a daemon does before it is ready.
    package func preload(clock: LedgerClock) throws { try ingestor.preload(clock: clock) }

    /// Whether memory is loaded and the day prepared, so that the first events don't wait for that.
    private var isReady = false

    /// Makes ready for the events of many senders; does nothing the second time.
    ///
    /// - Throws: ``LedgerError`` from the clock. Events can be stored all the same once it shows a time: then the first of
    ///   each app waits until what memory holds of it is read.
    package func makeReady(clock: LedgerClock) throws {
        guard !isReady else { return }
        try prepareIngestion(clock: clock)
        try preload(clock: clock)
        isReady = true
    }

    /// The numbers of events in quarantine, for a command that changes it at an instant that is believed.
    private func quarantined(among ids: [Int64], _ clock: LedgerClock) throws -> [Int64] {
        try file.read { database in
            _ = try clock.now(properties, LedgerState.read(database))
            return try Quarantine.ids(among: ids, database)
        }
    }

    /// Tries quarantined events again, each as a new arrival; those that are taken leave the quarantine.
    ///
    /// - Parameter ids: all events when empty.
    /// - Throws: ``LedgerError`` `notInQuarantine`, and then none is tried.
    package func retryQuarantine(ids: [Int64], clock: LedgerClock) throws -> BatchReport {
        var total = BatchReport()
        var waiting = try quarantined(among: ids, clock)[...]
        while !waiting.isEmpty {
            let part = Array(waiting.prefix(bounds.retriesPerTransaction))
            waiting = waiting.dropFirst(part.count)
            let events = try file.read { try Quarantine.list(ids: part, $0) }
            let batch = EventBatch(key: eventKey)
            // The events stay where they are in memory until the batch is done.
            let text = events.flatMap(\.event)
            try text.withUnsafeBufferPointer { buffer in
                var start = 0
                for event in events {
                    batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + event.event.count]))
                    start += event.event.count
                }
                total.append(try ingest(batch, clock: clock))
            }
            try betweenTransactions()
        }
        return total
    }

    /// Drops quarantined events for good.
    ///
    /// - Parameter ids: all events when empty.
    /// - Returns: how many there were.
    /// - Throws: ``LedgerError`` from the clock; `notInQuarantine`, and then none is dropped.
    package func dropQuarantine(ids: [Int64], clock: LedgerClock) throws -> Int {
        var waiting = try quarantined(among: ids, clock)[...]
        var dropped = 0
        defer { ingestor.forgetQuarantine() }
        while !waiting.isEmpty {
            let part = waiting.prefix(bounds.dropsPerTransaction)
            waiting = waiting.dropFirst(part.count)
            dropped += try write(clock, changes: { $0 > 0 }) { try Quarantine.drop(ids: part, $1) }
            // Events that are served meanwhile must find out what is still there.
            ingestor.forgetQuarantine()
            try betweenTransactions()
        }
        return dropped
    }

    /// Erases a device's id: its text goes from the dictionary and with it from the evidence, its counts stay.
    ///
    /// - Throws: ``LedgerError``: `unknownApp`, `unknownDevice`.
    package func eraseDevice(_ device: String, app: Code, clock: LedgerClock) throws {
        try file.writeWithoutTrace { database in
            let moment = try Moment(clock, properties, database)
            let app = try Accounts.app(app, database)
            let isErased = try Array(device.utf8).withUnsafeBufferPointer {
                try ingestor.usage.erase(device: $0, app: app.id, database)
            }
            guard isErased else { throw LedgerError.unknownDevice(device, app: app.code) }
            try LedgerState.note(moment.now, database)
        }
    }

    // MARK: Copying

    /// Copies the file into a draft, others being served between the parts; what they store is in the copy too.
    ///
    /// - Returns: where the ledger stood at its end; the copy stands there too.
    /// - Throws: `StorageError`; the ledger is as well as before.
    package func copy(into draft: DraftAddress) throws -> LedgerMark {
        try file.copy(into: draft, between: betweenTransactions)
        return try file.read { try LedgerMark.read($0) }
    }

    // MARK: Rating

    /// Rates a day, then seals what was settled and tidies up; the ledger is complete before the tidying begins.
    package func rate(_ date: Day, clock: LedgerClock) throws -> RatingReport {
        let report = try ratingRun.run(date: date, clock: clock, between: betweenTransactions)
        if let settled = try file.read({ try LedgerState.read($0) }).settledThrough {
            try Sealing(file: file, store: ingestor.usage, bounds: bounds.sealing)
                .seal(through: settled, between: betweenTransactions)
        }
        try DeviceFiling(file: file, bounds: bounds.filing).file(between: betweenTransactions)
        try ingestor.maintain(clock: clock, between: betweenTransactions)
        return report
    }

    /// What ``rate(_:clock:)`` would append and settle; writes nothing.
    package func previewRating(_ date: Day, clock: LedgerClock) throws -> RatingReport {
        try ratingRun.run(date: date, clock: clock, dryRun: true, between: betweenTransactions)
    }
}
