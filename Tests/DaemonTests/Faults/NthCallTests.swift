// The n-th write, sync or read of a daemon fails, for many n: it never says yes to what is not there afterwards.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import TestSupport
import Testing

/// METERD_FAULT_CALLS chooses which calls fail, as 1-200; without it a few: while the daemon starts, while it takes events,
/// in a grant (75) and in a rating (84; of the reads 78).
private let chosen = ProcessInfo.processInfo.environment["METERD_FAULT_CALLS"].flatMap { text -> [Int]? in
    let bounds = text.split(separator: "-").compactMap { Int($0) }
    guard let first = bounds.first, let last = bounds.last, first >= 1, first <= last else { return nil }
    return Array(first...last)
}

@Suite("A daemon whose n-th call to the disk fails", .inTurn)
struct NthCallTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let calls: [Int]
        let fault: @Sendable (Int) -> Fault
        /// Whether it goes on by itself.
        let goesOn: Bool
        /// Whether it must stop, whichever call it is: a failed sync may have taken any page with it.
        var mustStop = false
        /// How many of these calls a course surely has: a later one can't be chosen.
        var reach = 200

        var testDescription: String { name }
    }

    static let kinds = [
        Kind(
            name: "write, EIO", calls: chosen ?? [2, 14, 31, 75, 84, 140, 200],
            fault: { Fault(.write, at: $0, .fail("EIO")) },
            goesOn: false),
        Kind(
            name: "read, EIO", calls: chosen ?? [1, 9, 20, 33, 50, 70, 78],
            fault: { Fault(.read, of: "meterd.db", at: $0, .fail("EIO")) }, goesOn: false,
            // What is read stays in memory.
            reach: 80),
        Kind(
            name: "sync, EIO", calls: chosen ?? [1, 3, 20, 77, 139, 200], fault: { Fault(.sync, at: $0, .fail("EIO")) },
            goesOn: false, mustStop: true),
        Kind(
            name: "write, ENOSPC, and the 30 after it", calls: chosen ?? [5, 70, 84, 200],
            fault: { Fault(.write, at: $0...$0 + 30, .fail("ENOSPC")) }, goesOn: true),
    ]

    /// Enough for 200 syncs: a request has one.
    private static let batches = 210
    /// After so many requests a grant is recorded, and a day is rated.
    private static let ratingAt = 3
    private static let grant = [
        "grant", "add", "pack", "--tenant", "acme", "--offer", "resource_package", "--item", "gateway_calls",
        "--quantity", "100", "--purchased-at", "2027-01-08T00:00:00Z", "--now", DaemonScene.now,
    ]
    private static let rating = ["rate", "--date", "2027-01-10", "--now", DaemonScene.now]

    /// Runs a command once, or where the daemon goes on, until it says that it is done.
    ///
    /// - Returns: whether it has said so.
    private func isDone(_ command: [String], _ scene: DaemonScene, goesOn: Bool) async throws -> Bool {
        guard goesOn else { return try await scene.outcome(command).end == .exited(0) }
        for _ in 0..<100 where try await scene.outcome(command).end == .exited(0) { return true }
        return false
    }

    @Test(
        "What it has acknowledged is stored once, the rest once when it is sent again, and the ledger is the same",
        arguments: kinds)
    func everyCall(_ kind: Kind) async throws {
        let control = try await DaemonScene.make()
        try await FaultyCourse(batches: Self.ratingAt).finish(control, "control", commands: [Self.grant])
        let rated = try control.contents()
        try #require(rated["ledger"]?.isEmpty == false)
        try await FaultyCourse(batches: Self.batches).finish(control, "control")
        let expected = try control.sums()
        var ends = (atStart: 0, stopped: 0, never: 0)
        var refusals = 0
        var commandsDone = 0
        var unmet: [Int] = []
        for call in kind.calls {
            let test = "\(kind.name), call \(call)"
            let scene = try await DaemonScene.make()
            let course = FaultyCourse(batches: Self.batches)
            let met = scene.folder.path("met")
            let daemon = try scene.serve(faults: [kind.fault(call)], met: met)
            defer { if (try? MetFault.read(met).isEmpty) != false { unmet.append(call) } }
            guard let port = try? await daemon.port() else {
                #expect(daemon.process.end == .exited(1), "\(test): \(daemon.log)")
                #expect(daemon.log.contains("meterd: "), "\(test): \(daemon.log)")
                ends.atStart += 1
                try await course.finish(scene, test, commands: [Self.grant])
                #expect(try scene.sums() == expected, "\(test)")
                continue
            }
            let connection = try HTTPConnection(port: port)
            var (isGranted, isRated) = (false, false)
            for batch in course.batches.indices {
                if batch == Self.ratingAt {
                    isGranted = try await isDone(Self.grant, scene, goesOn: kind.goesOn)
                    if isGranted { isRated = try await isDone(Self.rating, scene, goesOn: kind.goesOn) }
                }
                if course.send(batch, over: connection) { continue }
                guard kind.goesOn else { break }
                try await course.deliver(batch..<batch + 1, over: connection)
            }
            refusals += course.refusals.count
            #expect(course.refusals.allSatisfy { $0 == nil || $0?.status == 503 }, "\(test)")
            // One that has failed ends by itself.
            if !kind.goesOn, !course.refusals.isEmpty || daemon.process.end != nil {
                #expect(try await daemon.process.end() == .exited(1), "\(test): \(daemon.log)")
                #expect(daemon.log.contains("; meterd stops writing"), "\(test): \(daemon.log)")
                ends.stopped += 1
            } else {
                // The folder meterd has synced first of all. SQLite does so again, whatever comes of it.
                #expect(
                    try !kind.mustStop || MetFault.read(met).allSatisfy { $0.name.isEmpty && $0.call > 1 },
                    "\(test): it went on after a failed sync")
                let end = try await daemon.stop().end
                #expect(end == .exited(0), "\(test): \(daemon.log)")
                ends.never += 1
            }
            // A command that said yes has stored what it said.
            let left = try scene.copy().contents()
            if isGranted { #expect(left["grant_balance"]?.contains { $0.hasPrefix("acme pack ") } == true, "\(test)") }
            if isRated { #expect(left["ledger"] == rated["ledger"], "\(test)") }
            commandsDone += (isGranted ? 1 : 0) + (isRated ? 1 : 0)
            try await course.finish(scene, test, commands: [Self.grant])
            #expect(try scene.sums() == expected, "\(test)")
        }
        print(
            """
            \(kind.name): \(kind.calls.count) points; \(ends.atStart) daemons did not start, \(ends.stopped) stopped \
            themselves, \(ends.never) went on to the end; \(refusals) requests refused, \(commandsDone) commands done; \
            not met: \(unmet)
            """)
        #expect(unmet.filter { $0 <= kind.reach } == [], "a call that can be met was not")
        if kind.goesOn {
            // A few that are chosen may all meet what can wait, or the start.
            let isFew = chosen != nil && (kind.calls.count < 4 || ends.atStart == kind.calls.count)
            #expect(refusals > 0 || isFew, "what is full is noticed")
        } else {
            let met = kind.calls.filter { $0 <= kind.reach }.count
            #expect((ends.atStart + ends.stopped) * 2 >= met, "most of what is met is noticed")
        }
    }

    // MARK: A rating that settles

    struct SettlingKind: Sendable, CustomTestStringConvertible {
        let name: String
        let points: Int
        let calls: Fault.Calls
        let error: String
        /// How many calls after the first fail too; then it goes on by itself.
        var more = 0

        var testDescription: String { name }
    }

    static let settlingKinds = [
        SettlingKind(name: "write, EIO", points: 5, calls: .write, error: "EIO"),
        SettlingKind(name: "sync, EIO", points: 5, calls: .sync, error: "EIO"),
        SettlingKind(name: "write, ENOSPC, and the 5 after it", points: 2, calls: .write, error: "ENOSPC", more: 5),
    ]

    /// Days later: all that was sent is final, is settled, sealed and filed, and the identities of its day become a run.
    private static let settling = ["rate", "--date", "2027-01-14", "--now", later]
    private static let later = "2027-01-15T12:00:00Z"
    /// So many that they are filed.
    private static let manyDevices = (0..<1_000).map {
        EventLine.device("many-\($0)", at: "2027-01-09T10:00:00Z").text
    }
    private static let settled =
        "SELECT (SELECT count(*) FROM settled_day), (SELECT count(*) FROM sealed_device), (SELECT count(*) FROM touch), "
        + "(SELECT count(*) FROM new_device), (SELECT count(*) FROM identity_run), (SELECT count(*) FROM identity_run_day)"

    @Test(
        "A rating that settles, seals, files and makes identity runs: what it says is stored, the next one finishes the same",
        arguments: settlingKinds)
    func everyCallOfASettlement(_ kind: SettlingKind) async throws {
        /// Takes all batches, then settles.
        func run(
            _ scene: DaemonScene, _ fault: Fault, met: String, _ test: String, beforeRating: () throws -> Void = {}
        ) async throws -> (isDone: Bool, end: ChildProcess.End?) {
            let course = FaultyCourse(batches: 40)
            let daemon = try scene.serve(faults: [fault], met: met)
            let connection = try HTTPConnection(port: try await daemon.port())
            for batch in course.batches.indices { #expect(course.send(batch, over: connection), "\(test)") }
            #expect(try connection.post(lines: Self.manyDevices).status == 200, "\(test)")
            try beforeRating()
            let isDone = try await isDone(Self.settling, scene, goesOn: kind.more > 0)
            let isBroken = kind.more == 0 && !isDone
            return (isDone, isBroken ? try await daemon.process.end() : try await daemon.stop().end)
        }

        // Undisturbed: what it comes to, and which calls are the rating's.
        let control = try await DaemonScene.make()
        let counted = control.folder.path("counted")
        var before = 0
        let undisturbed = try await run(
            control, Fault(kind.calls, from: 1..., .delay(milliseconds: 0)), met: counted, "control"
        ) { before = try MetFault.read(counted).count }
        #expect(undisturbed.isDone && undisturbed.end == .exited(0))
        let calls = try MetFault.read(counted).count - before
        let expected = try control.contents()
        let isSettled = try control.rows(Self.settled)
        // Five days, of the 80 devices and the many none is left open or new, and the identities of the one day of
        // arrivals are a run.
        #expect(isSettled == ["5 1080 0 0 160 1"])

        let points = chosen?.filter { $0 <= calls } ?? (0..<kind.points).map { 1 + $0 * calls / kind.points }
        var failed = 0
        for point in points {
            let call = before + point
            let test = "\(kind.name), call \(point) of \(calls) of a rating"
            let scene = try await DaemonScene.make()
            let met = scene.folder.path("met")
            let fault = Fault(kind.calls, at: call...call + kind.more, .fail(kind.error))
            let (isDone, end) = try await run(scene, fault, met: met, test)
            #expect(try !MetFault.read(met).isEmpty, "\(test): not met")
            if !isDone { failed += 1 }
            #expect(kind.more == 0 || isDone, "\(test): it does not go on")
            #expect(end == .exited(isDone ? 0 : 1) || kind.more == 0, "\(test): \(String(describing: end))")
            let left = try scene.copy()
            if isDone { #expect(try left.contents() == expected, "\(test): it said that it was done") }
            try left.expectStored(FaultyCourse(batches: 40).batches, test)

            // The next one, and all is known again that was sent before.
            try await scene.run(Self.settling)
            #expect(try scene.contents() == expected, "\(test)")
            #expect(try scene.rows(Self.settled) == isSettled, "\(test)")
            let next = try scene.serve(settings: ["METERD_RATE_AT": "off"])
            let connection = try HTTPConnection(port: try await next.port())
            let events = FaultyCourse(batches: 40).batches.flatMap(\.own)
            let again = try EventsAnswer(connection.post(lines: events.map(\.line), now: Self.later))
            #expect(again.duplicates == events.count, "\(test): an identity was lost")
            #expect(try await next.stop().end == .exited(0), "\(test): \(next.log)")
            try await scene.run(["verify"])
        }
        print("\(kind.name): \(points.count) of the \(calls) calls of a rating that settles, \(failed) failed it")
        #expect(
            kind.more > 0 || points.count < 4 || failed * 3 >= points.count,
            "a good part of the points should fail the rating")
    }
}

extension DaemonScene {
    /// What the ledger says, with the sums of its entries: it may have been rated once or twice on the way.
    fileprivate func sums() throws -> [String: [String]] {
        var contents = try contents()
        contents["ledger"] = try rows(
            """
            SELECT
                posted_day, usage_day, tenant, app, item, source, grant_code, tier, price_version,
                sum(quantity), sum(amount_micros)
            FROM ledger
            GROUP BY posted_day, usage_day, tenant, app, item, source, grant_code, tier, price_version
            HAVING sum(quantity) <> 0 OR sum(amount_micros) <> 0
            """
        ).sorted()
        return contents
    }
}
