// A disk that is really full: METERD_SMALL_DISK names a folder on a file system of some 8 MiB, as scripts/io-faults mounts.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

private let disk = ProcessInfo.processInfo.environment["METERD_SMALL_DISK"]

@Suite("A daemon on a small disk", .inTurn, .enabled(if: disk != nil))
struct SmallDiskTests {
    @Test("that is full: 503 and a clear word to whoever writes, reading goes on, and all goes on by itself with room")
    func full() async throws {
        let scene = try await DaemonScene.make()
        #expect(scene.ledger.hasPrefix(try #require(disk)))
        let filler = scene.folder.path("filler")
        try Data(count: 2 << 20).write(to: URL(filePath: filler))
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 2_000, eventsEach: 60)
        var batch = 0
        while course.send(batch, over: connection) { batch += 1 }
        let refused = try #require(course.refusals[0])
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "30")
        #expect(refused.detail == "the disk is full, nothing was stored; free some space and send the same again")

        // The last bytes, so that what is small finds no room either.
        let descriptor = open(filler, O_WRONLY | O_APPEND)
        var byte: UInt8 = 0
        while write(descriptor, &byte, 1) == 1 {}
        close(descriptor)
        // What it says finds no room either, once that is used up which the refused batch had taken of the log.
        func add(_ tenant: Int) async throws -> CommandOutcome {
            try await scene.outcome(["tenant", "add", "small-\(tenant)", "--now", DaemonScene.now])
        }
        var tenants = 0
        var outcome = try await add(tenants)
        while outcome.end == .exited(0), tenants < 100 {
            tenants += 1
            outcome = try await add(tenants)
        }
        #expect(outcome.end == .exited(1), "\(outcome)")
        #expect(try scene.rows("SELECT count(*) FROM tenant WHERE code LIKE 'small-%'") == ["\(tenants)"])
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["\(batch * 60)"])
        #expect(try connection.get("/v1/usage/days?tenant=acme").status == 200)
        #expect(!course.send(batch, over: connection))

        try FileManager.default.removeItem(atPath: filler)
        try await course.deliver(batch..<batch + 5, over: connection)
        try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        try await daemon.kill()
        try scene.expectStored(course.acknowledgedBatches, "after a full disk")
        let next = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let again = try HTTPConnection(port: try await next.port())
        try await course.deliver(batch + 5..<batch + 10, over: again)
        #expect(try await next.stop().end == .exited(0))
        #expect(
            try scene.rows("SELECT count(*), count(DISTINCT id) FROM usage_event")
                == ["\(course.acknowledged.count * 60) \(course.acknowledged.count * 60)"])
        try scene.expectStored(course.acknowledgedBatches, "small disk")
        try await scene.run(["verify"])
        print("small disk: full after \(batch) batches")
    }
}
