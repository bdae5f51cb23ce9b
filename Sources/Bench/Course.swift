// The order of the workloads: the reference first, then what shares a ledger with what went before.

/// One run of the benchmark from end to end.
struct Course {
    let bench: Bench
    let selection: Selection

    func run() throws {
        let ledgers = PreparedLedgers(bench)
        let files = EventFiles(bench, ledgers.workload)
        let devices = DeviceWorkloads(bench: bench, ledgers: ledgers, files: files)
        let rating = RatingWorkloads(bench: bench, ledgers: ledgers, files: files)
        let daemon = DaemonWorkloads(bench: bench, ledgers: ledgers, files: files)
        try reference()
        explain()
        let names = selection.among(["N", "D", "E"])
        if !names.isEmpty { try devices.run(names, deviceMonths: bench.scale.heldDeviceMonths) }
        for name in ["D", "E", "N"] { bench.report.addRatio("\(name)/R", name, Report.reference) }
        let forms = selection.httpForms(bench.scale)
        if !forms.isEmpty { try HTTPWorkloads(bench: bench, ledgers: ledgers, files: files).run(forms) }
        bench.report.addRatio("HTTP/R", HTTPForm(batch: 1_000, connections: 8).name, Report.reference)
        if wants("night") { try daemon.night() }
        if wants("G") {
            try CallWorkload(bench: bench, ledgers: ledgers, files: files).run()
            bench.report.addRatio("G/R", "G", Report.reference)
        }
        if wants("P") { try PostgresWorkload(bench: bench, ledgers: ledgers, files: files).run() }
        if wants("rating") { try rating.openDays() }
        if wants("small-day") { try rating.smallDays() }
        if wants("restart") { try daemon.restart() }
        if wants("memory") { try daemon.memory() }
        if wants("replay") { try ReplayWorkload(bench: bench, ledgers: ledgers).run() }
        if selection.has("soak", byDefault: false) {
            try SoakWorkload(bench: bench, minutes: bench.scale.soakMinutes).run()
        }
        if selection.has("verify", byDefault: bench.scale.isFull), bench.isInTime(for: "verify") {
            try VerifyWorkload(bench: bench, ledgers: ledgers).run()
        }
        if selection.has("size", byDefault: bench.scale.isFull) { try sizes(devices) }
        try referenceAgain()
    }

    private func wants(_ name: String) -> Bool { selection.has(name) && bench.isInTime(for: name) }

    /// What the columns mean.
    private func explain() {
        let runs = bench.scale.runs == 1 ? "one run (R: the median of three)" : "medians of \(bench.scale.runs) runs"
        for note in [
            "all figures: \(runs); every commit is durable before it is answered",
            "to R: what a second brings, as a part of the rows that SQLite alone stores in one; an event of meterd is a line "
                + "of JSON of 240 bytes",
            "meterd ingest: a rate counts from when the process, having loaded its memory, begins to read the file; the row "
                + "below has it in",
            "p50, p99: of requests; at 70 % they are due at fixed intervals, and each is measured from when it was due, not "
                + "from when it could be sent",
            "peak memory: of the process (for devices held: what they add to it); on disk: the file and its log after the run",
        ] { bench.report.note(note) }
    }

    private static let referenceRows = 3_000_000

    private func reference() throws {
        let samples = try (0..<max(3, bench.scale.runs)).map { _ in try sampleOfReference() }
        bench.report.section("the reference R: SQLite itself, rows of 40 bytes, 10,000 a durable commit")
        bench.report.setReference(samples)
        bench.report.add("rows appended", samples)
    }

    /// The reference once more, after everything else: whether the machine was as quiet, or as busy, all the time.
    private func referenceAgain() throws {
        let again = try sampleOfReference()
        guard let first = bench.report.rate(Report.reference) else { return }
        let ratio = Wording.ratio(Double(again.count) / again.seconds / first)
        bench.report.note(
            "R once more at the end was \(ratio) of R at the beginning; on a quiet machine that is about 1")
    }

    private func sampleOfReference() throws -> Sample {
        bench.progress("R: rows into SQLite")
        let path = bench.path("reference.db")
        defer { FileSet.remove(path) }
        let outcome = try RawSQLite(rows: Self.referenceRows).run(at: path)
        return Sample(count: Self.referenceRows, seconds: outcome.seconds, bytesOnDisk: outcome.bytesOnDisk)
    }

    /// The same day into a small and a large ledger.
    private func sizes(_ devices: DeviceWorkloads) throws {
        let (small, large) = (bench.scale.smallDayHeld.first ?? 0, bench.scale.smallDayHeld.last ?? 0)
        for held in [small, large] where bench.isInTime(for: "size \(Wording.size(held))") {
            try devices.run(["D"], deviceMonths: held, suffix: " at \(held)")
        }
        bench.report.addRatio("D \(Wording.size(large))/\(Wording.size(small))", "D at \(large)", "D at \(small)")
    }
}
