// The one writer of a ledger that is served: a thread of its own that owns the open ledger and does all its writing.

import Foundation
package import Ingestion
package import LedgerStore
package import Operations

/// Takes events of many senders into one transaction and answers each after its commit; takes operations one by one,
/// and between their transactions the events that have come meanwhile.
///
/// All methods may be called from any thread.
package final class LedgerWriter: @unchecked Sendable {
    package struct Bounds: Sendable {
        /// Most events' bytes that wait; beyond them senders are told to come again.
        package var queuedBytes = 128 << 20
        package var queuedRequests = 4_096
        /// How much goes into one transaction. More would make the first sender wait without making the last faster.
        package var groupBytes = 8 << 20

        package init() {}
    }

    private struct Arrival {
        let events: ReceivedEvents
        let clock: LedgerClock
        let receivedAt: ContinuousClock.Instant
        let answer: @Sendable (Result<BatchReport, any Error>) -> Void
    }

    /// An operation that waits its turn.
    private struct Task {
        let perform: (OpenLedger) -> Void
        let refuse: (WriterError) -> Void
    }

    private enum State { case running, stopping, stopped }

    private let bounds: Bounds
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var arrivals: [Arrival] = []
    private var queuedBytes = 0
    private var tasks: [Task] = []
    private var probes: [@Sendable (Result<Void, any Error>) -> Void] = []
    private var state = State.running
    private var failure: WriterError?
    private var counts = WriterStatistics()

    /// Yields once, if the writer has to stop because it must not go on writing.
    package let failures: AsyncStream<WriterError>
    private let failureReport: AsyncStream<WriterError>.Continuation

    /// Starts the thread.
    ///
    /// - Parameter ledger: from here on the writer's alone; it is closed when the writer stops.
    package init(ledger: sending OpenLedger, bounds: Bounds = Bounds()) {
        self.bounds = bounds
        (failures, failureReport) = AsyncStream.makeStream()
        let handover = Handover(ledger)
        let thread = Thread { [self] in run(handover.take()) }
        thread.name = "writer"
        thread.stackSize = 8 << 20
        thread.start()
    }

    // MARK: For senders

    /// Stores events; what the report says is durable when this returns.
    ///
    /// - Throws: ``WriterError``, `LedgerError`; then nothing of these events is stored.
    package func ingest(_ events: ReceivedEvents, clock: LedgerClock) async throws -> BatchReport {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(events, clock: clock) { continuation.resume(with: $0) }
        }
    }

    /// Queues events, or answers at once that it does not.
    package func enqueue(
        _ events: ReceivedEvents, clock: LedgerClock,
        answer: @escaping @Sendable (Result<BatchReport, any Error>) -> Void
    ) {
        let refusal: WriterError? = condition.withLock {
            if state != .running { return failure ?? .stopping }
            let weight = events.weight
            guard arrivals.count < bounds.queuedRequests,
                arrivals.isEmpty || queuedBytes + weight <= bounds.queuedBytes
            else {
                counts.refusedRequests += 1
                return .queueFull
            }
            arrivals.append(Arrival(events: events, clock: clock, receivedAt: .now, answer: answer))
            queuedBytes += weight
            condition.broadcast()
            return nil
        }
        if let refusal { answer(.failure(refusal)) }
    }

    /// Performs an operation in its turn.
    ///
    /// - Throws: what the operation throws; ``WriterError``.
    package func perform<Operation: LedgerOperation>(
        _ operation: Operation, clock: LedgerClock
    ) async throws -> Operation.Answer {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(operation, clock: clock) { continuation.resume(with: $0) }
        }
    }

    package func enqueue<Operation: LedgerOperation>(
        _ operation: Operation, clock: LedgerClock,
        answer: @escaping @Sendable (Result<Operation.Answer, any Error>) -> Void
    ) {
        let refusal: WriterError? = condition.withLock {
            if state != .running { return failure ?? .stopping }
            tasks.append(
                Task(
                    perform: { [self] ledger in
                        let result = Result { try operation.perform(on: ledger, clock: clock) }
                        if case .failure(let error) = result { stopIfFatal(error) }
                        answer(result)
                    }, refuse: { answer(.failure($0)) }))
            condition.broadcast()
            return nil
        }
        if let refusal { answer(.failure(refusal)) }
    }

    /// Commits for the sake of committing: returns when the way to the disk has been gone.
    package func probe() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let refusal: WriterError? = condition.withLock {
                if state != .running { return failure ?? .stopping }
                probes.append { continuation.resume(with: $0) }
                condition.broadcast()
                return nil
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// Ends ``failures``.
    package func endFailures() { failureReport.finish() }

    package var statistics: WriterStatistics {
        condition.withLock {
            var counts = counts
            counts.queuedRequests = arrivals.count
            counts.queuedBytes = queuedBytes
            return counts
        }
    }

    /// Takes nothing more, stores and answers what waits, closes the ledger, and then returns. A long operation ends
    /// after its current transaction.
    package func stop() async {
        condition.withLock {
            if state == .running { state = .stopping }
            condition.broadcast()
        }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                condition.withLock { while state != .stopped { condition.wait() } }
                continuation.resume()
            }
        }
    }

    // MARK: The thread

    private func run(_ ledger: OpenLedger) {
        ledger.betweenTransactions = { [self, unowned ledger] in
            serveArrivals(ledger)
            if let ending = condition.withLock({ state == .running ? nil : failure ?? .stopping }) { throw ending }
        }
        while let task = nextTask(ledger) { task.perform(ledger) }
        let (waiting, ending) = condition.withLock { (tasks, failure ?? .stopping) }
        for task in waiting { task.refuse(ending) }
        // What is acknowledged is in the file or its WAL; a checkpoint that fails loses nothing.
        try? ledger.close()
        condition.withLock {
            state = .stopped
            condition.broadcast()
        }
    }

    /// Serves events until there is an operation to perform; nil when it is time to stop.
    private func nextTask(_ ledger: OpenLedger) -> Task? {
        while true {
            serveArrivals(ledger)
            let (task, isOver): (Task?, Bool) = condition.withLock {
                if state == .running, arrivals.isEmpty, tasks.isEmpty, probes.isEmpty { condition.wait() }
                guard state == .running else { return (nil, arrivals.isEmpty && probes.isEmpty) }
                return (tasks.isEmpty ? nil : tasks.removeFirst(), false)
            }
            if let task { return task }
            if isOver { return nil }
        }
    }

    /// Stores all that waits, in groups.
    private func serveArrivals(_ ledger: OpenLedger) {
        while true {
            let (group, probes) = condition.withLock { (takeGroup(), takeProbes()) }
            guard !group.isEmpty || !probes.isEmpty else { return }
            if !group.isEmpty { store(group, ledger) }
            guard !probes.isEmpty else { continue }
            let result = Result { try ledger.probe() }
            if case .failure(let error) = result { stopIfFatal(error) }
            for probe in probes { probe(result) }
        }
    }

    private func takeProbes() -> [@Sendable (Result<Void, any Error>) -> Void] {
        defer { probes = [] }
        return probes
    }

    /// The arrivals of the next transaction: those at the front that go by the same clock, within the group's bound.
    private func takeGroup() -> [Arrival] {
        var bytes = 0
        var count = 0
        for arrival in arrivals {
            guard
                count == 0 || (bytes + arrival.events.weight <= bounds.groupBytes && arrival.clock == arrivals[0].clock)
            else { break }
            bytes += arrival.events.weight
            count += 1
        }
        let group = Array(arrivals.prefix(count))
        arrivals.removeFirst(count)
        queuedBytes -= bytes
        return group
    }

    private func store(_ group: [Arrival], _ ledger: OpenLedger) {
        let start = ContinuousClock.now
        do {
            if let failure = condition.withLock({ failure }) { throw failure }
            let reports = try ledger.ingest(group.map(\.events.batch), clock: group[0].clock)
            let end = ContinuousClock.now
            condition.withLock {
                counts.noteGroup(reports, commit: end - start, waits: group.map { end - $0.receivedAt })
            }
            for (arrival, report) in zip(group, reports) { arrival.answer(.success(report)) }
        } catch {
            stopIfFatal(error)
            guard group.count > 1, condition.withLock({ failure }) == nil else {
                condition.withLock { counts.failedRequests += group.count }
                for arrival in group { arrival.answer(.failure(WriterError(error))) }
                return
            }
            // One sender's events must not fail another's.
            for arrival in group { store([arrival], ledger) }
        }
    }

    /// What an fsync that failed has left on the disk nobody knows: the file is to be opened anew, by another process.
    private func stopIfFatal(_ error: any Error) {
        guard case .brokenDisk = WriterError(error) else { return }
        condition.withLock {
            failure = failure ?? WriterError(error)
            state = .stopping
            condition.broadcast()
        }
        failureReport.yield(WriterError(error))
    }
}

/// Carries the open ledger over to the thread that owns it from then on.
private final class Handover: @unchecked Sendable {
    private var ledger: OpenLedger?

    init(_ ledger: OpenLedger) { self.ledger = ledger }

    func take() -> OpenLedger {
        guard let taken = ledger else { preconditionFailure("a ledger is handed over once") }
        ledger = nil
        return taken
    }
}
