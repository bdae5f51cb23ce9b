// The sample's year of departures through the daemon's front door, each midnight rated by a command beside it.

import BuiltProgram
import EventCodec
import Foundation
import LedgerFixture
import TestSupport
import Testing

/// METERD_DAEMON_YEAR=full takes all of the year instead of its first months.
private let isFullYear = ProcessInfo.processInfo.environment["METERD_DAEMON_YEAR"] == "full"

@Suite("The sample over HTTP", .inTurn)
struct SampleYearTests {
    private static let batchEvents = 1_000

    private struct Event {
        let line: String
        let time: String
        let micros: Int64

        /// New York's date: times are local ones.
        var date: String { String(time.prefix(10)) }
    }

    /// The sample's events in the order of their times, and those who fly.
    private func events(_ scene: DaemonScene) async throws -> (events: [Event], apps: [String]) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        let packed = root.appending(path: "scripts/sample/departures-2013.csv.gz").path
        let (table, lines) = (scene.folder.path("departures.csv"), scene.folder.path("all.ndjson"))
        try await run("/bin/gzip", ["-dc", packed], input: "/dev/null", output: table, scene)
        try await run(BuiltProgram.path(of: "departures-sample"), [], input: table, output: lines, scene)
        var events: [Event] = []
        for line in try ServingDaemon.text(lines).split(separator: "\n") {
            guard let start = line.firstRange(of: "\"time\":\"")?.upperBound else { continue }
            let time = String(line[start...].prefix { $0 != "\"" })
            guard isFullYear || time < "2013-03-16" else { continue }
            guard let micros = RFC3339.parse(time) else { throw SceneError(description: "no time in \(line)") }
            events.append(Event(line: String(line), time: time, micros: micros))
        }
        let rows = try ServingDaemon.text(table).split(separator: "\n").dropFirst()
        let apps = Set(rows.map { String($0.split(separator: ",")[1]) }).sorted()
        let sorted = events.enumerated().sorted { ($0.element.micros, $0.offset) < ($1.element.micros, $1.offset) }
        return (sorted.map(\.element), apps)
    }

    private func run(
        _ program: String, _ arguments: [String], input: String, output: String, _ scene: DaemonScene
    ) async throws {
        let process = try ChildProcess(
            program, arguments, environment: [:], input: input, output: output, errors: scene.folder.path("errors"))
        let end = try await process.end()
        guard end == .exited(0) else {
            throw SceneError(description: "\(program): \(try ServingDaemon.text(scene.folder.path("errors")))")
        }
    }

    /// The instant at which the date after this one begins in New York.
    private static func midnight(after date: String) throws -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "America/New_York"))
        let parts = date.split(separator: "-").compactMap { Int($0) }
        let noon = try #require(
            calendar.date(from: DateComponents(year: parts[0], month: parts[1], day: parts[2], hour: 12)))
        let next = calendar.startOfDay(for: try #require(calendar.date(byAdding: .day, value: 1, to: noon)))
        return ISO8601DateFormatter().string(from: next)
    }

    @Test("Posted day by day, rated each midnight by a command: the ledger is the one that `meterd replay` makes")
    func year() async throws {
        let begin = "2013-01-01T00:00:00-05:00"
        let empty = try await DaemonScene.make(now: begin, timeZone: "America/New_York", apps: [])
        let (events, apps) = try await events(empty)
        for app in apps { try await empty.run(["app", "add", app, "--tenant", "acme", "--now", begin]) }
        let (served, replayed) = (try empty.copy(), try empty.copy())
        let history = try replayed.write(events.map(\.line).joined(separator: "\n"), to: "history.ndjson")
        let replay = try replayed.begin(["replay", history])

        let daemon = try served.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        var start = 0
        var accepted = 0
        while start < events.count {
            let date = events[start].date
            var end = start
            while end < events.count, end - start < Self.batchEvents, events[end].date == date { end += 1 }
            let lines = events[start..<end].map(\.line)
            let answer = try EventsAnswer(connection.post(lines: lines, now: events[end - 1].time))
            #expect(answer.counted == lines.count)
            accepted += answer.accepted
            start = end
            guard end == events.count || events[end].date != date else { continue }
            try await served.run(["rate", "--date", date, "--now", try Self.midnight(after: date)])
            #expect(served.isLocked)
        }
        #expect(accepted == events.count)
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try await replay.outcome().end == .exited(0))

        let (found, expected) = (try served.contents(), try replayed.contents())
        for (view, rows) in expected where found[view] != rows {
            let differences = Set(rows).symmetricDifference(found[view] ?? []).sorted().prefix(4)
            Issue.record("\(view) differs: \(differences)")
        }
        let totals = try served.rows(
            "SELECT item, sum(quantity), sum(amount_micros), currency FROM ledger GROUP BY item ORDER BY item")
        print("sample: \(events.count) events over HTTP, ledger: \(totals), \(expected["ledger"]?.count ?? 0) entries")
        if isFullYear {
            #expect(
                totals == ["basic_analysis 37977 1139310000 USD", "gateway_calls 336776 5051640 USD"])
        }
        try await served.run(["verify"])
    }
}
