// How long rating takes: of many apps with open days, and of a small day in a file that is large.

import Workload

struct RatingWorkloads {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    // MARK: Many apps

    private static let tenants = 100
    private static let appsOfTenant = 100
    private static let unfinalDays = [18, 19, 20].map(Times.day)

    /// 10,000 apps.
    static let manyApps: [(app: String, tenant: String)] = (0..<tenants).flatMap { tenant in
        (0..<appsOfTenant).map { ("app-\(tenant)-\($0)", "tenant-\(tenant)") }
    }

    /// 10,000 apps with a line for each of seven items on each of three days, none of which is final.
    func openDays() throws {
        let apps = Self.manyApps
        let held = try ledgers.once("many-apps") { path in
            bench.progress("making a ledger of \(Wording.grouped(Double(apps.count))) apps with three open days")
            try ledgers.makeEmpty(path, apps: apps)
            for day in Self.unfinalDays {
                var lines = ListedEvents(Self.lines(apps, on: day))
                try bench.ingest(&lines, ledger: path, now: day.lastMoment)
            }
        }
        let lines = apps.count * ItemFeatures.all.count * Self.unfinalDays.count
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

    /// A device a day for each item of each app.
    static func lines(_ apps: [(app: String, tenant: String)], on day: LocalDay) -> [String] {
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
    private static let smallDayNumbers = [20, 21, 22]

    /// Several small days, rated one after the other, so that each is new.
    func smallDays() throws {
        bench.report.section("meterd rate, one small day (\(Self.smallDayEvents) events) in a large file")
        for deviceMonths in bench.scale.smallDayHeld
        where bench.isInTime(for: "small-day at \(Wording.size(deviceMonths))") {
            let ledger = try ledgers.copy(of: try ledgers.holding(deviceMonths: deviceMonths))
            bench.progress("rating small days beside \(Wording.size(deviceMonths)) device-months")
            var samples: [Sample] = []
            let now = Times.day(22).lastMoment
            // All of them by one process: each would load the devices that are held.
            var events = ChainedEvents(
                Self.smallDayNumbers.map { number in
                    GeneratedEvents(
                        ledgers.workload.newDevices(
                            first: 2_000_000_000 + number * 1_000, events: Self.smallDayEvents, on: Times.day(number)))
                })
            try bench.ingest(&events, ledger: ledger, now: now)
            for number in Self.smallDayNumbers {
                let (process, _) = try bench.run(
                    ["rate", "--date", "\(Times.day(number).day)", "--now", now], ledger: ledger)
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
