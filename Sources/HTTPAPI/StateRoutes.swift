// Whether the daemon is well, for supervisors, and what it does, for monitoring.

import EventCodec
import Foundation
import GRDB
package import Hummingbird
import Ingestion
import LedgerStore
import NIOCore
import Quantities
package import Writer

/// `/healthz`, `/readyz` and `/metrics`.
package struct StateRoutes: Sendable {
    private let ledgerPath: String
    private let writer: LedgerWriter
    private let reader: LedgerReader
    private let door: EventDoor
    private let startedAt = Date.now

    private static let readinessSeconds = 2.0

    package init(ledger path: String, writer: LedgerWriter, reader: LedgerReader, door: EventDoor) {
        ledgerPath = path
        self.writer = writer
        self.reader = reader
        self.door = door
    }

    package func add<Context>(to router: some RouterMethods<Context>) {
        router.get("/healthz") { _, _ in Self.text("ok\n") }
        router.get("/readyz") { _, _ in
            try await checkReadiness()
            return Self.text("ready\n")
        }
        router.get("/metrics") { _, _ in
            var response = Self.text(try await metrics())
            response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return response
        }
    }

    private static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// Ready is a daemon that can commit now and knows what time it is.
    private func checkReadiness() async throws {
        do {
            guard try await writer.probe(within: Self.readinessSeconds) else {
                throw ProblemError.unavailable(
                    "no commit within \(Int(Self.readinessSeconds)) s: the writer is busy or its disk is slow",
                    retryAfterSeconds: 5)
            }
        } catch let error as WriterError {
            throw ProblemError.unavailable("\(error)", retryAfterSeconds: 5)
        }
        let doubt = try await reader.read { [clock = door.clock] in
            try clock.doubt(LedgerProperties.read($0), LedgerState.read($0))
        }
        if let doubt { throw ProblemError.unavailable("\(doubt)", retryAfterSeconds: 30) }
    }

    // MARK: Metrics

    private struct LedgerFigures: Sendable {
        var isClockBelieved = true
        var latestInstant: Int64?
        var settledThrough: Int64?
        var ratedThrough: Int64?
        var hasUnratedChanges = false
        var ratingRuns: Int64 = 0
        var lastRunAt: Int64?
        var quarantined: Int64 = 0
        /// Days with usage that are not settled, and how many of them are final already.
        var unsettledDays: Int64 = 0
        var overdueDays: Int64 = 0
    }

    private func figures() async throws -> LedgerFigures {
        try await reader.read { [clock = door.clock] database in
            var figures = LedgerFigures()
            let state = try LedgerState.read(database)
            figures.isClockBelieved = try clock.doubt(LedgerProperties.read(database), state) == nil
            figures.latestInstant = state.latestInstant?.micros
            figures.settledThrough = state.settledThrough.map { Int64($0.number) }
            figures.ratedThrough = state.ratedThrough.map { Int64($0.number) }
            figures.hasUnratedChanges = state.hasUnratedChanges
            if let row = try Row.fetchOne(database, sql: "SELECT count(*), max(started_at) FROM rating_run") {
                figures.ratingRuns = row[0]
                figures.lastRunAt = row[1]
            }
            figures.quarantined = try Int64.fetchOne(database, sql: "SELECT count(*) FROM quarantine") ?? 0
            let days = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(DISTINCT posting_day), count(DISTINCT CASE
                        WHEN posting_day + final_after_days <= today THEN posting_day
                    END)
                    FROM usage_counter, ledger_property, ledger_state
                    LEFT JOIN clock_day
                    WHERE posting_day > coalesce(settled_through, -1)
                    """)
            figures.unsettledDays = days?[0] ?? 0
            figures.overdueDays = days?[1] ?? 0
            return figures
        }
    }

    private func metrics() async throws -> String {
        let statistics = writer.statistics
        let figures = try await figures()
        var page = MetricsPage()
        page.add(
            "meterd_events_total", .counter, "Events received, by what became of them.",
            [
                ([("outcome", "accepted")], Double(statistics.outcomes.accepted)),
                ([("outcome", "duplicate")], Double(statistics.outcomes.duplicates)),
                ([("outcome", "correction")], Double(statistics.outcomes.corrections)),
                ([("outcome", "refused")], Double(statistics.outcomes.refusedCount)),
            ])
        page.add(
            "meterd_refusals_total", .counter, "Refused events, by code.",
            statistics.outcomes.refused.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { ([("code", $0.key.rawValue)], Double($0.value)) })
        page.add(
            "meterd_quarantine_not_kept_total", .counter,
            "Refused events that are not in quarantine, because it was full or they were too large.",
            Double(statistics.outcomes.notKept))
        page.add(
            "meterd_queue_requests", .gauge, "Requests that wait for the writer.", Double(statistics.queuedRequests))
        page.add(
            "meterd_queue_bytes", .gauge, "Bytes of events that wait for the writer.", Double(statistics.queuedBytes))
        page.add(
            "meterd_queue_full_total", .counter, "Requests that found the queue full and were told to come again.",
            Double(statistics.refusedRequests))
        addConnections(to: &page)
        page.add(
            "meterd_failed_requests_total", .counter, "Requests whose transaction failed; nothing of them is stored.",
            Double(statistics.failedRequests))
        page.add("meterd_transaction_events", "Events stored by one transaction.", statistics.groupEvents)
        page.add(
            "meterd_transaction_seconds", "Time of a transaction, its commit included.", statistics.transactionSeconds)
        page.add(
            "meterd_durable_seconds", "Time from a request's arrival in the queue until its events are durable.",
            statistics.durableSeconds)
        page.add("meterd_ledger_bytes", .gauge, "Size of the ledger's file.", size(ledgerPath))
        page.add("meterd_wal_bytes", .gauge, "Size of the write-ahead log beside it.", size(ledgerPath + "-wal"))
        page.add(
            "meterd_wal_limit_bytes", .gauge,
            "The most that the log may take while readers keep it from being emptied; then events are refused.",
            Double(writer.mostLogBytes))
        page.add(
            "meterd_clock_believed", .gauge,
            "0 while the system's clock shows an instant that is not believed; then nothing is stored or rated.",
            figures.isClockBelieved ? 1 : 0)
        page.add(
            "meterd_latest_instant_timestamp_seconds", .gauge, "The latest instant that the ledger has recorded.",
            figures.latestInstant.map { Double($0) / 1_000_000 })
        page.add("meterd_rating_runs_total", .counter, "Rating runs ever made.", Double(figures.ratingRuns))
        page.add(
            "meterd_last_rating_timestamp_seconds", .gauge, "When the last rating run began, by the ledger's clock.",
            figures.lastRunAt.map { Double($0) / 1_000_000 })
        page.add(
            "meterd_unrated_changes", .gauge, "1 if something that rating depends on has changed since the last run.",
            figures.hasUnratedChanges ? 1 : 0)
        page.add(
            "meterd_settled_through_day", .gauge, "The last settled day, in days since 1970-01-01.",
            figures.settledThrough.map(Double.init))
        page.add(
            "meterd_rated_through_day", .gauge, "The last rated day, in days since 1970-01-01.",
            figures.ratedThrough.map(Double.init))
        page.add(
            "meterd_unsettled_days", .gauge, "Posting days with usage that are not settled, by whether they are final.",
            [
                ([("final", "no")], Double(figures.unsettledDays - figures.overdueDays)),
                ([("final", "yes")], Double(figures.overdueDays)),
            ])
        page.add("meterd_quarantined_events", .gauge, "Refused events in quarantine.", Double(figures.quarantined))
        page.add(
            "process_start_time_seconds", .gauge, "When the daemon started, in seconds since 1970-01-01.",
            startedAt.timeIntervalSince1970)
        return page.text
    }

    private func addConnections(to page: inout MetricsPage) {
        let memory = door.budget.figures
        page.add("meterd_connections", .gauge, "Open connections.", Double(door.connections.open))
        page.add(
            "meterd_connections_ended_total", .counter,
            "Connections that the daemon ended because of what their clients did or did not do, by what that was.",
            door.connections.ended.map { ([("reason", $0.ending.label)], Double($0.count)) })
        page.add(
            "meterd_request_bytes", .gauge,
            "Memory that requests of events take, against max_queue_bytes: arriving, waiting, being answered.",
            Double(memory.requests))
        page.add(
            "meterd_unread_answer_bytes", .gauge,
            "Memory that answers take which their clients have not read, against max_queue_bytes.",
            Double(memory.answers))
    }

    private func size(_ path: String) -> Double? {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int).map(Double.init)
    }
}
