// How long rating takes: of many apps with open days, and of a small day in a file that is large.

import Workload

struct RatingWorkloads {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    // MARK: Many apps

    private static let tenants = 100
    private static let appsOfTenant = 100
    private static let openDays = [18, 19, 20].map(Times.day)

    /// 10,000 apps with a line for each of seven items on each of three days, none of which is final.
    func manyApps() throws {
        var apps: [(app: String, tenant: String)] = []
        for tenant in 0..<Self.tenants {
            for app in 0..<Self.appsOfTenant { apps.append(("app-\(tenant)-\(app)", "tenant-\(tenant)")) }
        }
        let held = try ledgers.once("many-apps") { path in
            bench.progress("making a ledger of \(Wording.grouped(Double(apps.count))) apps with three open days")
            try ledgers.makeEmpty(path, apps: apps)
            for day in Self.openDays {
                var lines = ListedEvents(Self.lines(apps, on: day))
                try bench.ingest(&lines, ledger: path, now: day.lastMoment)
            }
        }
        let lines = apps.count * ItemFeatures.all.count * Self.openDays.count
        let arguments = ["rate", "--date", "\(Times.today.day)", "--now", Times.today.lastMoment]
        var (first, again): ([Sample], [Sample]) = ([], [])
        for run in 1...bench.scale.runs {
            bench.progress("rating \(Wording.grouped(Double(lines))) lines, run \(run)")
            let ledger = try ledgers.copy(of: held)
            for isAgain in [false, true] {
                let (process, _) = try bench.run(arguments, ledger: ledger)
                let sample = Sample(count: lines, process: process, ledger: ledger)
                if isAgain { again.append(sample) } else { first.append(sample) }
            }
        }
        ledgers.removeCopy()
        bench.report.section("meterd rate, 10,000 apps × 7 items on three open days")
        bench.report.add("all lines new", first, .otherRate)
        bench.report.add("again, nothing new", again, .otherRate)
    }

    private static func lines(_ apps: [(app: String, tenant: String)], on day: LocalDay) -> [String] {
        apps.flatMap { app, _ in
            ItemFeatures.all.map { feature in
                EventText.activity(
                    app: app, feature: feature, device: "device-\(day.day)", id: "\(feature)-\(day.day)",
                    time: "\(day.day)T12:00:00Z")
            }
        }
    }

    // MARK: A small day

    private static let smallDayEvents = 999

    /// Several small days, one after the other, so that each is new.
    func smallDays() throws {
        bench.report.section("meterd rate, one small day (\(Self.smallDayEvents) events) in a large file")
        for deviceMonths in bench.scale.smallDayHeld {
            let ledger = try ledgers.copy(of: try ledgers.holding(deviceMonths: deviceMonths))
            bench.progress("rating small days beside \(Wording.size(deviceMonths)) device-months")
            var samples: [Sample] = []
            for turn in 0..<max(3, bench.scale.runs) {
                let day = Times.day(20 + turn)
                var devices = GeneratedEvents(
                    ledgers.workload.newDevices(
                        first: 2_000_000_000 + turn * 1_000, events: Self.smallDayEvents, on: day))
                try bench.ingest(&devices, ledger: ledger, now: day.lastMoment)
                let (process, _) = try bench.run(
                    ["rate", "--date", "\(day.day)", "--now", Times.day(21 + turn).firstMoment], ledger: ledger)
                samples.append(Sample(process: process, ledger: ledger))
            }
            bench.report.add("\(Wording.size(deviceMonths)) device-months held", samples, .time)
            bench.report.set(samples, of: Self.smallDay(deviceMonths))
        }
        ledgers.removeCopy()
        if let least = bench.scale.smallDayHeld.first, let most = bench.scale.smallDayHeld.last {
            bench.report.addRatio(
                "small day \(Wording.size(most))/\(Wording.size(least))", Self.smallDay(most), Self.smallDay(least),
                ofTimes: true)
        }
    }

    private static func smallDay(_ deviceMonths: Int) -> String { "small day at \(deviceMonths)" }
}

extension Sample {
    /// What a process took from its start to its end.
    init(count: Int = 0, process: ProcessMeasure, ledger: String) {
        self.init(
            count: count, seconds: process.seconds, peakMemoryBytes: process.peakMemoryBytes,
            bytesOnDisk: FileSet.bytes(ledger))
    }
}
