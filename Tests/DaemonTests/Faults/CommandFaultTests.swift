// A disk that fails or is full under a command that writes the ledger itself.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Testing

@Suite("A command whose disk", .ownThread)
struct CommandFaultTests {
    static let failures: [(name: String, fault: Fault, message: String)] = [
        (
            "can't sync", Fault(.sync, of: "-wal", at: 2, .fail("EIO")),
            "LEDGER can't be used: syncing: Input/output error; see what the kernel's log says of the disk. What was "
                + "acknowledged is stored; try again when the disk is well"
        ),
        (
            "can't be written", Fault(.write, of: "-wal", at: 40, .fail("EIO")),
            "LEDGER can't be used: writing: Input/output error; see what the kernel's log says of the disk. What was "
                + "acknowledged is stored; try again when the disk is well"
        ),
        (
            "can't be read", Fault(.read, of: "meterd.db", at: 14, .fail("EIO")),
            "LEDGER can't be used: reading: Input/output error; see what the kernel's log says of the disk. What was "
                + "acknowledged is stored; try again when the disk is well"
        ),
        (
            "is full", Fault(.write, of: "-wal", from: 40..., .fail("ENOSPC")),
            "there is no room on the disk of LEDGER; make room and try again, nothing is done twice"
        ),
    ]

    @Test("says so and how far it came; the same command again counts everything once", arguments: failures)
    func ingest(name: String, fault: Fault, message: String) async throws {
        let scene = try await DaemonScene.make()
        let events = (0..<9_000).map { SumEvent(id: "\($0)", number: $0).line }
        let file = try scene.write(events.joined(separator: "\n"), to: "events.ndjson")
        let failed = try await scene.outcome(["ingest", file, "--now", DaemonScene.now], faults: [fault])
        #expect(failed.end == .exited(1), "\(failed)")
        #expect(failed.errors.hasPrefix("meterd: " + message.replacing("LEDGER", with: scene.ledger)), "\(failed)")
        // A batch whose sync failed may be there or not; what was never written whole is not.
        let isKnown = fault.calls == .write
        let stored = try scene.rows("SELECT count(*) FROM usage_event")
        #expect(!isKnown || stored == ["0"])
        let says = failed.errors.contains("nothing was stored")
        #expect(says == failed.errors.contains("there is no room"), "\(failed)")
        try await scene.run(["ingest", file, "--now", DaemonScene.now])
        #expect(try scene.rows("SELECT count(*), count(DISTINCT id) FROM usage_event") == ["9000 9000"])
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    @Test("fails while it makes a ledger: there is none then, and the next attempt makes it")
    func initialization() async throws {
        let scene = try await DaemonScene.make()
        var failures = 0
        for sync in 1...9 {
            let made = scene.folder.path("new-\(sync).db")
            let arguments = ["init", "--test-clock", "--db", made, "--now", DaemonScene.now]
            let first = try await scene.outcome(arguments, faults: [Fault(.sync, at: sync, .fail("EIO"))])
            // SQLite does without the sync of a folder; the file's own name is synced by meterd.
            if first.end != .exited(0) {
                failures += 1
                #expect(first.end == .exited(1), "sync \(sync): \(first)")
                #expect(
                    first.errors.hasPrefix("meterd: \(made) can't be used: syncing: "),
                    "sync \(sync): \(first)")
                #expect(!FileManager.default.fileExists(atPath: made), "sync \(sync)")
                try await scene.run(arguments)
            }
            try await scene.run(["verify", "--db", made])
        }
        #expect(failures >= 6, "\(failures)")
    }
}
