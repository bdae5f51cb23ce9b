// The reference P: the same events into PostgreSQL, each device counted once by a primary key.

import Foundation
import Workload

struct PostgresWorkload {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    /// Skips with a note where PostgreSQL can't be had.
    func run() throws {
        do {
            bench.progress("starting PostgreSQL")
            let cluster = try PostgresCluster(bench)
            try measure(cluster)
            try cluster.stop()
        } catch let missing as NoPostgres {
            bench.progress("no PostgreSQL: \(missing.reason)")
            bench.report.note("not compared with PostgreSQL: \(missing.reason)")
        }
    }

    private func measure(_ cluster: PostgresCluster) throws {
        try prepare(cluster)
        bench.report.section(
            "the reference P: \(cluster.version) with \(Wording.size(bench.scale.heldDeviceMonths)) device-months, "
                + "10,000 rows a durable commit")
        for (name, file) in [("D", try files.day()), ("N", try files.newDevices())] {
            var best = 0.0
            var rows: Set<String> = []
            for way in bench.scale.postgresWays {
                let path = bench.path("postgres-\(name).sql")
                try PostgresFile.write(way, events: try MappedFile(file.path), to: path)
                let samples = try (1...bench.scale.runs).map { run in
                    bench.progress("PostgreSQL, \(name), \(way.rawValue), run \(run)")
                    let (sample, count) = try runOnce(cluster, path, events: file.events)
                    rows.insert(count)
                    return sample
                }
                unlink(path)
                bench.report.add("\(name): \(way.rawValue)", samples)
                best = max(best, median(samples.map { Double($0.count) / $0.seconds }) ?? 0)
            }
            guard rows.count <= 1 else {
                throw BenchFailure("the two ways into PostgreSQL count differently: \(rows.sorted())")
            }
            bench.report.set(rate: best, of: "P \(name)")
            bench.report.addRatio("\(name)/P", name, "P \(name)")
        }
        bench.report.note(
            "P counts devices only, a row (app, item, month, device, day) each, the earlier one wins; its rows were made of "
                + "the events before its clock started, meterd reads JSON, checks it, and counts days and evidence too. "
                + "Ratios are to the better of its ways.")
    }

    /// The database that each run begins with a copy of: what the ledger holds.
    private func prepare(_ cluster: PostgresCluster) throws {
        let held = bench.scale.heldDeviceMonths
        bench.progress("filling PostgreSQL with \(Wording.size(held)) device-months")
        try cluster.run("CREATE DATABASE held", in: "postgres")
        try cluster.run(PostgresFile.schema, "CREATE TABLE yesterday (LIKE device_month)", in: "held")
        var devices = PostgresRows(
            GeneratedEvents(ledgers.workload.newDevices(events: held, on: Times.held)))
        try cluster.copy(&devices, into: "device_month", in: "held")
        var yesterday = PostgresRows(GeneratedEvents(ledgers.workload.day(Times.yesterday)))
        try cluster.copy(&yesterday, into: "yesterday", in: "held")
        try cluster.run(
            PostgresFile.key, "INSERT INTO device_month SELECT * FROM yesterday ON CONFLICT DO NOTHING",
            "DROP TABLE yesterday", "VACUUM ANALYZE device_month", "CHECKPOINT", in: "held")
    }

    private func runOnce(
        _ cluster: PostgresCluster, _ file: String, events: Int
    ) throws -> (Sample, rows: String) {
        try cluster.run(
            "DROP DATABASE IF EXISTS run", "CREATE DATABASE run TEMPLATE held STRATEGY file_copy", "CHECKPOINT",
            in: "postgres")
        let measure = try cluster.run(file: file, in: "run")
        let size = try cluster.run("SELECT pg_total_relation_size('device_month')", in: "run")
        let rows = try cluster.run("SELECT count(*) FROM device_month", in: "run")
        return (Sample(count: events, seconds: measure.seconds, bytesOnDisk: Int(size)), rows)
    }
}
