// The n-th write, sync or read of a daemon fails, for many n: it never says yes to what is not there afterwards.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Testing

/// METERD_FAULT_CALLS chooses which calls fail, as 1-200; without it an evenly spread few.
private let chosen = ProcessInfo.processInfo.environment["METERD_FAULT_CALLS"].flatMap { text -> [Int]? in
    let bounds = text.split(separator: "-").compactMap { Int($0) }
    guard let first = bounds.first, let last = bounds.last, first >= 1, first <= last else { return nil }
    return Array(first...last)
}

@Suite("A daemon whose n-th call to the disk fails", .ownThread)
struct NthCallTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let calls: [Int]
        let fault: @Sendable (Int) -> Fault
        /// Whether it goes on by itself.
        let goesOn: Bool
        /// Most of it comes while the daemon starts: what is read stays in memory.
        var isOfTheStart = false

        var testDescription: String { name }
    }

    static let kinds = [
        Kind(
            name: "write, EIO", calls: chosen ?? [2, 14, 31, 75, 140, 200],
            fault: { Fault(.write, at: $0, .fail("EIO")) },
            goesOn: false),
        Kind(
            name: "read, EIO", calls: chosen ?? [1, 9, 20, 33, 50, 70],
            fault: { Fault(.read, of: "meterd.db", at: $0, .fail("EIO")) }, goesOn: false, isOfTheStart: true),
        Kind(
            name: "sync, EIO", calls: chosen ?? [1, 3, 20, 77, 139, 200], fault: { Fault(.sync, at: $0, .fail("EIO")) },
            goesOn: false),
        Kind(
            name: "write, ENOSPC, and the 30 after it", calls: chosen ?? [5, 70, 200],
            fault: { Fault(.write, at: $0...$0 + 30, .fail("ENOSPC")) }, goesOn: true),
    ]

    /// Enough for 200 syncs: a request has one.
    private static let batches = 210
    /// After so many requests a day is rated.
    private static let ratingAt = 3

    @Test(
        "What it has acknowledged is stored once, the rest once when it is sent again, and the ledger is the same",
        arguments: kinds)
    func everyCall(_ kind: Kind) async throws {
        let control = try await DaemonScene.make()
        try await FaultyCourse(batches: Self.batches).finish(control, "control")
        let expected = try control.sums()
        var ends = (atStart: 0, stopped: 0, never: 0)
        var refusals = 0
        for call in kind.calls {
            let test = "\(kind.name), call \(call)"
            let scene = try await DaemonScene.make()
            let course = FaultyCourse(batches: Self.batches)
            let daemon = try scene.serve(faults: [kind.fault(call)])
            guard let port = try? await daemon.port() else {
                #expect(daemon.process.end == .exited(1), "\(test): \(daemon.log)")
                #expect(daemon.log.contains("meterd: "), "\(test): \(daemon.log)")
                ends.atStart += 1
                try await course.finish(scene, test)
                #expect(try scene.sums() == expected, "\(test)")
                continue
            }
            let connection = try HTTPConnection(port: port)
            for batch in course.batches.indices {
                if batch == Self.ratingAt {
                    _ = try await scene.outcome(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
                }
                if course.send(batch, over: connection) { continue }
                guard kind.goesOn else { break }
                try await course.send(batch..<batch + 1, over: connection, untilAcknowledgedWithinSeconds: 10)
            }
            refusals += course.refusals.count
            #expect(course.refusals.allSatisfy { $0 == nil || $0?.status == 503 }, "\(test)")
            // One that has failed ends by itself.
            if !kind.goesOn, !course.refusals.isEmpty || daemon.process.end != nil {
                #expect(try await daemon.process.end(withinSeconds: 20) == .exited(1), "\(test): \(daemon.log)")
                #expect(daemon.log.contains("; meterd stops writing"), "\(test): \(daemon.log)")
                ends.stopped += 1
            } else {
                let end = try await daemon.stop().end
                #expect(end == .exited(0), "\(test): \(daemon.log)")
                ends.never += 1
            }
            try await course.finish(scene, test)
            #expect(try scene.sums() == expected, "\(test)")
        }
        print(
            """
            \(kind.name): \(kind.calls.count) points; \(ends.atStart) daemons did not start, \(ends.stopped) stopped \
            themselves, \(ends.never) went on to the end; \(refusals) requests refused
            """)
        if kind.goesOn {
            #expect(refusals > 0)
        } else {
            let met = kind.isOfTheStart ? ends.atStart + ends.stopped : ends.stopped
            #expect(met * 2 >= kind.calls.count, "most of the calls are met")
        }
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
