// Verifying beside the writer's thread, while events are stored, days rated and their evidence sealed.

import Foundation
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import Synchronization
import Testing
import Verification
import Writer

@Suite("Verifying beside the writer")
struct VerifyingBesideTests {
    private static let days = 10
    private static let senders = 4

    @Test("finds nothing, again and again")
    func sound() async throws {
        let fixture = try LedgerFixture(now: "2027-01-01T10:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        let path = fixture.path
        let writer = LedgerWriter(ledger: fixture.handOver())
        let verifying = Verifying(path)
        let sent = await Result { try await Self.sendAndRate(writer) }
        let reports = try await verifying.end()
        try sent.get()
        #expect(!reports.isEmpty)
        #expect(reports.flatMap(\.findings).map { "\($0.check): \($0.sentence)" } == [])
        await writer.stop()
        withExtendedLifetime(fixture) {}
    }

    /// Each day several senders at once, then a rating, which settles the day before the day before yesterday.
    private static func sendAndRate(_ writer: LedgerWriter) async throws {
        for number in 1...days {
            let day = try #require(Day(year: 2027, month: 1, day: number))
            let clock = LedgerClock(given: try LedgerFixture.instant("\(day)T10:00:00Z"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<senders {
                    group.addTask { try await send(sender, on: day, clock, writer) }
                }
                try await group.waitForAll()
            }
            _ = try await writer.perform(RateDay(day), clock: clock)
        }
    }

    private static func send(_ sender: Int, on day: Day, _ clock: LedgerClock, _ writer: LedgerWriter) async throws {
        for batch in 0..<6 {
            let events: [EventLine] = (0..<20).flatMap { number in
                [
                    // Devices that are known, new, and late, so that they move to a day before.
                    .device("device-\(number * sender)", at: "\(day)T09:00:00Z"),
                    .device("device-\(day)-\(sender)-\(number)", at: "\(day)T09:00:00Z"),
                    .device("device-\(day)-\(sender)-\(number)", at: "\(day - (batch % 2))T08:00:00Z"),
                    .calls(3, id: "\(day)-\(sender)-\(batch)-\(number)", at: "\(day - (number % 3))T08:00:00Z"),
                ]
            }
            let report = try await writer.ingest(LedgerWriterTests.events(events, for: writer), clock: clock)
            #expect(report.received == events.count)
        }
    }
}

/// Verifies a file again and again, on a thread of its own.
private final class Verifying: Sendable {
    private let isOver = Atomic(false)
    private let outcome: Task<[VerificationReport], any Error>

    init(_ path: String) {
        let (results, continuation) = AsyncThrowingStream<VerificationReport, any Error>.makeStream()
        outcome = Task { try await results.reduce(into: []) { $0.append($1) } }
        let thread = Thread { [self] in
            do {
                var bounds = Verification.Bounds()
                bounds.rowsPerSlice = 50
                let file = try LedgerFile.openForReading(at: path)
                repeat {
                    continuation.yield(try Verification(file: file, bounds: bounds).run { _ in })
                } while !isOver.load(ordering: .relaxed)
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Ends with the verification that is under way.
    func end() async throws -> [VerificationReport] {
        isOver.store(true, ordering: .relaxed)
        return try await outcome.value
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
