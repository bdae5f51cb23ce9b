// Requests that take long: stored in several transactions, while others get their turn.

import Foundation
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Storage
import Synchronization
import Testing
import Writer

@Suite("A request that takes longer than a transaction may")
struct LargeRequestTests {
    private let fixture: LedgerFixture
    private let clock: LedgerClock
    /// A transaction stores 64 events then.
    private let bounds: LedgerWriter.Bounds

    init() throws {
        fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        clock = fixture.clock
        var bounds = LedgerWriter.Bounds()
        bounds.transactionTime = .zero
        self.bounds = bounds
    }

    /// Good events among others, at places that no part of the request begins or ends with.
    private static let lines: [String] = (0..<1_000).map { number in
        switch number % 10 {
        case 3: EventLine.calls(1, id: "\(number)", app: "shpo").text
        case 5: "{"
        case 7: EventLine.calls(2, id: "\(number - 1)").text
        case 8: EventLine.device("phone-\(number)").text
        default: EventLine.calls(2, id: "\(number)").text
        }
    }

    private static func events(_ lines: [String], for writer: LedgerWriter) -> ReceivedEvents {
        let events = ReceivedEvents(copying: lines.joined(separator: "\n").utf8, key: writer.eventKey)
        var start = 0
        for line in lines {
            events.batch.add(UnsafeBufferPointer(rebasing: events.bytes[start..<start + line.utf8.count]))
            start += line.utf8.count + 1
        }
        return events
    }

    @Test("is answered as one that does not, and stored alike")
    func sameAnswer() async throws {
        let other = try LedgerFixture(copying: fixture)
        let whole = try other.ingest(Self.lines)
        let path = fixture.path
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        let parts = try await writer.ingest(Self.events(Self.lines, for: writer), clock: clock)
        #expect(parts.words(of: 1_000) == whole.words(of: 1_000))
        #expect(parts.results.map(\.index) == whole.results.map(\.index))
        #expect(parts.results.map(\.outcome) == whole.results.map(\.outcome))
        #expect((parts.received, parts.unreadable, parts.refusedCount) == (1_000, 100, 200))
        let statistics = writer.statistics
        #expect(statistics.groupEvents.sum == 1_000)
        #expect(statistics.groupEvents.counts.reduce(0, +) > 10)
        #expect(statistics.outcomes.received == 1_000)
        await writer.stop()
        let contents = try LedgerContents.read(at: path)
        _ = try other.reopen()
        #expect(try contents == LedgerContents.read(at: other.path))
    }

    @Test("lets others and probes have their turn between its parts")
    func others() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        let gate = Gate.make()
        let held = Task { try await writer.perform(Hold(gate: gate), clock: clock) }
        try await until { Gate.isReached(gate) }
        // All are there before the first is stored; the order in which they are answered is noted by the writer.
        let answered = Mutex<[String]>([])
        func enqueue(_ name: String, _ lines: [String]) {
            writer.enqueue(Self.events(lines, for: writer), clock: clock) { answer in
                answered.withLock { $0.append((try? answer.get()) == nil ? "\(name) failed" : name) }
            }
        }
        enqueue("large", Self.lines)
        for number in 0..<3 { enqueue("small \(number)", [EventLine.calls(1, id: "s\(number)").text]) }
        let probe = Task {
            _ = try await writer.probe(within: 60)
            answered.withLock { $0.append("probe") }
        }
        try await until { writer.statistics.queuedRequests == 4 }
        Gate.open(gate)
        _ = try await held.value
        try await probe.value
        try await until { answered.withLock { $0.count } == 5 }
        let order = answered.withLock { $0 }
        #expect(order.filter { $0.hasPrefix("small") } == ["small 0", "small 1", "small 2"])
        #expect(order.firstIndex(of: "large").map { $0 > 2 } == true, "\(order)")
        await writer.stop()
    }

    @Test("is finished before the writer stops")
    func stop() async throws {
        let clock = clock
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        let request = Task { try await writer.ingest(Self.events(Self.lines, for: writer), clock: clock) }
        try await until { writer.statistics.groupEvents.sum > 0 || writer.statistics.queuedRequests > 0 }
        await writer.stop()
        #expect(try await request.value.received == 1_000)
    }

    @Test("and fails in the middle says how much is stored; sent again, nothing counts twice")
    func failure() async throws {
        try fixture.execute(
            """
            CREATE TRIGGER broken BEFORE INSERT ON usage_record WHEN new.id = '900'
            BEGIN
                SELECT raise(ABORT, 'broken on purpose');
            END
            """)
        let path = fixture.path
        let writer = LedgerWriter(ledger: fixture.handOver(), bounds: bounds)
        do {
            _ = try await writer.ingest(Self.events(Self.lines, for: writer), clock: clock)
            Issue.record("it was acknowledged")
        } catch WriterError.partlyStored(let events, _) {
            // Rows are gathered, so the failure is found at the transaction's end.
            #expect(800..<960 ~= events)
            let stored = try LedgerFile.openForReading(at: path).read {
                try LedgerFixture.rows($0, "SELECT sum(events) FROM outcome_counter WHERE outcome = 'received'")
            }
            #expect(stored == ["\(events)"])
            #expect(writer.statistics.outcomes.received == events)
        }
        _ = try await writer.perform(Execute(sql: "DROP TRIGGER broken"), clock: clock)
        let again = try await writer.ingest(Self.events(Self.lines, for: writer), clock: clock)
        #expect(again.received == 1_000)
        await writer.stop()
        let calls = try LedgerFile.openForReading(at: path).read {
            try LedgerFixture.rows($0, "SELECT quantity FROM usage_daily WHERE item = 'gateway_calls'")
        }
        #expect(calls == ["1200"])
    }
}
