// G from a file: gateway calls, each with an id of its own that must be looked for among all that are held.

import Workload

struct CallWorkload {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    private static let earlierDays = [17, 18, 19].map(Times.day)

    func run() throws {
        let held = try ledger()
        // Numbers of their own, so that they share no id with those that are held.
        let first = 2_000_000_000
        let workload = ledgers.workload
        let one = try files.once("one-call") {
            GeneratedEvents(workload.calls(first: first, events: 1, on: Times.today))
        }
        let many = try files.once("calls") {
            GeneratedEvents(workload.calls(first: first + 1, events: bench.scale.calls, on: Times.today))
        }
        var (starts, rates, whole): ([Sample], [Sample], [Sample]) = ([], [], [])
        for run in 1...bench.scale.runs {
            bench.progress("gateway calls from a file, run \(run)")
            let ledger = try ledgers.copy(of: held)
            let outcome = try FileIngestion(bench, first: one, file: many, ledger: ledger, now: Times.today.lastMoment)
            starts.append(outcome.start)
            rates.append(outcome.rate)
            whole.append(outcome.whole)
        }
        ledgers.removeCopy()
        let scale = bench.scale
        bench.report.section(
            "meterd ingest of calls, \(Wording.size(scale.todaysCalls)) ids of today and "
                + "\(Wording.size(scale.earlierCalls)) of three earlier days held")
        bench.report.add("start: loading what memory holds", starts, .time)
        bench.report.add("G: single gateway calls, random ids", rates, name: "G")
        bench.report.add("   the whole process, start included", whole)
    }

    private func ledger() throws -> String {
        try ledgers.once("calls") { path in
            bench.progress(
                "making a ledger of \(Wording.size(bench.scale.earlierCalls + bench.scale.todaysCalls)) calls")
            try ledgers.makeEmpty(path, apps: ledgers.workload.ownedApps)
            let share = bench.scale.earlierCalls / Self.earlierDays.count
            for (index, day) in Self.earlierDays.enumerated() {
                var calls = GeneratedEvents(ledgers.workload.calls(first: index * share, events: share, on: day))
                try bench.ingest(&calls, ledger: path, now: day.lastMoment)
            }
            var calls = GeneratedEvents(
                ledgers.workload.calls(first: 1_000_000_000, events: bench.scale.todaysCalls, on: Times.today))
            try bench.ingest(&calls, ledger: path, now: Times.today.lastMoment)
        }
    }
}
