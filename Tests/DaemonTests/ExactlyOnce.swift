// What a ledger must hold: what was acknowledged, at any moment; once all is sent, each acknowledged event once.

import LedgerFixture
import Testing

extension DaemonScene {
    /// Expects that what was acknowledged is there, before anything is sent again: the answer to a device event is always
    /// "accepted", so that one that got lost would be stored when it is repeated, and nobody would know.
    func expectStored(_ acknowledged: [SentBatch], _ test: String) throws {
        let events = Set(acknowledged.flatMap { $0.own + $0.repeated }.map(\.id))
        let devices = Set(acknowledged.flatMap(\.devices).map { "\($0.app) \($0.item) \($0.device)" })
        for (acknowledged, view, query) in [
            (events, "usage_event", "SELECT id FROM usage_event"),
            (devices, "counted_device", "SELECT app, item, device FROM counted_device"),
        ] {
            let lost = acknowledged.subtracting(try rows(query))
            guard !lost.isEmpty else { continue }
            Issue.record("\(test): acknowledged, and not in \(view): \(lost.count), as \(lost.sorted().prefix(4))")
        }
    }

    /// Expects that the ledger holds these batches and nothing else, each of their events once, and that it agrees.
    ///
    /// - Parameters:
    ///   - accepted: how often each id was answered with "accepted".
    ///   - test: for messages.
    ///   - now: what the test clock shows.
    func expectExactlyOnce(
        _ batches: [SentBatch], _ accepted: [String: Int], _ test: String, now: String = now
    ) async throws {
        let events = Set(batches.flatMap { $0.own + $0.repeated })
        let devices = Set(batches.flatMap(\.devices))
        #expect(accepted.filter { $0.value > 1 }.isEmpty, "\(test): an event was answered twice with 'accepted'")
        let stored = events.map { "/test \($0.id) acme \($0.app) gateway_calls \($0.day)T10:00:00Z \($0.calls)" }
        expectSame(
            try rows("SELECT source, id, tenant, app, item, time, quantity FROM usage_event"), stored,
            "usage_event", test)
        let sums = Dictionary(grouping: events) { "\($0.app) gateway_calls \($0.day)" }
            .map { "\($0) \($1.reduce(0) { $0 + $1.calls })" }
        let days = Dictionary(grouping: devices) { "\($0.app) \($0.item) 2027-01-09" }.map { "\($0) \($1.count)" }
        expectSame(
            try rows("SELECT app, item, usage_day, sum(quantity) FROM usage_daily GROUP BY app, item, usage_day"),
            sums + days, "usage_daily", test)
        expectSame(
            try rows("SELECT app, item, device FROM counted_device"),
            devices.map { "\($0.app) \($0.item) \($0.device)" }, "counted_device", test)
        expectSame(
            try rows("SELECT app, item, month, devices FROM mau"),
            Dictionary(grouping: devices) { "\($0.app) \($0.item) 2027-01" }.map { "\($0) \($1.count)" }, "mau", test)
        try await run(["rate", "--date", "\(now.prefix(10))", "--now", now])
        // All of it is rated, however often that was begun.
        expectSame(
            try rows("SELECT app, item, sum(quantity) FROM ledger WHERE item = 'gateway_calls' GROUP BY app, item"),
            Dictionary(grouping: events, by: \.app).map { app, events in
                "\(app) gateway_calls \(events.reduce(0) { $0 + $1.calls })"
            }, "ledger", test)
        try await run(["verify"])
    }

    private func expectSame(_ found: [String], _ expected: [String], _ view: String, _ test: String) {
        guard found.sorted() != expected.sorted() else { return }
        let differences = Set(found).symmetricDifference(expected).sorted().prefix(4)
        Issue.record("\(view): \(found.count) rows for \(expected.count), \(test): \(differences)")
    }
}
