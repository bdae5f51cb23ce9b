// The one writer of a ledger that is served: a thread of its own that owns the open ledger and does all its writing.

import Foundation
package import Ingestion
package import LedgerStore
package import Logging
package import Operations
import Storage
package import UsageStore

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
        /// How long events are stored before their transaction is committed, even if not all of a request are. What the
        /// rest of it costs, others do not wait for.
        package var transactionTime = Duration.milliseconds(250)

        package init() {}
    }

    /// An operation that waits its turn.
    private struct Task {
        let perform: (OpenLedger) -> Void
        let refuse: (WriterError) -> Void
    }

    /// In this order. While operations end, events are still taken.
    private enum State { case running, endingOperations, stopping, stopped }

    private let condition = NSCondition()
    // Guarded by `condition`.
    private var arrivals: ArrivalQueue
    private var tasks: [Task] = []
    private var probes: [@Sendable (Result<Void, WriterError>) -> Void] = []
    private var state = State.running
    /// Whether the thread sleeps until it is signalled: waking one that is at work would be for nothing.
    private var isWaiting = false
    private var stopWaiters: [CheckedContinuation<Void, Never>] = []
    private var takesEvents: Bool { state == .running || state == .endingOperations }
    private var failure: WriterError?
    private var counts = WriterStatistics()
    private var lastLogged: ContinuousClock.Instant?
    /// When it was last logged that the clock is not believed; nil while it is.
    private var clockDoubtLogged: ContinuousClock.Instant?
    private let logger: Logger
    private let bounds: Bounds
    /// The thread's own.
    private var logWatch = LogWatch()
    /// The thread's own: when the operation under way began, or went on after events were served.
    private var operationWorksSince = ContinuousClock.now
    /// The most that the file's log may take before nothing is stored until its readers have gone.
    package let mostLogBytes: Int

    /// While events keep coming, an operation gets one part of the thread's time and they get so many: a rating under
    /// load takes longer, and they wait for a slice of it, not for each other.
    private static let eventsShare = 3

    /// A disk that is full fails every request: one line in so long says it.
    private static let logEvery = Duration.seconds(1)
    /// A clock that is not believed may take a person.
    private static let clockDoubtLogEvery = Duration.seconds(3_600)

    /// Keys the hashes of the events that this takes.
    package let eventKey: FingerprintKey

    /// Yields once, if the writer has to stop because it must not go on writing.
    package let failures: AsyncStream<WriterError>
    private let failureReport: AsyncStream<WriterError>.Continuation

    /// Starts the thread.
    ///
    /// - Parameter ledger: from here on the writer's alone; it is closed when the writer stops.
    package init(
        ledger: sending OpenLedger, bounds: Bounds = Bounds(), logger: Logger = Logger(label: "writer")
    ) {
        arrivals = ArrivalQueue(bounds)
        self.bounds = bounds
        self.logger = logger
        eventKey = ledger.eventKey
        mostLogBytes = ledger.file.logBytes.most
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
            if !takesEvents { return failure ?? .stopping }
            let arrival = Arrival(
                events: events, progress: BatchInProgress(events.batch), clock: clock, receivedAt: .now, answer: answer)
            guard arrivals.append(arrival) else {
                counts.refusedRequests += 1
                return .queueFull
            }
            wake()
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
                        if case .failure(let error) = result, !WriterError(error).maySpareOthers {
                            note(WriterError(error), requests: 0)
                        }
                        answer(result)
                    }, refuse: { answer(.failure($0)) }))
            wake()
            return nil
        }
        if let refusal { answer(.failure(refusal)) }
    }

    /// Commits for the sake of committing: returns when the way to the disk has been gone.
    ///
    /// - Returns: false if that takes longer than it may.
    /// - Throws: ``WriterError``.
    package func probe(within seconds: Double) async throws -> Bool {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Bool, any Error>) in
            // Whichever comes first; a probe can't be called back.
            let race = Race(continuation)
            // Not a task's sleep: that one is late when all threads for tasks are busy.
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { race.end(.success(false)) }
            let refusal: WriterError? = condition.withLock {
                if !takesEvents { return failure ?? .stopping }
                probes.append { race.end($0.map { true }.mapError { $0 }) }
                wake()
                return nil
            }
            if let refusal { race.end(.failure(refusal)) }
        }
    }

    /// Says in the log that the clock is not believed: once, and again each hour until it is.
    package func note(clockDoubt doubt: LedgerError) { note(.clockNotBelieved(doubt), requests: 0) }

    /// Says in the log that the clock is believed, where it was not.
    package func noteClockBelieved() {
        let wasDoubted = condition.withLock {
            defer { clockDoubtLogged = nil }
            return clockDoubtLogged != nil
        }
        if wasDoubted { logger.notice("the clock is believed again; everything goes on") }
    }

    /// Ends ``failures``.
    package func endFailures() { failureReport.finish() }

    package var statistics: WriterStatistics {
        condition.withLock {
            var counts = counts
            counts.queuedRequests = arrivals.count
            counts.queuedBytes = arrivals.bytes
            return counts
        }
    }

    /// Ends a long operation after its current transaction, and takes no other; events are still taken.
    package func endOperations() {
        condition.withLock {
            if state == .running { state = .endingOperations }
            wake()
        }
    }

    /// Takes nothing more, stores and answers what waits, closes the ledger, and then returns. A long operation ends
    /// after its current transaction.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let isStopped = condition.withLock {
                if takesEvents { state = .stopping }
                if state != .stopped { stopWaiters.append(continuation) }
                wake()
                return state == .stopped
            }
            if isStopped { continuation.resume() }
        }
    }

    /// Under `condition`.
    private func wake() {
        if isWaiting { condition.signal() }
    }

    // MARK: The thread

    private func run(_ ledger: OpenLedger) {
        ledger.betweenTransactions = { [self, unowned ledger] in
            serveMeanwhile(ledger)
            if let ending = condition.withLock({ state == .running ? nil : failure ?? .stopping }) { throw ending }
        }
        while let task = nextTask(ledger) {
            operationWorksSince = .now
            task.perform(ledger)
        }
        let isBroken = condition.withLock {
            refuseTasks()
            return failure != nil
        }
        do {
            try ledger.close(checkpointing: !isBroken)
        } catch {
            // What is acknowledged is in the file or its log; the next process moves that.
            logger.error("the ledger's file was not closed well", metadata: ["error": "\(error)"])
        }
        let waiters = condition.withLock {
            state = .stopped
            return stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Serves events until there is an operation to perform; nil when it is time to stop.
    private func nextTask(_ ledger: OpenLedger) -> Task? {
        while true {
            serveArrivals(ledger)
            let (task, isOver): (Task?, Bool) = condition.withLock {
                while takesEvents, arrivals.isEmpty, probes.isEmpty,
                    tasks.isEmpty || state == .endingOperations
                {
                    refuseTasks()
                    isWaiting = true
                    condition.wait()
                    isWaiting = false
                }
                guard state == .running else {
                    return (nil, !takesEvents && arrivals.isEmpty && probes.isEmpty)
                }
                return (tasks.isEmpty ? nil : tasks.removeFirst(), false)
            }
            if let task { return task }
            if isOver { return nil }
        }
    }

    /// Stores in groups what waits now. What comes meanwhile, and the rest of what takes long, is for the next time:
    /// otherwise senders that never pause would keep operations waiting for ever.
    private func serveArrivals(_ ledger: OpenLedger) {
        var waiting = condition.withLock { arrivals.count }
        while waiting > 0 {
            let group = condition.withLock { arrivals.takeGroup(atMost: waiting) }
            waiting -= group.count
            let failure = store(group, ledger)
            tendLog(of: ledger)
            if let failure, failure.holdsAll {
                // The others would wait as long for the same answer, and the probes behind them.
                let others = condition.withLock { arrivals.take(waiting) }
                refuse(others, failure)
                break
            }
            if waiting > 0 { serveProbes(ledger) }
        }
        serveProbes(ledger)
    }

    private func serveProbes(_ ledger: OpenLedger) {
        let probes = condition.withLock { takeProbes() }
        guard !probes.isEmpty else { return }
        let result = Result {
            if let failure = condition.withLock({ failure }) { throw failure }
            try ledger.probe()
        }.mapError { WriterError($0) }
        if case .failure(let error) = result { note(error, requests: 0) }
        for probe in probes { probe(result) }
    }

    /// Serves events between two transactions of an operation.
    private func serveMeanwhile(_ ledger: OpenLedger) {
        let start = ContinuousClock.now
        let end = start + (start - operationWorksSince) * Self.eventsShare
        repeat {
            serveArrivals(ledger)
        } while ContinuousClock.now < end && condition.withLock { takesEvents && !arrivals.isEmpty }
        operationWorksSince = .now
    }

    private func tendLog(of ledger: OpenLedger) {
        do {
            try ledger.shortenLog(whileIdle: condition.withLock { arrivals.isEmpty })
        } catch {
            note(WriterError(error), requests: 0)
        }
        logWatch.note(bytes: ledger.file.logBytes.now, of: mostLogBytes, logger)
    }

    /// Under `condition`: once operations end, those that wait are told so.
    private func refuseTasks() {
        guard state != .running else { return }
        for task in tasks { task.refuse(failure ?? .stopping) }
        tasks = []
    }

    private func takeProbes() -> [@Sendable (Result<Void, WriterError>) -> Void] {
        defer { probes = [] }
        return probes
    }

    /// Stores a group as far as there is time; what is left of it waits again.
    ///
    /// - Returns: why nothing of the group was stored.
    @discardableResult
    private func store(_ group: [Arrival], _ ledger: OpenLedger) -> WriterError? {
        let start = ContinuousClock.now
        do {
            if let failure = condition.withLock({ failure }) { throw failure }
            let stored = try ledger.ingest(
                group.map(\.progress), within: bounds.transactionTime, clock: group[0].clock)
            let end = ContinuousClock.now
            var (done, begun, untouched): ([Arrival], [Arrival], [Arrival]) = ([], [], [])
            var events = 0
            for (arrival, progress) in zip(group, stored) {
                var arrival = arrival
                let stored = progress.report.received - arrival.progress.report.received
                events += stored
                arrival.progress = progress
                if progress.isComplete {
                    done.append(arrival)
                } else if stored > 0 {
                    begun.append(arrival)
                } else {
                    untouched.append(arrival)
                }
            }
            let clockWasDoubted = condition.withLock {
                counts.noteGroup(
                    done.map(\.progress.report), events: events, commit: end - start,
                    waits: done.map { end - $0.receivedAt })
                if !begun.isEmpty || !untouched.isEmpty { arrivals.putBack(untouched: untouched, begun: begun) }
                return clockDoubtLogged != nil
            }
            if clockWasDoubted { noteClockBelieved() }
            for arrival in done { arrival.answer(.success(arrival.progress.report)) }
            return nil
        } catch {
            let error = WriterError(error)
            guard group.count > 1, error.maySpareOthers else {
                refuse(group, error)
                return error
            }
            // One sender's events must not fail another's.
            for arrival in group { store([arrival], ledger) }
            return nil
        }
    }

    private func refuse(_ arrivals: [Arrival], _ error: WriterError) {
        // What a sender says of the time is its own mistake; a group has one clock.
        let isSendersMistake =
            switch error {
            case .failed(LedgerError.testClockNotSet): true
            case .failed(is LedgerError): arrivals.first?.clock.given != nil
            default: false
            }
        if !isSendersMistake { note(error, requests: arrivals.count) }
        for arrival in arrivals {
            let report = arrival.progress.report
            guard report.received > 0 else {
                arrival.answer(.failure(error))
                continue
            }
            condition.withLock { counts.noteStored(report) }
            arrival.answer(.failure(WriterError.partlyStored(events: report.received, error)))
        }
    }

    /// Logs a failure, and ends the writing where nobody knows what has reached the disk: the file is then to be opened
    /// anew, by another process.
    private func note(_ error: WriterError, requests: Int) {
        let isFatal = if case .broken = error { true } else { false }
        let mayLog = condition.withLock {
            counts.failedRequests += requests
            if isFatal {
                failure = failure ?? error
                if takesEvents { state = .stopping }
                wake()
            }
            if case .stopping = error { return false }
            if case .clockNotBelieved = error {
                guard clockDoubtLogged.map({ $0 < .now - Self.clockDoubtLogEvery }) ?? true else { return false }
                clockDoubtLogged = .now
                return true
            }
            guard lastLogged.map({ $0 < .now - Self.logEvery }) ?? true else { return false }
            lastLogged = .now
            return true
        }
        if isFatal { failureReport.yield(error) }
        guard mayLog else { return }
        if case .clockNotBelieved = error {
            logger.error("the clock is not believed; nothing is stored until it is", metadata: ["error": "\(error)"])
            return
        }
        logger.error("the writer failed", metadata: ["error": "\(error)", "requests": "\(requests)"])
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

/// A continuation that several may resume: the first does.
private final class Race: @unchecked Sendable {
    private let lock = NSLock()
    // Guarded by `lock`.
    private var continuation: CheckedContinuation<Bool, any Error>?

    init(_ continuation: CheckedContinuation<Bool, any Error>) { self.continuation = continuation }

    func end(_ result: Result<Bool, any Error>) {
        let first = lock.withLock {
            defer { continuation = nil }
            return continuation
        }
        first?.resume(with: result)
    }
}
