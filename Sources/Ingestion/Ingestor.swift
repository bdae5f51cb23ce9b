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
/// features; the first that objects answers (Billing rules, sections 2 to 4).
package final class Ingestor {
    private let file: LedgerFile
    private let properties: LedgerProperties
    private let days: LedgerDays
    package let usage: UsageStore
    private let catalog = Catalog()
    private let quarantine: Quarantine

    package init(file: LedgerFile) throws {
        self.file = file
        properties = try file.read { try LedgerProperties.read($0) }
        days = LedgerDays(properties)
        let key = FingerprintKey(properties.fingerprintKey)
        usage = try UsageStore(file: file, key: key)
        quarantine = Quarantine(key: key)
    }

    /// Stores batches in one transaction; when this returns, what it says is durable.
    ///
    /// - Returns: a report for each batch.
    /// - Throws: `DatabaseError` or ``LedgerError``, and then nothing of any batch is stored or remembered.
    package func apply(_ batches: [EventBatch], clock: LedgerClock) throws -> [BatchReport] {
        do {
            let reports = try file.write { try store(batches, clock: clock, $0) }
            usage.commit()
            return reports
        } catch {
            usage.rollBack()
            days.forget()
            catalog.forget()
            quarantine.forget()
            throw error
        }
    }

    /// Reads what memory holds of every app, which else the first events of each would wait for.
    package func preload() throws {
        try file.read { database in
            try usage.begin(database, expected: Set(Accounts.apps(database).values.map(\.id)))
        }
    }

    /// Forgets the quarantine's digests, after a command has changed it.
    package func forgetQuarantine() { quarantine.forget() }

    /// Prepares for arrivals on a new day: builds the identity runs of the days before, drops those that are free.
    ///
    /// - Parameter between: called between its transactions; events may be stored meanwhile.
    package func maintain(clock: LedgerClock, between: () throws -> Void = {}) throws {
        let (today, heldFrom) = try file.write { database in
            let now = try clock.now(properties, LedgerState.read(database))
            let today = try days.days(around: now, database).today
            return (today, properties.finality.earliestHeldArrival(today: today))
        }
        try usage.identities.maintainRuns(today: today, heldFrom: heldFrom, between: between)
    }

    private func store(
        _ batches: [EventBatch], clock: LedgerClock, _ database: Database
    ) throws -> [BatchReport] {
        let state = try LedgerState.read(database)
        let now = try clock.now(properties, state)
        let (today, calendar) = try days.days(around: now, database)
        let arrival = Arrival(
            now: now, today: today, calendar: calendar, finality: properties.finality,
            closedThrough: state.closedThrough)
        try catalog.refresh(database)
        try usage.begin(database, expected: expectedApps(batches))

        let reports = try batches.map { try store($0, arrival, database) }
        if try usage.flush() { try LedgerState.noteChange(database) }
        var total = BatchReport()
        for report in reports { total.add(report) }
        try OutcomeCounters.add(total, arrivalDay: today, database)
        try LedgerState.note(now, database)
        return reports
    }

    private func store(_ batch: EventBatch, _ arrival: Arrival, _ database: Database) throws -> BatchReport {
        var report = BatchReport()
        for (index, scanned) in batch.events.enumerated() {
            let outcome: Outcome
            switch scanned {
            case .event(let event):
                outcome = try judge(event, batch.scanner, arrival, database)
                if case .accepted = outcome {
                    try quarantine.clear(event.raw, database)
                    report.accepted += 1
                    continue
                }
            case .refused(let refusal): outcome = .refused(refusal.code, refusal.reason)
            }
            try note(outcome, of: scanned, index: index, at: arrival.now, in: &report, database)
        }
        return report
    }

    /// Counts and reports what was not simply accepted; keeps refused events and clears copies of others.
    private func note(
        _ outcome: Outcome, of scanned: ScanResult, index: Int, at now: Instant, in report: inout BatchReport,
        _ database: Database
    ) throws {
        var outcome = outcome
        let (source, id, raw): (String?, String?, Bytes?) =
            switch scanned {
            case .event(let event): (event.source.string, event.id.string, event.raw)
            case .refused(let refusal): (refusal.source, refusal.id, refusal.raw)
            }
        if case .refused(let code, let reason) = outcome {
            if let raw,
                let objection = try quarantine.keep(
                    raw, code: code, reason: reason, source: source, id: id, at: now, database)
            {
                outcome = .refused(code, "\(reason) (\(objection))")
            }
        } else if let raw {
            try quarantine.clear(raw, database)
        }
        report.count(outcome)
        report.results.append(EventResult(index: index, source: source, id: id, outcome: outcome))
    }

    private func expectedApps(_ batches: [EventBatch]) -> Set<AppID> {
        var expected: Set<AppID> = []
        var last: (code: Bytes, app: AppID)?
        for batch in batches {
            for case .event(let event) in batch.events where event.kind == .deviceActivity {
                if let last, last.code == event.subject { continue }
                guard let app = catalog.app(event.subject)?.id else { continue }
                last = (event.subject, app)
                expected.insert(app)
            }
        }
        return expected
    }

    // MARK: One event

    private func judge(
        _ event: ScannedEvent, _ scanner: EventScanner, _ arrival: Arrival, _ database: Database
    ) throws -> Outcome {
        let app = catalog.app(event.subject)
        let isSum = event.kind != .deviceActivity
        if isSum,
            let stored = try usage.identities.find(
                source: event.source.buffer, id: event.id.buffer, heldFrom: arrival.heldFrom, database)
        {
            if isSame(event, app, stored) { return .duplicate }
            return .refused(
                .conflict,
                "source '\(event.source.string)', id '\(event.id.string)' was taken by an event of other content")
        }
        guard let app else { return .refused(.unknownApp, "app '\(event.subject.string)' is not in the ledger") }
        let usageDay: Day
        switch arrival.judge(Instant(micros: event.timeMicros)) {
        case .takes(let day): usageDay = day
        case .tooOld(let reason): return .refused(.tooOld, reason)
        case .inFuture(let reason): return .refused(.inFuture, reason)
        }
        let place = arrival.place(usageDay)
        switch resolve(event, scanner, usageDay: usageDay, tenantIsLegacy: app.tenant.isLegacy) {
        case .refused(let code, let reason): return .refused(code, reason)
        case .items(let items, let feed):
            if isSum {
                let record = UsageRecord(
                    source: event.source.buffer, id: event.id.buffer, feed: try catalog.id(of: feed, database),
                    time: Instant(micros: event.timeMicros), quantity: Quantity(event.quantity), place: place)
                try usage.record(record, app: app.id, items: items, arrivalDay: arrival.today, database)
            } else {
                try usage.touch(app: app.id, items: items, device: event.device.buffer, place: place)
            }
        }
        return place.isOnTime ? .accepted : .correction(usageDay: place.usageDay, postingDay: place.postingDay)
    }

    /// What the event's features feed together, by the price book version of its usage day known now.
    private func resolve(
        _ event: ScannedEvent, _ scanner: EventScanner, usageDay: Day, tenantIsLegacy: Bool
    ) -> Catalog.Resolution {
        guard let version = catalog.history?.version(for: usageDay) else {
            preconditionFailure("the catalog was refreshed at the start of the batch")
        }
        let first = catalog.resolve(
            event.feature, kind: event.kind, version: version, tenantIsLegacy: tenantIsLegacy)
        guard !event.moreFeatures.isEmpty, case .items(var items, let feed) = first else { return first }
        for feature in scanner.features[event.moreFeatures] {
            let next = catalog.resolve(feature, kind: event.kind, version: version, tenantIsLegacy: tenantIsLegacy)
            guard case .items(let more, _) = next else { return next }
            items += more.filter { !items.contains($0) }
        }
        return .items(items, feed: feed)
    }

    /// Whether an event repeats what is stored under its identity: app, feature, instant and quantity.
    private func isSame(_ event: ScannedEvent, _ app: App?, _ stored: StoredContent) -> Bool {
        guard let app, stored.app == app.id, stored.time.micros == event.timeMicros,
            stored.quantity.units == event.quantity, let feature = catalog.feature(ofFeed: stored.feed)
        else { return false }
        if event.kind == .gatewayCall { return feature.elementsEqual(Catalog.gatewayFeature.utf8) }
        return feature.elementsEqual(event.feature.buffer)
    }
}
