// The one way in: a batch of scanned events becomes outcomes and stored usage, in one durable transaction.

import EventCodec
import GRDB
package import LedgerStore
import Quantities
import Rating
package import Storage
package import UsageStore

/// Judges and stores events. Owned by the writer; not thread-safe.
///
/// An event passes, in this order: its own fields (the scanner), for sum events its identity, its app, its time, its
/// features, and the room that its items' counters have; the first that objects answers (Billing rules, sections 2 to 4).
package final class Ingestor {
    private let file: LedgerFile
    private let properties: LedgerProperties
    /// Keys the hashes of the batches that this takes.
    package let key: FingerprintKey
    private let days: LedgerDays
    package let usage: UsageStore
    private let catalog = Catalog()
    private let quarantine: Quarantine
    // Of the batch that is being stored.
    @exclusivity(unchecked) private var activity: ContiguousArray<Activity> = []
    @exclusivity(unchecked) private var activityItems: ContiguousArray<ItemID> = []
    private var activityRefusals: [(code: RefusalCode, reason: String)] = []

    package init(file: LedgerFile, identities bounds: IdentityIndex.Bounds = IdentityIndex.Bounds()) throws {
        self.file = file
        properties = try file.read { try LedgerProperties.read($0) }
        days = LedgerDays(properties)
        key = FingerprintKey(properties.fingerprintKey)
        usage = try UsageStore(file: file, key: key, identities: bounds)
        quarantine = Quarantine(key: key)
    }

    /// Stores batches in one transaction; when this returns, what it says is durable.
    ///
    /// - Returns: a report for each batch.
    /// - Throws: `DatabaseError` or ``LedgerError``, and then nothing of any batch is stored or remembered.
    package func apply(_ batches: [EventBatch], clock: LedgerClock) throws -> [BatchReport] {
        try apply(batches.map { BatchInProgress($0) }, within: nil, clock: clock).map(\.report)
    }

    /// Stores batches in one transaction, as far as there is time; when this returns, what it says is durable.
    ///
    /// - Parameter time: after which the transaction is committed even if not all is stored; nil stores all.
    /// - Returns: how far each batch has come. At least one has come further.
    /// - Throws: `DatabaseError` or ``LedgerError``, and then nothing more of any batch is stored or remembered.
    package func apply(
        _ batches: [BatchInProgress], within time: Duration?, clock: LedgerClock
    ) throws -> [BatchInProgress] {
        do {
            let stored = try file.write { try store(batches, within: time, clock: clock, $0) }
            usage.commit()
            return stored
        } catch {
            usage.rollBack()
            days.forget()
            catalog.forget()
            quarantine.forget()
            throw error
        }
    }

    /// Reads what memory holds of every app and of today's identities, which else the first events would wait for.
    package func preload(clock: LedgerClock) throws {
        let heldFrom = try arrivalDays(clock).heldFrom
        try file.read { database in
            try usage.load(Set(Accounts.apps(database).values.map(\.id)), database)
            try usage.identities.begin(heldFrom: heldFrom, database)
        }
    }

    /// Forgets the quarantine's digests, after a command has changed it.
    package func forgetQuarantine() { quarantine.forget() }

    /// Prepares for arrivals on a new day: builds the identity runs of the days before, drops those that are free.
    ///
    /// - Parameter between: called between its transactions; events may be stored meanwhile.
    package func maintain(clock: LedgerClock, between: () throws -> Void = {}) throws {
        let (today, heldFrom) = try arrivalDays(clock)
        try usage.identities.maintainRuns(today: today, heldFrom: heldFrom, between: between)
    }

    /// Today, and the first day of arrival whose identities are held.
    private func arrivalDays(_ clock: LedgerClock) throws -> (today: Day, heldFrom: Day) {
        do {
            return try file.write { database in
                let now = try clock.now(properties, LedgerState.read(database))
                let today = try days.days(around: now, database).today
                return (today, properties.finality.earliestHeldArrival(today: today))
            }
        } catch {
            // What was to be stored of them is not.
            days.forget()
            throw error
        }
    }

    private func store(
        _ batches: [BatchInProgress], within time: Duration?, clock: LedgerClock, _ database: Database
    ) throws -> [BatchInProgress] {
        let deadline = time.map { ContinuousClock.now + $0 }
        let state = try LedgerState.read(database)
        let now = try clock.now(properties, state)
        let (today, calendar) = try days.days(around: now, database)
        var arrival = Arrival(
            now: now, today: today, calendar: calendar, finality: properties.finality,
            closedThrough: state.closedThrough)
        try catalog.refresh(database)

        var total = BatchReport()
        var stored = batches
        for index in stored.indices {
            var isFirst = index == 0
            while !stored[index].isComplete, isFirst || deadline.map({ ContinuousClock.now < $0 }) ?? true {
                isFirst = false
                total.add(try storePart(of: &stored[index], until: deadline, &arrival, database))
            }
        }
        if try usage.flush() { try LedgerState.noteChange(database) }
        try OutcomeCounters.add(total, arrivalDay: today, database)
        // Refused events leave a test clock where it is: a time that was wrong can be mended.
        if total.refusedCount < total.received || (clock.isConfirmed && !properties.hasTestClock) {
            try LedgerState.note(now, database)
        }
        return stored
    }

    /// How many events are judged ahead of being stored where there is a deadline, and after how many time is looked at:
    /// even events of 64 KiB that all go to quarantine are then a few MiB.
    private static let eventsPerPart = 2_048
    private static let eventsPerLook = 64

    /// Judges what needs no look at the stored usage first, so that the memory that the events touch can be asked for
    /// ahead of them: waiting for it would take longer than all the rest.
    ///
    /// - Returns: what became of the events that were stored now.
    private func storePart(
        of progress: inout BatchInProgress, until deadline: ContinuousClock.Instant?, _ arrival: inout Arrival,
        _ database: Database
    ) throws -> BatchReport {
        let batch = progress.batch
        let first = progress.nextEvent
        // Without a deadline all at once: what the events need of the file is then read in one pass.
        let end = deadline == nil ? batch.events.count : min(batch.events.count, first + Self.eventsPerPart)
        let missing = try judgeActivity(of: batch, first..<end, &arrival, database)
        if !missing.isEmpty { try usage.load(missing, database) }
        if batch.hasSumEvents { try usage.identities.begin(heldFrom: arrival.heldFrom, database) }

        // Held here, and handed down: each look at what a class holds would count references.
        let (events, hashes, scanner) = (batch.events, batch.hashes, batch.scanner)
        var report = BatchReport()
        var refusals = batch.refusals[progress.nextRefusal...]
        var index = first
        var place = progress.report.received
        while true {
            if let next = refusals.first, next.place == place {
                refusals.removeFirst()
                try note(
                    .refused(next.refusal.code, next.refusal.reason), source: next.refusal.source, id: next.refusal.id,
                    raw: next.refusal.raw, at: arrival.now, in: &report, database)
            } else if index < end {
                lookAhead(from: index - first, hashes, first)
                let event = events[index]
                let outcome = try take(event, index - first, hashes[index], scanner, &arrival, database)
                if case .accepted = outcome {
                    try quarantine.clear(event.raw, database)
                    report.accepted += 1
                } else {
                    try note(
                        outcome, source: event.source.string, id: event.id.string, raw: event.raw, at: arrival.now,
                        in: &report, database)
                }
                index += 1
            } else {
                break
            }
            place += 1
            if let deadline, place % Self.eventsPerLook == 0, ContinuousClock.now >= deadline { break }
        }
        progress.note(report, nextEvent: index, nextRefusal: refusals.startIndex)
        return report
    }

    /// Counts and reports what was not simply accepted; keeps refused events and clears copies of others.
    private func note(
        _ outcome: Outcome, source: String?, id: String?, raw: Bytes?, at now: Instant, in report: inout BatchReport,
        _ database: Database
    ) throws {
        var outcome = outcome
        if case .refused(let code, let reason) = outcome {
            if raw == nil { report.unreadable += 1 }
            if let raw,
                let objection = try quarantine.keep(
                    raw, code: code, reason: reason, source: source, id: id, at: now, database)
            {
                outcome = .refused(code, "\(reason) (\(objection))")
                report.notKept += 1
            }
        } else if let raw {
            try quarantine.clear(raw, database)
        }
        let index = report.received
        report.count(outcome)
        report.results.append(EventResult(index: index, source: source, id: id, outcome: outcome))
    }

    // MARK: Ahead of the events

    /// What is known of an event of device activity before it is its turn.
    private struct Activity {
        enum State { case sum, taken, refused }

        /// `sum` for what is no device activity: there the identity is asked first.
        var state: State
        var app = AppID(0)
        var day = Arrival.UsageDay(place: CountingPlace(postingDay: Day(0), usageDay: Day(0)), month: Month(number: 0))
        /// Where in `activityItems` what it feeds stands; of a refused one, from where in `activityRefusals` why.
        var range = 0..<0
        var ordinal: UInt32?
    }

    /// - Returns: the apps that memory does not hold yet.
    private func judgeActivity(
        of batch: EventBatch, _ range: Range<Int>, _ arrival: inout Arrival, _ database: Database
    ) throws -> Set<AppID> {
        activity.removeAll(keepingCapacity: true)
        activityItems.removeAll(keepingCapacity: true)
        activityRefusals.removeAll(keepingCapacity: true)
        var missing: Set<AppID> = []
        let scanner = batch.scanner
        for event in batch.events[range] {
            guard event.kind == .deviceActivity else {
                activity.append(Activity(state: .sum))
                continue
            }
            switch try judge(event, scanner, &arrival, database) {
            case .taken(let app, let day, let items, _):
                if !usage.holds(app) { missing.insert(app) }
                activity.append(Activity(state: .taken, app: app, day: day, range: items))
            case .refused(let code, let reason):
                let first = activityRefusals.count
                activityRefusals.append((code, reason))
                activity.append(Activity(state: .refused, range: first..<first + 1))
            }
        }
        return missing
    }

    /// How many events ahead the places of devices and identities are asked for, and half as many the words of months.
    private static let farAhead = 32
    private static let nearAhead = 16

    @inline(__always)
    private func lookAhead(from index: Int, _ hashes: ContiguousArray<Fingerprint>, _ first: Int) {
        let far = index + Self.farAhead
        if far < activity.count {
            switch activity[far].state {
            case .taken: usage.prefetch(app: activity[far].app, device: hashes[first + far])
            case .sum: usage.identities.prefetch(hashes[first + far].low)
            case .refused: break
            }
        }
        let near = index + Self.nearAhead
        if near < activity.count, activity[near].state == .taken {
            activity[near].ordinal = withItems(near) {
                usage.lookAhead(
                    app: activity[near].app, items: $0, device: hashes[first + near], month: activity[near].day.month)
            }
        }
    }

    @inline(__always)
    private func withItems<Value>(
        _ index: Int, _ body: (UnsafeBufferPointer<ItemID>) throws -> Value
    ) rethrows -> Value {
        try activityItems.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[activity[index].range]))
        }
    }

    // MARK: One event

    @inline(__always)
    private func take(
        _ event: ScannedEvent, _ index: Int, _ hash: Fingerprint, _ scanner: EventScanner, _ arrival: inout Arrival,
        _ database: Database
    ) throws -> Outcome {
        switch activity[index].state {
        case .sum: return try takeSum(event, identity: hash.low, scanner, &arrival, database)
        case .refused:
            let (code, reason) = activityRefusals[activity[index].range.lowerBound]
            return .refused(code, reason)
        case .taken:
            let (app, day) = (activity[index].app, activity[index].day)
            try withItems(index) { items in
                try usage.touch(
                    app: app, items: items, name: event.device.buffer, device: hash, known: activity[index].ordinal,
                    place: day.place, month: day.month)
            }
            return outcome(day.place)
        }
    }

    private func takeSum(
        _ event: ScannedEvent, identity: UInt64, _ scanner: EventScanner, _ arrival: inout Arrival,
        _ database: Database
    ) throws -> Outcome {
        let hold = try usage.identities.find(
            identity, source: event.source.buffer, id: event.id.buffer, heldFrom: arrival.heldFrom
        ) { catalog.isSame(event, $0) }
        switch hold {
        case .bySame: return .duplicate
        case .byOther(let stored): return .refused(.conflict, catalog.conflict(event, with: stored))
        case .free: break
        }
        switch try judge(event, scanner, &arrival, database) {
        case .refused(let code, let reason): return .refused(code, reason)
        case .taken(let app, let day, let range, let feed):
            guard
                try usage.hasRoom(
                    for: Quantity(event.quantity), app: app, items: activityItems[range], place: day.place, database)
            else {
                return .refused(
                    .badQuantity,
                    "with \(event.quantity) more, an item of app '\(event.subject.printable)' would have beyond "
                        + "\(UsageStore.largestCounter.units) on \(day.place.usageDay)")
            }
            let record = UsageRecord(
                source: event.source.buffer, id: event.id.buffer,
                feed: try catalog.id(of: feed.takeUnretainedValue(), database),
                time: Instant(micros: event.timeMicros), quantity: Quantity(event.quantity), place: day.place)
            try usage.record(
                record, identity: identity, app: app, items: activityItems[range], arrivalDay: arrival.today, database)
            return outcome(day.place)
        }
    }

    @inline(__always)
    private func outcome(_ place: CountingPlace) -> Outcome {
        place.isOnTime ? .accepted : .correction(usageDay: place.usageDay, postingDay: place.postingDay)
    }

    private enum Judgement {
        /// With where in `activityItems` stands what it feeds.
        case taken(AppID, Arrival.UsageDay, Range<Int>, Unmanaged<Catalog.Feed>)
        case refused(RefusalCode, String)
    }

    /// Whether the ledger takes an event: its app, its time, its features.
    @inline(__always)
    private func judge(
        _ event: ScannedEvent, _ scanner: EventScanner, _ arrival: inout Arrival, _ database: Database
    ) throws -> Judgement {
        guard let app = catalog.app(event.subject) else {
            return .refused(.unknownApp, try catalog.reason(forUnknownApp: event.subject, database))
        }
        switch arrival.judge(Instant(micros: event.timeMicros)) {
        case .tooOld(let reason): return .refused(.tooOld, reason)
        case .inFuture(let reason): return .refused(.inFuture, reason)
        case .takes(let day):
            let first = activityItems.count
            if event.moreFeatures.isEmpty,
                let feed = catalog.knownFeed(
                    event.feature, kind: event.kind, usageDay: day.place.usageDay, tenantIsLegacy: app.tenantIsLegacy)
            {
                feed._withUnsafeGuaranteedRef { feed in for item in feed.items { activityItems.append(item) } }
                return .taken(app.id, day, first..<activityItems.count, feed)
            }
            switch resolve(event, scanner, usageDay: day.place.usageDay, tenantIsLegacy: app.tenantIsLegacy) {
            case .refused(let code, let reason): return .refused(code, reason)
            case .items(let items, let feed):
                activityItems.append(contentsOf: items)
                return .taken(app.id, day, first..<activityItems.count, Unmanaged.passUnretained(feed))
            }
        }
    }

    /// What the event's features feed together, by the price book version of its usage day known now.
    private func resolve(
        _ event: ScannedEvent, _ scanner: EventScanner, usageDay: Day, tenantIsLegacy: Bool
    ) -> Catalog.Resolution {
        let first = catalog.resolve(
            event.feature, kind: event.kind, usageDay: usageDay, tenantIsLegacy: tenantIsLegacy)
        guard !event.moreFeatures.isEmpty, case .items(var items, let feed) = first else { return first }
        for feature in scanner.features[event.moreFeatures] {
            let next = catalog.resolve(
                feature, kind: event.kind, usageDay: usageDay, tenantIsLegacy: tenantIsLegacy)
            guard case .items(let more, _) = next else { return next }
            items += more.filter { !items.contains($0) }
        }
        return .items(items, feed: feed)
    }
}
