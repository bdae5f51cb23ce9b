// The one writer of a served ledger: many senders, one transaction at a time, each answered after its commit.

import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import Synchronization
import TestSupport
import Testing
import UsageStore
import Writer

@Suite("The writer of a served ledger")
struct LedgerWriterTests {
    private let fixture: LedgerFixture
    private let clock: LedgerClock

    init() throws {
        fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        clock = fixture.clock
    }

    static func events(_ lines: [EventLine], for writer: LedgerWriter) -> ReceivedEvents {
        events(lines, key: writer.eventKey)
    }

    private static func events(_ lines: [EventLine], key: FingerprintKey) -> ReceivedEvents {
        let text = lines.map { $0.text + "\n" }.joined()
        let events = ReceivedEvents(copying: text.utf8, key: key)
        var start = 0
        for line in lines {
            let count = line.text.utf8.count
            events.batch.add(UnsafeBufferPointer(rebasing: events.bytes[start..<start + count]))
            start += count + 1
        }
        return events
    }

    private static func calls(_ id: String, for writer: LedgerWriter) -> ReceivedEvents {
        events([.calls(10, id: id)], for: writer)
    }

    /// What another process sees of the file.
    private static func stored(
        _ path: String, _ sql: String = "SELECT quantity FROM usage_daily WHERE item = 'gateway_calls'"
    ) throws -> [String] {
        try LedgerFile.openForReading(at: path).read { try LedgerFixture.rows($0, sql) }
    }

