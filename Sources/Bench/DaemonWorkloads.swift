// What the daemon costs: its start, its memory, and latency while a night's rating runs on it.

import Foundation
import GRDB
import Storage
import Workload

struct DaemonWorkloads {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    // MARK: Restart

    /// From the start of the process until it serves, by the number of devices that its ledger holds.
    func restart() throws {
        bench.report.section("meterd serve, from its start until it serves: all devices of the month in memory")
        for devices in bench.scale.restartDevices where bench.isInTime(for: "restart with \(Wording.size(devices))") {
            let ledger = try ledgers.once("devices-\(devices)") { path in
                bench.progress("making a ledger of \(Wording.size(devices)) devices")
                try ledgers.makeEmpty(path, apps: ledgers.workload.ownedApps)
                var events = OneEventADevice(ledgers.workload, devices: devices, on: Times.held)
                try bench.ingest(&events, ledger: path, now: Times.held.lastMoment)
                try bench.run(
                    ["rate", "--date", "\(Times.lastRated.day)", "--now", Times.yesterday.firstMoment], ledger: path)
            }
            bench.progress("restart with \(Wording.size(devices)) devices")
            let samples = try (0..<bench.scale.runs).map { _ in
                let daemon = try ServingMeterd(bench, ledger: ledger, now: nil)
                let sample = Sample(
                    count: devices, seconds: daemon.secondsToReady,
                    peakMemoryBytes: daemon.program.memoryBytes("VmHWM"), bytesOnDisk: FileSet.bytes(ledger))
                try daemon.stop()
                return sample
            }
            let seconds = median(samples.map(\.seconds)) ?? 0
            let perMillion = Wording.time(seconds: seconds / (Double(devices) / 1e6))
            bench.report.add("\(Wording.size(devices)) devices: \(perMillion) a million", samples, .otherRate)
        }
    }

    // MARK: Memory

    /// How much larger a daemon is for each device of a month with open days, all seven items used.
    func memory() throws {
        let devices = bench.scale.memoryDevices
        let empty = bench.path("empty.db")
        try ledgers.makeEmpty(empty, apps: ledgers.workload.ownedApps)
        let file = try files.once("seven-items") {
            EveryFeature(OneEventADevice(ledgers.workload, devices: devices, on: Times.today))
        }
        bench.progress("memory of \(Wording.size(devices)) devices with seven items")
        var daemon = try ServingMeterd(bench, ledger: empty, now: Times.today.lastMoment)
        let nothing = daemon.program.memoryBytes("VmRSS") ?? 0
        let requests = try PreparedRequests(try MappedFile(file.path), batch: 10_000)
        let load = try LoadGenerator(requests, port: daemon.port, connections: 1)
        _ = try load.run(0..<requests.requests.count, .closed(maxSeconds: Bench.commandSeconds))
        let grown = (daemon.program.memoryBytes("VmRSS") ?? 0) - nothing
        try daemon.stop()
        daemon = try ServingMeterd(bench, ledger: empty, now: Times.today.lastMoment)
        let restarted = (daemon.program.memoryBytes("VmRSS") ?? 0) - nothing
        try daemon.stop()
        bench.report.section("memory of meterd serve for devices of a month with open days, seven items each")
        bench.report.add("without devices", [Sample(peakMemoryBytes: nothing)], .size)
        for (title, bytes) in [("more once it has taken them", grown), ("more after a restart", restarted)] {
            bench.report.add(
                "\(title): \(bytes / devices) B a device",
                [Sample(count: devices, peakMemoryBytes: bytes, bytesOnDisk: FileSet.bytes(empty))], .size)
        }
        FileSet.remove(empty)
        if let many = bench.scale.manyMemoryDevices { try memoryAfterRestart(devices: many, beyond: nothing) }
    }

