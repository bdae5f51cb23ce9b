// How long verifying takes: a ledger of a million entries, all of its checks, and its head alone.

import Workload

struct VerifyWorkload {
    let bench: Bench
    let ledgers: PreparedLedgers

    /// With 10,000 apps and eight items a million entries.
    private static let days = 1...13
    private static let now = Times.day(16)

    func run() throws {
        let ledger = try ledger()
        let entries = try bench.run(["verify", "--head"], ledger: ledger).output.prefix { $0 != ":" }
        guard let count = Int(entries) else { throw BenchFailure("'\(entries)' is no number of entries") }
        var (all, head): ([Sample], [Sample]) = ([], [])
        for run in 1...bench.scale.runs {
            bench.progress("verifying \(Wording.size(count)) entries, run \(run)")
            all.append(Sample(count: count, process: try bench.run(["verify"], ledger: ledger).0, ledger: ledger))
            head.append(
                Sample(count: count, process: try bench.run(["verify", "--head"], ledger: ledger).0, ledger: ledger))
        }
        bench.report.section("meterd verify, 10,000 apps × 8 items on 13 settled days")
        bench.report.add("all checks, entries", all, .otherRate)
        bench.report.add("--head", head, .time)
    }

    /// Usage of 13 days, all of them settled and sealed.
    private func ledger() throws -> String {
        try ledgers.once("verify") { path in
            let apps = RatingWorkloads.manyApps
            bench.progress("making a ledger of a million entries")
            try ledgers.makeEmpty(path, apps: apps)
            for number in Self.days {
                let day = Times.day(number)
                let calls = apps.map { app, _ in
                    EventText.calls(100, app: app, id: "\(app)-\(day.day)", time: "\(day.day)T12:00:00Z")
                }
                var lines = ListedEvents(RatingWorkloads.lines(apps, on: day) + calls)
                try bench.ingest(&lines, ledger: path, now: day.lastMoment)
            }
            try bench.run(
                ["rate", "--date", "\(Times.day(Self.days.upperBound).day)", "--now", Self.now.lastMoment], ledger: path
            )
        }
    }
}
