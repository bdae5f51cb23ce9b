// Ledgers that hold a month's devices before anything is measured: made once by the real program, copied for each run.

import Foundation
import GRDB
import LedgerStore
import Quantities
import Storage
import Workload

/// Makes ledgers, and keeps those that several workloads begin with.
final class PreparedLedgers {
    private let bench: Bench
    private var made: [String: String] = [:]
    let shape: WorkloadShape
    let workload: Workload

    init(_ bench: Bench) {
        self.bench = bench
        var shape = WorkloadShape()
        (shape.apps, shape.tenants) = (200, 20)
        // Calls are measured apart; all of a day's events are device activity.
        shape.callsShare = 0
        // An active device sends about 2.5 × eventsPerItem events, and about a sixth of all devices is active.
        shape.devices = bench.scale.dayEvents * 12 / 25
        self.shape = shape
        workload = Workload(shape)
    }

    /// So many times as many devices, whose days have so many times as many events.
    func workload(times factor: Int) -> Workload {
        var shape = shape
        shape.devices *= factor
        return Workload(shape)
    }

    /// A ledger of a test clock, with tenants and apps and nothing else.
    ///
    /// Apps are added by the library that `meterd app add` calls: a process each would take longer than the benchmark.
    func makeEmpty(_ path: String, apps: [(app: String, tenant: String)], timeZone: String = "UTC") throws {
        FileSet.remove(path)
        try bench.run(
            ["init", "--test-clock", "--time-zone", timeZone, "--now", Times.day(1).firstMoment], ledger: path)
        let ledger = try LedgerFile.openForWriting(at: path)
        try ledger.write { database in
            var tenants: Set<String> = []
            for (app, tenant) in apps {
                let (app, tenant) = (try Self.code(app), try Self.code(tenant))
                if tenants.insert(tenant.text).inserted {
                    _ = try Accounts.addTenant(tenant, name: tenant.text, isLegacy: false, database)
                }
                _ = try Accounts.addApp(app, tenant: tenant, name: app.text, database)
            }
        }
        try ledger.close()
    }

    private static func code(_ text: String) throws -> Code {
        guard let code = Code(text) else { throw BenchFailure("'\(text)' is no code") }
        return code
    }

    /// A ledger that holds so many device-months, nearly all settled and sealed, the last of them of yesterday: devices
    /// that use the apps, some of which are the ones that come today.
    ///
    /// - Parameter factor: how many times as many devices use the apps.
    func holding(deviceMonths: Int, times factor: Int = 1) throws -> String {
        try once("held-\(deviceMonths)-\(factor)") { path in
            let workload = workload(times: factor)
            bench.progress("making a ledger of \(Wording.size(deviceMonths)) device-months")
            try makeEmpty(path, apps: workload.ownedApps)
            var devices = GeneratedEvents(workload.newDevices(events: deviceMonths, on: Times.held))
            try bench.ingest(&devices, ledger: path, now: Times.held.lastMoment)
            try bench.run(
                ["rate", "--date", "\(Times.lastRated.day)", "--now", Times.yesterday.firstMoment], ledger: path)
            var yesterday = GeneratedEvents(workload.day(Times.yesterday))
            try bench.ingest(&yesterday, ledger: path, now: Times.yesterday.lastMoment)
        }
    }

    /// Makes a ledger the first time that it is asked for.
    func once(_ name: String, _ make: (_ path: String) throws -> Void) throws -> String {
        if let path = made[name] { return path }
        let path = bench.path(name + ".db")
        try make(path)
        made[name] = path
        return path
    }

    /// A copy of a ledger that may be changed. There is one at a time.
    func copy(of path: String) throws -> String {
        let copy = bench.path("work.db")
        try FileSet.copy(path, to: copy)
        return copy
    }

    func removeCopy() { FileSet.remove(bench.path("work.db")) }

    /// One event an app, so that a process loads all that memory holds, and nothing else.
    func oneEventAnApp(on day: LocalDay) -> [String] {
        workload.ownedApps.map { app, _ in
            EventText.activity(app: app, feature: "basic_analysis", device: "first", id: "1", time: day.firstMoment)
        }
    }
}

/// Single lines that no generator makes.
enum EventText {
    static func activity(app: String, feature: String, device: String, id: String, time: String) -> String {
        "{\"specversion\":\"1.0\",\"type\":\"meterd.device_activity\",\"source\":\"/sdk/android\",\"id\":\"\(id)\","
            + "\"time\":\"\(time)\",\"subject\":\"\(app)\",\"data\":{\"feature\":\"\(feature)\",\"device\":\"\(device)\"}}"
    }

    static func calls(_ calls: Int, app: String, id: String, time: String) -> String {
        "{\"specversion\":\"1.0\",\"type\":\"meterd.gateway_call\",\"source\":\"/gw\",\"id\":\"\(id)\",\"time\":\"\(time)\","
            + "\"subject\":\"\(app)\",\"data\":{\"calls\":\(calls)}}"
    }
}
