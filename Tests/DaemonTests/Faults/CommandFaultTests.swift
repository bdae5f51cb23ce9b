// A disk that fails or is full under a command that writes the ledger itself.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Storage
import TestSupport
import Testing

@Suite("A command whose disk", .inTurn)
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

    @Test(
        "fails in the middle of a replay: it ends with a clear word and a sound ledger, whatever was read ahead of it",
        arguments: [1, 20, 200, 350])
    func replaying(write: Int) async throws {
        let scene = try await DaemonScene.make()
        // More batches than wait for the writer at once, some of them of one day.
        let events = (0..<22_000).map { "2027-01-11T0\($0 % 10):00:00Z" } + (12...18).map { "2027-01-\($0)T10:00:00Z" }
        let lines = events.enumerated().map { EventLine.calls(3, id: "\($0)", at: $1).text }
        let history = try scene.write(lines.joined(separator: "\n"), to: "history.ndjson")
        let fault = Fault(.write, of: "-wal", from: write..., .fail("ENOSPC"))
        let failed = try await scene.outcome(["replay", history], faults: [fault])
        #expect(Self.isClear(failed), "\(failed)")
        #expect(try scene.rows("SELECT count(*) < 22007, count(*) = count(DISTINCT id) FROM usage_event") == ["1 1"])
        try await scene.run(["verify"])
    }

    @Test("can't sync the folder writes nothing, and leaves what a process that was killed has left in the log")
    func folder() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        _ = try HTTPConnection(port: try await daemon.port()).post(lines: [SumEvent(id: "1", number: 1).line])
        try await daemon.kill()
        func bytes() throws -> [Data] {
            try ["", "-wal"].map { try Data(contentsOf: URL(filePath: scene.ledger + $0)) }
        }
        let left = try bytes()
        #expect(!left[1].isEmpty)
        let failed = try await scene.outcome(
            ["tenant", "add", "bolt", "--now", DaemonScene.now], faults: [Fault(.sync, at: 1, .fail("EIO"))])
        #expect(failed.end == .exited(1))
        #expect(
            failed.errors == "meterd: \(scene.ledger) can't be used: syncing its folder: Input/output error; see what "
                + "the kernel's log says of the disk. What was acknowledged is stored; try again when the disk is well\n"
        )
        #expect(try bytes() == left)
        try await scene.run(["verify"])
        #expect(try scene.rows("SELECT id FROM usage_event") == ["1"])
    }

    @Test(
        "fails while it makes a ledger: there is none then, or it says that there is one; the next attempt makes it")
    func initialization() async throws {
        let scene = try await DaemonScene.make()
        var failures = 0
        for sync in 1...14 {
            let made = scene.folder.path("new-\(sync).db")
            let arguments = ["init", "--test-clock", "--db", made, "--now", DaemonScene.now]
            let first = try await scene.outcome(arguments, faults: [Fault(.sync, at: sync, .fail("EIO"))])
            if first.end != .exited(0) {
                failures += 1
                #expect(Self.isClear(first) && first.errors.contains(made), "sync \(sync): \(first)")
                let isThere = FileManager.default.fileExists(atPath: made)
                #expect(
                    isThere == first.errors.contains("\(made) is whole, but its folder can't be synced"),
                    "sync \(sync): \(first)")
                if !isThere { try await scene.run(arguments) }
            }
            try await scene.run(["verify", "--db", made])
        }
        #expect(failures >= 8, "\(failures)")
    }

    /// The n-th sync fails, or the disk is full from the n-th write on.
    private static let faults =
        (1...6).map { Fault(.sync, at: $0, .fail("EIO")) }
        + [1, 2, 4, 8, 16, 32].map { Fault(.write, from: $0..., .fail("ENOSPC")) }

    private static func isClear(_ outcome: CommandOutcome) -> Bool {
        outcome.end == .exited(1) && outcome.errors.hasPrefix("meterd: ")
            && ["Input/output error", "disk I/O error", "no room "].contains { outcome.errors.contains($0) }
    }

    /// A ledger with a day that is rated.
    private static func rated() async throws -> DaemonScene {
        let scene = try await DaemonScene.make()
        let events = (0..<2_000).map { SumEvent(id: "\($0)", number: $0).line }
        let file = try scene.write(events.joined(separator: "\n"), to: "events.ndjson")
        try await scene.run(["ingest", file, "--now", DaemonScene.now])
        try await scene.run(["rate", "--date", "2027-01-09", "--now", DaemonScene.now])
        return scene
    }

    @Test(
        """
        fails while it restores: there is no ledger then, or it says that there is one; the backup stays as it is, the next \
        attempt makes it
        """)
    func restoring() async throws {
        let scene = try await Self.rated()
        let backup = scene.folder.path("backup.db")
        try await scene.run(["backup", backup])
        let bytes = try Data(contentsOf: URL(filePath: backup))
        let contents = try scene.contents()
        var failures = 0
        for (number, fault) in Self.faults.enumerated() {
            let made = scene.folder.path("restored-\(number).db")
            let arguments = ["restore", backup, "--db", made]
            let first = try await scene.outcome(arguments, faults: [fault])
            if first.end != .exited(0) {
                failures += 1
                #expect(Self.isClear(first), "\(fault): \(first)")
                let isThere = FileManager.default.fileExists(atPath: made)
                #expect(
                    isThere == first.errors.contains("\(made) is whole, but its folder can't be synced"), "\(first)")
                if !isThere { try await scene.run(arguments) }
            }
            #expect(try LedgerContents.read(at: made) == contents, "\(fault)")
            #expect(try Data(contentsOf: URL(filePath: backup)) == bytes, "\(fault)")
        }
        #expect(failures >= 6, "\(failures)")
    }

    @Test("fails while it brings the ledger up: that is as it was, or the file as it was is beside it")
    func bringingUp() async throws {
        let scene = try await Self.rated()
        let contents = try scene.contents()
        let step = "0003-views"
        try EarlierLedger.forget(step: step, at: scene.ledger)
        var failures = 0
        for (number, fault) in Self.faults.enumerated() {
            let ledger = scene.folder.path("old-\(number).db")
            try FileManager.default.copyItem(atPath: scene.ledger, toPath: ledger)
            let kept = "\(ledger).before-\(step)"
            let arguments = ["rate", "--date", "2027-01-09", "--now", DaemonScene.now, "--db", ledger]
            let first = try await scene.outcome(arguments, faults: [fault])
            if first.end != .exited(0) {
                failures += 1
                #expect(Self.isClear(first), "\(fault): \(first)")
            }
            var isOld = false
            do {
                _ = try LedgerFile.openForReading(at: ledger)
            } catch StorageError.olderSchema {
                isOld = true
            }
            #expect(isOld || FileManager.default.fileExists(atPath: kept), "\(fault): brought up, and nothing kept")
            try await scene.run(arguments)
            #expect(try LedgerContents.read(at: ledger) == contents, "\(fault)")
            // What is kept is whole: brought up itself, it says the same.
            _ = try LedgerFile.openForWriting(at: kept).close()
            #expect(try LedgerContents.read(at: kept) == contents, "\(fault)")
        }
        #expect(failures >= 6, "\(failures)")
    }
}