    @Test("answers each of many senders after its events are durable, and takes them together")
    func manySenders() async throws {
        let (path, clock) = (fixture.path, clock)
        let writer = LedgerWriter(ledger: fixture.handOver())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<100 {
                group.addTask {
                    for number in 0..<10 {
                        let report = try await writer.ingest(
                            Self.calls("\(sender)-\(number)", for: writer), clock: clock)
                        #expect(report.accepted == 1)
                        let row = try Self.stored(
                            path, "SELECT count(*) FROM usage_event WHERE id = '\(sender)-\(number)'")
                        #expect(row == ["1"], "\(sender)-\(number) was acknowledged before it was stored")
                    }
                }
            }
            try await group.waitForAll()
        }
        let statistics = writer.statistics
        #expect(statistics.outcomes.accepted == 1_000)
        #expect(statistics.groupEvents.counts.reduce(0, +) < 1_000, "no two requests shared a transaction")
        await writer.stop()
        #expect(try Self.stored(path) == ["10000"])
    }

    @Test("undoes what a failed transaction changed: the same events again count once")
    func failedTransaction() async throws {
        try fixture.execute(
            """
            CREATE TRIGGER broken BEFORE INSERT ON usage_record
            WHEN new.id LIKE 'bad%'
            BEGIN
                SELECT raise(ABORT, 'broken on purpose');
            END
            """)
        let (path, clock) = (fixture.path, clock)
        let writer = LedgerWriter(ledger: fixture.handOver())
        // Together in one transaction, while the writer is held; the one sender's failure is not the others'.
        let gate = Gate.make()
        let held = Task { try await writer.perform(Hold(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        let device = EventLine.device("phone-1")
        let waiting = [
            Task { try await writer.ingest(Self.calls("a", for: writer), clock: clock).accepted },
            Task {
                try await writer.ingest(Self.events([device, .calls(10, id: "bad")], for: writer), clock: clock)
                    .accepted
            },
            Task { try await writer.ingest(Self.calls("b", for: writer), clock: clock).accepted },
        ]
        try await until { writer.statistics.queuedRequests == 3 }
        Gate.open(gate)
        _ = try await held.value
        #expect(try await waiting[0].value == 1)
        do {
            _ = try await waiting[1].value
            Issue.record("a failed transaction was acknowledged")
        } catch {
            // It goes to the log: what it failed at, never whose device it was.
            #expect("\(error)".contains("broken on purpose"))
            #expect(!"\(error)".contains("phone-1"))
            #expect(error is WriterError)
        }
        #expect(try await waiting[2].value == 1)
        #expect(try Self.stored(path) == ["20"])

        _ = try await writer.perform(Execute(sql: "DROP TRIGGER broken"), clock: clock)
        let again = try await writer.ingest(Self.events([device, .calls(10, id: "bad")], for: writer), clock: clock)
        #expect(again.accepted == 2)
        await writer.stop()
        #expect(try Self.stored(path) == ["30"])
        #expect(try Self.stored(path, "SELECT devices FROM mau") == ["1"])
    }

    /// Each of the two bounds alone lets two requests wait.
    @Test("tells a sender whose own time can't be so, and takes that for no failure of the writer's")
    func wrongTime() async throws {
        let writer = LedgerWriter(ledger: fixture.handOver())
        _ = try await writer.ingest(Self.calls("1", for: writer), clock: clock)
        await #expect(throws: WriterError.self) {
            try await writer.ingest(Self.calls("2", for: writer), clock: LedgerClock(given: Instant(micros: 0)))
        }
        #expect(writer.statistics.failedRequests == 0)
        _ = try await writer.ingest(Self.calls("2", for: writer), clock: clock)
        await writer.stop()
    }

    @Test("tells a sender at once when too much waits, and stores nothing of that", arguments: ["requests", "bytes"])
    func queueFull(of what: String) async throws {
        var bounds = LedgerWriter.Bounds()
        if what == "requests" { bounds.queuedRequests = 2 }
        let (path, clock) = (fixture.path, clock)
        let weight = Self.events([.calls(10, id: "a")], key: fixture.ledger.eventKey).weight
        if what == "bytes" { bounds.queuedBytes = weight * 2 }
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        let gate = Gate.make()
        let held = Task { try await writer.perform(Hold(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        let waiting = ["a", "b"].map { id in
            Task { try await writer.ingest(Self.calls(id, for: writer), clock: clock).accepted }
        }
        try await until { writer.statistics.queuedRequests == 2 }
        await #expect(
            performing: { try await writer.ingest(Self.calls("c", for: writer), clock: clock) },
            throws: {
                if case WriterError.queueFull = $0 { true } else { false }
            })
        Gate.open(gate)
        _ = try await held.value
        for task in waiting { #expect(try await task.value == 1) }
        #expect(try await writer.ingest(Self.calls("c", for: writer), clock: clock).accepted == 1)
        await writer.stop()
        #expect(try Self.stored(path) == ["30"])
    }

    @Test("stores events between the transactions of a long operation")
    func betweenTransactions() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver())
        let gate = Gate.make()
        let long = Task { try await writer.perform(WaitForUsage(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        // The operation ends only once these are stored.
        #expect(try await writer.ingest(Self.calls("a", for: writer), clock: clock).accepted == 1)
        #expect(try await long.value == 1)
        await writer.stop()
    }

    @Test("stops: stores and answers what waits, ends a long operation, refuses what comes later, frees the ledger")
    func stops() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver())
        let gate = Gate.make()
        let long = Task { try await writer.perform(WaitForUsage(gate: gate, rows: 1_000), clock: clock) }
        try await until { Gate.isReached(gate) }
        let next = Task { try await writer.perform(Execute(sql: "SELECT 1"), clock: clock) }
        #expect(try await writer.ingest(Self.calls("a", for: writer), clock: clock).accepted == 1)
        await writer.stop()
        for ended in [Task { _ = try await long.value }, Task { _ = try await next.value }] {
            await #expect(
                performing: { try await ended.value },
                throws: {
                    if case WriterError.stopping = $0 { true } else { false }
                })
        }
        await #expect(throws: WriterError.self) { try await writer.ingest(Self.calls("b", for: writer), clock: clock) }
        await #expect(throws: WriterError.self) { try await writer.probe(within: Patience.seconds) }
        try fixture.reopen()
        #expect(try fixture.rows("SELECT id FROM usage_event") == ["a"])
    }

    @Test("probes the way to the disk by a commit that reaches the file's log")
    func probe() async throws {
        let path = fixture.path
        func logBytes() throws -> Int {
            try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int ?? 0
        }
        let writer = LedgerWriter(ledger: fixture.handOver())
        let before = try logBytes()
        #expect(try await writer.probe(within: Patience.seconds))
        #expect(try logBytes() > before)
        await writer.stop()
    }

    /// Another program, which may keep a transaction open.
    private static func shell(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    @Test("tells a probe that comes to nothing in time, and one that finds the file locked by another program")
    func failingProbe() async throws {
        let (path, clock) = (fixture.path, clock)
        let writer = LedgerWriter(ledger: fixture.handOver())
        let gate = Gate.make()
        let held = Task { try await writer.perform(Hold(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        #expect(try await writer.probe(within: 0.1) == false)
        Gate.open(gate)
        _ = try await held.value

        let shell = try Self.shell(path)
        try await shell.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await #expect(
            performing: { try await writer.probe(within: Patience.seconds) },
            throws: {
                if case WriterError.busy = $0 { true } else { false }
            })
        try await shell.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(try await writer.probe(within: Patience.seconds))
        await writer.stop()
    }

    @Test("tells all that wait at once that another program has the file locked: none waits for a try of its own")
    func failingGroups() async throws {
        let (path, clock) = (fixture.path, clock)
        var bounds = LedgerWriter.Bounds()
        // Each sender's events are a group.
        bounds.groupBytes = 1
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        let shell = try Self.shell(path)
        let gate = Gate.make()
        let held = Task { try await writer.perform(Hold(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        try await shell.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        // Noted on the writer's thread: how busy this test's tasks are does not count.
        let told = Mutex<[ContinuousClock.Instant]>([])
        for number in 0..<3 {
            writer.enqueue(Self.calls("\(number)", for: writer), clock: clock) { answer in
                guard case .failure(WriterError.busy) = answer else { return }
                told.withLock { $0.append(.now) }
            }
        }
        Gate.open(gate)
        _ = try await held.value
        await #expect(
            performing: { try await writer.probe(within: Patience.seconds) },
            throws: {
                if case WriterError.busy = $0 { true } else { false }
            })
        let times = told.withLock { $0 }
        #expect(times.count == 3)
        // A try of its own takes the ten seconds that a locked file is waited for.
        #expect(try #require(times.last) - times[0] < .seconds(5))
        // They can send the same again.
        try await shell.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(try await writer.ingest(Self.calls("0", for: writer), clock: clock).accepted == 1)
        await writer.stop()
    }

    /// Counted on the writer's thread, from an operation's end to that of one that it asks for then: this task may get its
    /// thread late, and senders go on meanwhile.
    private static func transactionsBeforeTurn(of writer: LedgerWriter, _ clock: LedgerClock) async throws -> Int {
        @Sendable func transactions() -> Int { writer.statistics.groupEvents.counts.reduce(0, +) }
        let operation = Execute(sql: "SELECT 1")
        return try await withCheckedThrowingContinuation { continuation in
            writer.enqueue(operation, clock: clock) { _ in
                let before = transactions()
                writer.enqueue(operation, clock: clock) { result in
                    continuation.resume(with: result.map { _ in transactions() - before })
                }
            }
        }
    }

    @Test("lets an operation have its turn between senders that never pause")
    func fairness() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver())
        let over = Gate.make()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<32 {
                group.addTask {
                    var number = 0
                    while !Gate.isOpen(over) {
                        _ = try await writer.ingest(Self.calls("\(sender)-\(number)", for: writer), clock: clock)
                        number += 1
                    }
                }
            }
            for _ in 0..<5 {
                #expect(try await Self.transactionsBeforeTurn(of: writer, clock) < 10, "transactions before its turn")
            }
            Gate.open(over)
            try await group.waitForAll()
        }
        await writer.stop()
    }

    /// Sends an event as soon as the one before it is answered, so that one always waits.
    private static func sendOnAndOn(_ number: Int, to writer: LedgerWriter, _ clock: LedgerClock, until over: Int) {
        writer.enqueue(calls("\(number)", for: writer), clock: clock) { _ in
            if !Gate.isOpen(over) { sendOnAndOn(number + 1, to: writer, clock, until: over) }
        }
    }

    @Test("gives events that keep coming three times as long as the operation that they interrupt, and ends it")
    func eventsShare() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver())
        // On a busy machine some of them may be held up from outside.
        var shareOfNobody = Double.infinity
        for _ in 0..<100 where shareOfNobody >= 1 {
            shareOfNobody = try await writer.perform(WorkInSlices(slices: 3), clock: clock)
        }
        #expect(shareOfNobody < 1)
        let over = Gate.make()
        Self.sendOnAndOn(0, to: writer, clock, until: over)
        let share = try await writer.perform(WorkInSlices(slices: 8), clock: clock)
        Gate.open(over)
        #expect(share > 2.9)
        await writer.stop()
    }

    @Test("goes on taking events while operations end")
    func endsOperations() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver())
        let gate = Gate.make()
        let long = Task { try await writer.perform(WaitForUsage(gate: gate, rows: 1_000), clock: clock) }
        try await until { Gate.isReached(gate) }
        let waiting = Task { try await writer.perform(Execute(sql: "SELECT 1"), clock: clock) }
        writer.endOperations()
        for ended in [Task { _ = try await long.value }, Task { _ = try await waiting.value }] {
            await #expect(
                performing: { try await ended.value },
                throws: {
                    if case WriterError.stopping = $0 { true } else { false }
                })
        }
        #expect(try await writer.ingest(Self.calls("a", for: writer), clock: clock).accepted == 1)
        await writer.stop()
    }
}

func until(_ isSo: @Sendable () -> Bool) async throws {
    let deadline = ContinuousClock.now + Patience.duration
    while ContinuousClock.now < deadline {
        if isSo() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it did not come to pass within \(Patience.wholeSeconds) s")
}
