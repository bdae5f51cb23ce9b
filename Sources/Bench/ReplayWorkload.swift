// A year of real events with a rating each midnight: the sample that scripts/try shows.

import Foundation

struct ReplayWorkload {
    let bench: Bench
    let ledgers: PreparedLedgers

    static let sample = "scripts/sample/departures-2013.csv.gz"

    func run() throws {
        guard FileManager.default.fileExists(atPath: Self.sample) else {
            return bench.report.note("no replay: there is no \(Self.sample) here; start scripts/bench")
        }
        bench.progress("making the sample's events")
        let file = bench.path("departures.ndjson")
        try Program(
            "/bin/sh",
            ["-c", "gzip -dc \"$1\" | \"$2\" >\"$3\"", "sh", Self.sample, bench.program("departures-sample"), file],
            scratch: bench.scratch("departures")
        ).success(withinSeconds: 300)
        var events = 0
        var apps: Set<String> = []
        let lines = try MappedFile(file)
        try lines.eachLine { line in
            events += 1
            apps.insert(try EventFields(UnsafeRawBufferPointer(rebasing: lines.bytes[line])).text(of: .app))
        }
        let empty = bench.path("airlines.db")
        try ledgers.makeEmpty(empty, apps: apps.sorted().map { ($0, "airlines") }, timeZone: "America/New_York")
        var samples: [Sample] = []
        for run in 1...bench.scale.runs {
            bench.progress("replay of a year, run \(run)")
            let ledger = try ledgers.copy(of: empty)
            let (process, _) = try bench.run(["replay", file], ledger: ledger)
            samples.append(Sample(count: events, process: process, ledger: ledger))
        }
        ledgers.removeCopy()
        bench.report.section("meterd replay of a year of departures, 365 ratings")
        bench.report.add("the whole process", samples)
    }
}