    /// Without the file of their events, which would be seven times as large as the ledger.
    private func memoryAfterRestart(devices: Int, beyond nothing: Int) throws {
        let ledger = bench.path("many.db")
        try ledgers.makeEmpty(ledger, apps: ledgers.workload.ownedApps)
        bench.progress("making a ledger of \(Wording.size(devices)) devices with seven items")
        var events = EveryFeature(OneEventADevice(ledgers.workload, devices: devices, on: Times.today))
        try bench.ingest(&events, ledger: ledger, now: Times.today.lastMoment)
        let daemon = try ServingMeterd(bench, ledger: ledger, now: Times.today.lastMoment)
        let bytes = (daemon.program.memoryBytes("VmRSS") ?? 0) - nothing
        try daemon.stop()
        bench.report.add(
            "more after a restart: \(bytes / devices) B a device",
            [Sample(count: devices, peakMemoryBytes: bytes, bytesOnDisk: FileSet.bytes(ledger))], .size)
        FileSet.remove(ledger)
    }

    // MARK: A night's rating

    private static func sealed(_ ledger: String) throws -> Int {
        try LedgerFile.openForReading(at: ledger).read { database in
            try Int.fetchOne(database, sql: "SELECT count(*) FROM sealed_device") ?? 0
        }
    }

    /// Latency at 70 % of the maximum while `meterd rate` runs on the same daemon and seals a large day. No event comes twice
    /// for it: a day again, all repeats, would cost the daemon less than a day does.
    func night() throws {
        let evening = Times.day(23)
        let form = HTTPForm(batch: 1_000, connections: 8)
        // A fifth of a day's events are device-months; the evening must last for as long as the rating.
        let factor = max(4, bench.scale.sealedWhileServing / 400_000)
        let held = try ledgers.holding(deviceMonths: bench.scale.heldDeviceMonths, times: factor)
        let day = try files.once("evening") { GeneratedEvents(ledgers.workload(times: factor).day(evening)) }
        let requests = try PreparedRequests(try MappedFile(day.path), batch: form.batch)
        var samples: [Sample] = []
        for run in 1...bench.scale.runs {
            bench.progress(
                "latency while \(Wording.size(bench.scale.sealedWhileServing)) device-months are sealed, run \(run)")
            let ledger = try ledgers.copy(of: held)
            let daemon = try ServingMeterd(bench, ledger: ledger, now: evening.lastMoment)
            let load = try LoadGenerator(requests, port: daemon.port, connections: form.connections)
            let all = requests.requests.count
            let fastest = try load.run(0..<all / factor / 2, .closed(maxSeconds: bench.scale.loadSeconds))
            let sealedBefore = try Self.sealed(ledger)
            let watch = Stopwatch()
            let rating = try bench.begin(["rate", "--date", "\(evening.day)"], ledger: ledger)
            let eased = try load.run(
                fastest.requests..<all,
                .open(requestsPerSecond: fastest.requestsPerSecond * HTTPWorkloads.calmLoad),
                while: { rating.isRunning && watch.seconds < Bench.commandSeconds })
            try rating.success(withinSeconds: Bench.commandSeconds)
            rating.removeFiles()
            let sealed = try Self.sealed(ledger) - sealedBefore
            guard sealed >= bench.scale.sealedWhileServing else {
                throw BenchFailure("the rating sealed \(sealed) device-months, not \(bench.scale.sealedWhileServing)")
            }
            guard eased.requests <= all - fastest.requests else {
                throw BenchFailure(
                    "the rating took \(Wording.time(seconds: eased.seconds)), longer than there were events that had not come"
                )
            }
            var sample = Sample(load: eased)
            sample.peakMemoryBytes = daemon.program.memoryBytes("VmHWM")
            try daemon.stop()
            sample.bytesOnDisk = FileSet.bytes(ledger)
            samples.append(sample)
        }
        ledgers.removeCopy()
        bench.report.section(
            "latency at 70 % while a rating runs that seals \(Wording.size(bench.scale.sealedWhileServing)) device-months"
        )
        bench.report.add(form.title, samples, .otherRate)
    }
}
