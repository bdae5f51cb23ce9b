// A day of load, compressed into minutes, on one daemon: what must not grow is watched, window by window.

import Foundation
import GRDB
import Quantities
import Storage
import Workload

/// The whole of a day in the rhythm of a mobile platform, its night's rating and sealing at noon. Whoever takes no care
/// of memory, descriptors or the log shows it in the afternoon.
struct SoakWorkload {
    let bench: Bench
    let minutes: Double

    private static let windows = DayWindows(count: 48)
    private static let eventsPerMinute = 1_200_000.0
    private static let eventsPerRequest = 200
    private static let connections = 16

    /// What one window showed.
    private struct Window {
        let load: LoadResult
        let footprint: Footprint
    }

    func run() throws {
        let ledgers = PreparedLedgers(bench)
        var shape = WorkloadShape()
        (shape.apps, shape.tenants) = (200, 20)
        // As many events as the day is to have: an active device sends about 2.5 × eventsPerItem, one in six is active.
        shape.devices = max(1_000, Int(Self.eventsPerMinute * minutes * 0.8) * 12 / 25)
        let workload = Workload(shape)
        let ledger = try prepare(workload, ledgers)
        let file = bench.path("soak.ndjson")
        bench.progress("making a day of events")
        var events = GeneratedEvents(workload.day(Times.today))
        _ = try EventsFile.write(&events, to: file)
        let requests = try PreparedRequests(try MappedFile(file), batch: Self.eventsPerRequest, windows: Self.windows)

        // The requests say what time it is.
        let daemon = try ServingMeterd(bench, ledger: ledger, now: nil, environment: ["METERD_RATE_AT": "12:00"])
        let timetable = Timetable(requests, seconds: minutes * 60)
        var windows: [Window] = []
        for number in 0..<Self.windows.count {
            let range = timetable.range(number, of: Self.windows)
            bench.progress("\(Self.time(number)) of the day, \(range.count) requests")
            // With connections of its own: those that were closed before must leave nothing.
            let load = try LoadGenerator(requests, port: daemon.port, connections: Self.connections)
            let result = try load.run(range, .timetable(timetable))
            windows.append(try withExtendedLifetime(load) { try look(daemon, ledger, result) })
        }
        let yesterday = "\(Times.yesterday.day)"
        let isRated = daemon.program.errors.split(separator: "\n").contains {
            $0.contains(" rated ") && $0.hasSuffix(" through=\(yesterday)")
        }
        guard isRated else {
            throw BenchFailure("the daemon did not rate \(yesterday) at noon\(daemon.program.lastWords)")
        }
        try daemon.stop()
        try bench.run(["verify"], ledger: ledger)
        print(windows)
        let complaints = Footprint.complaints(windows.map(\.footprint)) + (try missing(windows, ledger, file))
        for complaint in complaints { bench.report.fail(complaint) }
        guard complaints.isEmpty else { return }
        bench.report.note(
            "memory, descriptors, log and latency are flat; verify finds nothing, and the same events again add nothing"
        )
    }

    /// A ledger with four days before the one of load, so that its rating has a day to settle and to seal.
    private func prepare(_ workload: Workload, _ ledgers: PreparedLedgers) throws -> String {
        let path = bench.path("soak.db")
        try ledgers.makeEmpty(path, apps: workload.ownedApps)
        for number in 16...19 {
            bench.progress("filling a ledger: day \(number)")
            var day = GeneratedEvents(workload.day(Times.day(number)))
            try bench.ingest(&day, ledger: path, now: Times.day(number).lastMoment)
        }
        return path
    }

    /// What was acknowledged is there: the ledger has counted each answer, and nothing comes new when all is sent again.
    private func missing(_ windows: [Window], _ ledger: String, _ file: String) throws -> [String] {
        bench.progress("the same events again")
        let counted = windows.reduce(into: EventCounts()) { $0 += $1.load.counts }
        let stored = try Self.outcomes(ledger)
        var complaints: [String] = []
        if counted != stored { complaints.append("the answers were \(counted), the ledger counted \(stored)") }
        let before = try Self.rows(ledger)
        try bench.run(["ingest", file, "--now", Times.today.lastMoment], ledger: ledger)
        let after = try Self.rows(ledger)
        if after != before {
            complaints.append("of what was acknowledged some was not stored: \(before), then \(after)")
        }
        return complaints
    }

    /// What became of the events that arrived on the day of load.
    private static func outcomes(_ ledger: String) throws -> EventCounts {
        try LedgerFile.openForReading(at: ledger).read { database in
            func count(_ outcome: String) throws -> Int {
                try Int.fetchOne(
                    database,
                    sql: "SELECT coalesce(sum(events), 0) FROM outcome_counter WHERE arrival_day = ? AND outcome = ?",
                    arguments: [Times.today.day.number, outcome]) ?? 0
            }
            var counts = EventCounts()
            counts.accepted = try count("accepted")
            counts.duplicates = try count("duplicate")
            counts.corrections = try count("correction")
            counts.refused = try count("refused")
            return counts
        }
    }

    private static func rows(_ ledger: String) throws -> Footprint.Rows {
        try LedgerFile.openForReading(at: ledger).read { database in
            func count(_ table: String) throws -> Int {
                try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0
            }
            return Footprint.Rows(
                devices: try count("device") + count("new_device"), touches: try count("touch"),
                records: try count("usage_record"))
        }
    }

    private func look(_ daemon: ServingMeterd, _ ledger: String, _ load: LoadResult) throws -> Window {
        let process = "/proc/\(daemon.program.id)/fd"
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: process).count
        var state = stat()
        let logBytes = stat(ledger + "-wal", &state) == 0 ? Int(state.st_size) : 0
        let footprint = Footprint(
            memoryBytes: daemon.program.memoryBytes("VmRSS") ?? 0, descriptors: descriptors, logBytes: logBytes,
            p99Seconds: load.latencies.percentile(99), rows: try Self.rows(ledger))
        return Window(load: load, footprint: footprint)
    }

    private func print(_ windows: [Window]) {
        bench.report.section(
            "a day in \(Wording.time(seconds: minutes * 60)), requests of \(Self.eventsPerRequest) events over "
                + "\(Self.connections) connections, as they are due")
        for (number, window) in windows.enumerated() {
            var sample = Sample(load: window.load)
            (sample.peakMemoryBytes, sample.bytesOnDisk) = (window.footprint.memoryBytes, window.footprint.logBytes)
            bench.report.add(
                "from \(Self.time(number)), \(window.footprint.descriptors) descriptors", [sample], .otherRate)
        }
        bench.report.note("in the rows of the day: memory at the window's end, and on disk the size of the log alone")
    }

    private static func time(_ window: Int) -> String {
        let minutes = window * 1_440 / windows.count
        return "\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
    }
}

/// When each request of a day is due, if the whole day is to take so many seconds.
struct Timetable {
    private let secondsOfDay: [Double]
    private let speed: Double

    init(_ requests: PreparedRequests, seconds: Double) {
        secondsOfDay = requests.secondsOfDay
        speed = 86_400 / seconds
    }

    /// How many seconds after a request a later one is due.
    func seconds(from first: Int, to request: Int) -> Double {
        (secondsOfDay[request] - secondsOfDay[first]) / speed
    }

    /// The requests of a window.
    func range(_ window: Int, of windows: DayWindows) -> Range<Int> {
        func first(from window: Int) -> Int {
            secondsOfDay.firstIndex { windows.window($0) >= window } ?? secondsOfDay.count
        }
        return first(from: window)..<first(from: window + 1)
    }
}
