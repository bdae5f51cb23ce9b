// N, D and E from files: device activity through `meterd ingest`, the whole process from its start to its end.

import Workload

/// The files of events that several workloads send.
final class EventFiles {
    struct File {
        let path: String
        let events: Int
    }

    private let bench: Bench
    private let workload: Workload
    private var made: [String: File] = [:]

    init(_ bench: Bench, _ workload: Workload) {
        self.bench = bench
        self.workload = workload
    }

    /// A realistic day.
    func day() throws -> File { try once("day") { GeneratedEvents(workload.day(Times.today)) } }

    /// Devices that no ledger holds.
    func newDevices() throws -> File {
        try once("new-devices") {
            let beyondAllHeld = 1_000_000_000
            return GeneratedEvents(
                workload.newDevices(first: beyondAllHeld, events: bench.scale.newDeviceEvents, on: Times.today))
        }
    }

    func once(_ name: String, _ events: () -> some EventLines) throws -> File {
        if let file = made[name] { return file }
        bench.progress("making events: \(name)")
        let path = bench.path(name + ".ndjson")
        var events = events()
        let file = File(path: path, events: try EventsFile.write(&events, to: path))
        made[name] = file
        return file
    }
}

/// `meterd ingest` of files into a ledger that holds devices.
struct DeviceWorkloads {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    /// What the runs of one ledger gave.
    private struct Series {
        var start: [Sample] = []
        var rates: [String: [Sample]] = [:]
        var whole: [String: [Sample]] = [:]
    }

    /// - Parameters:
    ///   - names: of N, D and E those that are wanted.
    ///   - suffix: to tell rates of several sizes apart.
    func run(_ names: Set<String>, deviceMonths: Int, suffix: String = "") throws {
        let held = try ledgers.holding(deviceMonths: deviceMonths)
        let first = try files.once("one-event-an-app") { ListedEvents(ledgers.oneEventAnApp(on: Times.today)) }
        var series = Series()
        func ingest(_ name: String, _ file: EventFiles.File, _ ledger: String) throws {
            let outcome = try FileIngestion(
                bench, first: first, file: file, ledger: ledger, now: Times.today.lastMoment)
            series.start.append(outcome.start)
            series.rates[name, default: []].append(outcome.rate)
            series.whole[name, default: []].append(outcome.whole)
        }
        for run in 1...bench.scale.runs {
            bench.progress("ingest from files into \(Wording.size(deviceMonths)) device-months, run \(run)")
            if names.contains("D") || names.contains("E") {
                let ledger = try ledgers.copy(of: held)
                try ingest("D", try files.day(), ledger)
                if names.contains("E") { try ingest("E", try files.day(), ledger) }
            }
            if names.contains("N") { try ingest("N", try files.newDevices(), try ledgers.copy(of: held)) }
        }
        ledgers.removeCopy()
        report(series, names, deviceMonths, suffix)
    }

    private func report(_ series: Series, _ names: Set<String>, _ deviceMonths: Int, _ suffix: String) {
        let report = bench.report
        report.section("meterd ingest of a file, into a ledger of \(Wording.size(deviceMonths)) device-months")
        report.add("start: loading what memory holds", series.start, .time)
        let titles = [
            ("D", "D: a realistic day, 80 % repeats"), ("E", "E: the same day again, all repeats"),
            ("N", "N: new devices, three items each"),
        ]
        for (name, title) in titles where names.contains(name) {
            report.add(title, series.rates[name] ?? [], name: name + suffix)
            report.add("   the whole process, start included", series.whole[name] ?? [])
        }
    }
}
