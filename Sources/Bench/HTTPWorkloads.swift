// D over HTTP: batches of several sizes over several connections, first as fast as it goes, then at 70 % of that.

import Foundation

/// A way to post events.
struct HTTPForm: Hashable {
    let batch: Int
    let connections: Int

    var name: String { "http-\(batch)x\(connections)" }

    var title: String {
        (batch == 1 ? "one event a request" : "\(Wording.grouped(Double(batch))) events a request")
            + ", \(connections) connection\(connections == 1 ? "" : "s")"
    }
}

struct HTTPWorkloads {
    let bench: Bench
    let ledgers: PreparedLedgers
    let files: EventFiles

    /// The load at which latency is measured, as a part of the maximum.
    static let calmLoad = 0.7

    /// A daemon of its own for each form, on the same ledger, so that each posts the same day to the same state.
    func run(_ forms: [HTTPForm]) throws {
        let held = try ledgers.holding(deviceMonths: bench.scale.heldDeviceMonths)
        let day = try MappedFile(try files.day().path)
        bench.report.section(
            "D over HTTP to meterd serve, client on the same cores; "
                + "ledger of \(Wording.size(bench.scale.heldDeviceMonths)) device-months")
        for form in forms where bench.isInTime(for: form.name) {
            let requests = try PreparedRequests(day, batch: form.batch)
            var fastest: [Sample] = []
            var calm: [Sample] = []
            for run in 1...bench.scale.runs {
                bench.progress("HTTP, \(form.title), run \(run)")
                let (atMost, atEase) = try measure(form, requests, held)
                fastest.append(atMost)
                calm.append(atEase)
            }
            bench.report.add(form.title, fastest, name: form.name)
            bench.report.add("   at 70 % of it, from when each was due", calm, .otherRate)
        }
        ledgers.removeCopy()
    }

    private func measure(_ form: HTTPForm, _ requests: PreparedRequests, _ held: String) throws -> (Sample, Sample) {
        let ledger = try ledgers.copy(of: held)
        let daemon = try ServingMeterd(
            bench, ledger: ledger, now: Times.today.lastMoment, environment: Self.room(for: form))
        let load = try LoadGenerator(requests, port: daemon.port, connections: form.connections)
        // The first half of the day as fast as it goes, the rest is left for the calm part.
        let all = requests.requests.count
        let first = 0..<max(form.connections, all / 2)
        let fastest = try load.run(first, .closed(maxSeconds: bench.scale.loadSeconds))
        let share = Int((fastest.clientSeconds / fastest.seconds * 100).rounded())
        bench.progress("   the client took \(share) % of a core")
        var atMost = Sample(load: fastest)
        let start = first.lowerBound + fastest.requests
        let perSecond = fastest.requestsPerSecond * Self.calmLoad
        let count = min(all - start, max(form.connections, Int(perSecond * bench.scale.loadSeconds)))
        let eased = try load.run(start..<start + count, .open(requestsPerSecond: perSecond))
        let atEase = Sample(load: eased)
        atMost.peakMemoryBytes = daemon.program.memoryBytes("VmHWM")
        try daemon.stop()
        atMost.bytesOnDisk = FileSet.bytes(ledger)
        return (atMost, atEase)
    }

    /// Room in the daemon's queue for all that the connections can have under way at once.
    private static func room(for form: HTTPForm) -> [String: String] {
        let bytes = form.batch * form.connections * 1_000
        return bytes > 100 << 20 ? ["METERD_MAX_QUEUE_BYTES": "\((bytes >> 20) + 64)MiB"] : [:]
    }
}

extension Sample {
    init(load: LoadResult) {
        let percentiles = load.latencies.percentiles([50, 99])
        self.init(count: load.events, seconds: load.seconds, p50: percentiles[0], p99: percentiles[1])
    }
}
