// The order of the workloads: the reference first, then what shares a ledger with what went before.

/// One run of the benchmark from end to end.
struct Course {
    let bench: Bench
    let selection: Selection

    func run() throws {
        let ledgers = PreparedLedgers(bench)
        let files = EventFiles(bench, ledgers.workload)
        try reference()
        let devices = selection.among(["N", "D", "E"])
        if !devices.isEmpty {
            try DeviceWorkloads(bench: bench, ledgers: ledgers, files: files)
                .run(devices, deviceMonths: bench.scale.heldDeviceMonths)
        }
        let forms = selection.httpForms(bench.scale)
        if !forms.isEmpty { try HTTPWorkloads(bench: bench, ledgers: ledgers, files: files).run(forms) }
    }

    private func reference() throws {
        let rows = 3_000_000
        let path = bench.path("reference.db")
        var samples: [Sample] = []
        for run in 1...max(3, bench.scale.runs) {
            bench.progress("R: rows into SQLite, run \(run)")
            FileSet.remove(path)
            let outcome = try RawSQLite(rows: rows).run(at: path)
            samples.append(Sample(count: rows, seconds: outcome.seconds, bytesOnDisk: outcome.bytesOnDisk))
        }
        FileSet.remove(path)
        if let rate = median(samples.map { Double($0.count) / $0.seconds }) {
            bench.report.set(rate: rate, of: Report.reference)
        }
        bench.report.section("the reference: SQLite itself, rows of 40 bytes, 10,000 a durable commit")
        bench.report.add("R: rows appended", samples, name: Report.reference)
    }
}
