// Backups beside a daemon that takes events all the while.

import BuiltProgram
import Foundation
import GRDB
import Interposing
import LedgerFixture
import Storage
import TestSupport
import Testing

@Suite("A backup beside a daemon", .inTurn)
struct BackupTests {
    /// A ledger with some 8 MiB, so that a copy has parts, and entries.
    private static func scene() async throws -> DaemonScene {
        let scene = try await DaemonScene.make()
        let events = (0..<200).map { SumEvent(id: "first-\($0)", number: $0).line }
        // Refused ones are kept whole, and fill pages.
        let padding = EventLine.quoted(String(repeating: "x", count: 60_000))
        let strays = (0..<140).map {
            EventLine.calls(1, id: "stray-\($0)", app: "nowhere").with("padding", padding).text
        }
        let file = try scene.write((events + strays).joined(separator: "\n") + "\n", to: "events.ndjson")
        try await scene.run(["ingest", file, "--now", DaemonScene.now])
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        return scene
    }

    private static func head(_ output: String) throws -> String {
        try String(#require(output.split(separator: "\n").first { $0.hasPrefix("head: ") }))
    }

    private static let ids = "SELECT id FROM usage_event"

    private static func ids(_ path: String) throws -> Set<String> {
        Set(try LedgerFile.openForReading(at: path).read { try LedgerFixture.rows($0, ids) })
    }

    @Test(
        "is a whole ledger of one moment: all that was acknowledged before it, none that was never sent, the head it says"
    )
    func underLoad() async throws {
        let scene = try await Self.scene()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        let outbox = Outbox()
        outbox.with { $0.port = port }
        outbox.start(senders: 8)
        defer { outbox.with { $0.mayBegin = false } }
        var copies: [(path: String, before: Set<String>, head: String)] = []
        for number in 0..<3 {
            let least = number * 100 + 100
            try await eventually("\(least) requests are acknowledged") {
                outbox.with { $0.acknowledged.count >= least || !$0.problems.isEmpty }
            }
            let before = Set(outbox.with { $0.acknowledged.flatMap { $0.own + $0.repeated }.map(\.id) })
            let path = scene.folder.path("copy-\(number).db")
            let output = try await scene.run(["backup", path])
            copies.append((path, before, try Self.head(output)))
            #expect(scene.isLocked)
            if number == 1 { try await scene.run(["rate", "--date", "2027-01-09", "--now", DaemonScene.now]) }
        }
        outbox.with { $0.mayBegin = false }
        try await outbox.finish()
        #expect(outbox.with { $0.problems } == [])
        #expect(try await daemon.stop().end == .exited(0))
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")

        let all = try Self.ids(scene.ledger)
        var earlier: Set<String> = []
        for (path, before, head) in copies {
            let verified = try await scene.run(["verify", "--db", path])
            #expect(try Self.head(verified) == head)
            let inCopy = try Self.ids(path)
            #expect(before.subtracting(inCopy).isEmpty)
            #expect(inCopy.subtracting(all).isEmpty)
            #expect(earlier.isSubset(of: inCopy))
            earlier = inCopy
        }
        #expect(copies[2].head != copies[1].head)
        // What the copies have of the chain, the ledger has too.
        let entries = "SELECT entry_id, hash FROM ledger ORDER BY entry_id"
        let last = try LedgerFile.openForReading(at: copies[2].path).read { try LedgerFixture.rows($0, entries) }
        #expect(try scene.rows(entries) == last)
        let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder.url.path)
        #expect(left.filter { $0.hasPrefix("copy-") }.sorted() == ["copy-0.db", "copy-1.db", "copy-2.db"])
    }

    @Test("is restored, and what was acknowledged since counts once when it is sent again")
    func restored() async throws {
        let scene = try await Self.scene()
        let copy = scene.folder.path("copy.db")
        var daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let lines = (0..<40).map { SumEvent(id: "later-\($0)", number: $0).line }
        _ = try HTTPConnection(port: try await daemon.port()).post(lines: Array(lines[..<20]))
        let made = try await scene.run(["backup", copy])
        #expect(try EventsAnswer(HTTPConnection(port: try await daemon.port()).post(lines: lines)).accepted == 20)

        // While the daemon has the ledger, wherever its file is, nothing is restored.
        let inTheWay = try await scene.outcome(["restore", copy])
        #expect(inTheWay.end == .exited(1))
        #expect(
            inTheWay.errors.contains("is there already, and a backup is never restored over a ledger; move it away"))
        for suffix in ["", "-wal", "-shm"] {
            try FileManager.default.moveItem(
                atPath: scene.ledger + suffix, toPath: scene.folder.path("lost.db") + suffix)
        }
        let served = try await scene.outcome(["restore", copy])
        #expect(served.end == .exited(1))
        #expect(served.errors.contains("is being written by process \(daemon.process.id)"), "\(served)")
        try await daemon.kill()

        let restored = try await scene.run(["restore", copy])
        #expect(try Self.head(restored) == Self.head(made))
        daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let answer = try EventsAnswer(HTTPConnection(port: try await daemon.port()).post(lines: lines))
        #expect(answer.accepted == 20)
        #expect(answer.duplicates == 20)
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["240"])
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    @Test(
        "that is killed, by itself or with the daemon, leaves no file of its name; the daemon goes on, the next is made"
    )
    func killed() async throws {
        let scene = try await Self.scene()
        let copy = scene.folder.path("copy.db")
        // Two rounds in which the copying waits in the middle of it for the kill. Then anywhere.
        let hold = try Hold()
        var daemon = try scene.serve(
            settings: hold.environment(scene, Fault(.write, of: ".making", from: 100..., .hold))
                .merging(["METERD_RATE_AT": "off"]) { $1 })
        for round in 0..<4 {
            let port = try await daemon.port()
            // What the round before has left is not what this one begins; later it is the command's to remove.
            if round < 2 {
                try? FileManager.default.removeItem(atPath: copy + ".making")
                try hold.begin()
            }
            let command = try scene.begin(["backup", copy])
            try await eventually("the copy is begun") {
                if round < 2 { return try hold.isHolding() || command.process.end != nil }
                let attributes = try? FileManager.default.attributesOfItem(atPath: copy + ".making")
                return attributes?[.size] as? Int ?? 0 > 0 || command.process.end != nil
            }
            #expect(round >= 2 || command.process.end == nil, "round \(round): it is done already")
            if round % 2 == 0 {
                command.process.send(signal: SIGKILL)
                #expect(try await command.outcome().end == .killed(signal: SIGKILL))
                if round < 2 { try hold.end() }
                #expect(
                    try HTTPConnection(port: port).post(lines: [SumEvent(id: "\(round)", number: 1).line]).status == 200
                )
                // Waits for the end of what the daemon still copies for nobody.
                try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
            } else {
                try await daemon.kill()
                let outcome = try await command.outcome()
                if outcome.end != .exited(0) {
                    #expect(outcome.errors.contains("ended before it answered"), "\(outcome)")
                }
                daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
            }
            #expect(round >= 2 || !FileManager.default.fileExists(atPath: copy), "round \(round): it was done")
            if FileManager.default.fileExists(atPath: copy) {
                try await scene.run(["verify", "--db", copy])
                try FileManager.default.removeItem(atPath: copy)
            }
        }
        _ = try await daemon.port()
        try await scene.run(["backup", copy])
        try await scene.run(["verify", "--db", copy])
        let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder.url.path)
        #expect(left.filter { $0.hasPrefix("copy") } == ["copy.db"])
        #expect(try await daemon.stop().end == .exited(0))
        try await scene.run(["verify"])
    }

    static let copyFaults: [(name: String, fault: Fault, message: String)] = [
        (
            "has no room in the middle of it", Fault(.write, of: ".making", from: 100..., .fail("ENOSPC")),
            "no room for COPY; make room, or choose another disk"
        ),
        (
            "can't be written", Fault(.write, of: ".making", at: 100, .fail("EIO")),
            "cannot write COPY: disk I/O error (Input/output error)"
        ),
        (
            "can't be synced", Fault(.sync, of: ".making", from: 1..., .fail("EIO")),
            "cannot write COPY: Input/output error"
        ),
        (
            "can't get its name", Fault(.name, of: "copy.db", at: 1, .fail("EIO")),
            "cannot write COPY: Input/output error"
        ),
        (
            "has an original that can't be read", Fault(.read, of: "meterd.db", at: 1_500, .fail("EIO")),
            "cannot copy LEDGER, a part of it can't be read: disk I/O error (Input/output error); see what the kernel's "
                + "log says of its disk"
        ),
    ]

    @Test(
        "that fails leaves no file of its name and a clear word, and whoever has the ledger open goes on",
        arguments: copyFaults, [true, false])
    func failing(_ copyFault: (name: String, fault: Fault, message: String), besideDaemon: Bool) async throws {
        let scene = try await Self.scene()
        let copy = scene.folder.path("copy.db")
        // What each process does of the copy fails in it.
        let daemon = besideDaemon ? try scene.serve(faults: [copyFault.fault]) : nil
        let port = try await daemon?.port()
        let failed = try await scene.outcome(["backup", copy], faults: [copyFault.fault])
        #expect(failed.end == .exited(1))
        let message = copyFault.message.replacing("COPY", with: copy).replacing("LEDGER", with: scene.ledger)
        #expect(failed.errors == "meterd: \(message)\n")
        let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder.url.path)
        #expect(left.filter { $0.hasPrefix("copy") } == [])
        if let daemon, let port {
            let answer = try HTTPConnection(port: port).post(lines: [SumEvent(id: "after", number: 1).line])
            #expect(answer.status == 200)
            #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        }
        try await scene.run(["backup", copy])
        try await scene.run(["verify", "--db", copy])
        try await scene.run(["verify"])
    }

    @Test("whose name can't be made certain, since its folder can't be synced, fails and says so; the copy is whole")
    func folderFails() async throws {
        let scene = try await Self.scene()
        let folder = scene.folder.path("copies")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let copy = folder + "/copy.db"
        let fault = Fault(.sync, of: "copies", from: 1..., .fail("EIO"))
        let failed = try await scene.outcome(["backup", copy], faults: [fault])
        #expect(failed.end == .exited(1))
        #expect(
            failed.errors
                == "meterd: \(copy) is whole, but its folder can't be synced (Input/output error), so a power failure may "
                + "still take the file away; when the disk is well, remove the file and run the command again\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["copy.db"])
        try await scene.run(["verify", "--db", copy])
        // It has the name, if the power does not fail, and is overwritten no more than any other.
        let again = try await scene.outcome(["backup", copy])
        #expect(again.end == .exited(1))
        #expect(again.errors.contains("\(copy) is there already"), "\(again)")
        try await scene.run(["backup", folder + "/next.db"])
        try await scene.run(["verify"])
    }

    @Test("Two at once of one name: one is made, the other is told; of two names, both")
    func twoAtOnce() async throws {
        let scene = try await Self.scene()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        _ = try await daemon.port()
        let same = scene.folder.path("same.db")
        let commands = try ([same, same] + ["one.db", "two.db"].map { scene.folder.path($0) })
            .map { try scene.begin(["backup", $0]) }
        var outcomes: [CommandOutcome] = []
        for command in commands { outcomes.append(try await command.outcome()) }
        #expect(outcomes.map { $0.end == .exited(0) }.sorted { !$0 && $1 } == [false, true, true, true])
        let refused = try #require(outcomes.first { $0.end != .exited(0) })
        #expect(
            refused.errors
                == "meterd: \(same) is being made by another command; wait for that, or choose another file\n"
                || refused.errors
                    == "meterd: \(same) is there already, and a ledger is never overwritten; choose another file\n"
        )
        for name in ["same.db", "one.db", "two.db"] {
            try await scene.run(["verify", "--db", scene.folder.path(name)])
        }
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("A daemon brings a ledger of an earlier schema up when it starts, and logs where it is kept as it was")
    func upgrade() async throws {
        let scene = try await DaemonScene.make()
        // As a ledger was before the newest step, which made the views.
        try LedgerFile.openForWriting(at: scene.ledger).write { database in
            for view in try LedgerFixture.rows(database, "SELECT name FROM sqlite_schema WHERE type = 'view'") {
                try database.execute(sql: "DROP VIEW \"\(view)\"")
            }
            try database.execute(sql: "DELETE FROM schema_migration WHERE name = '0003-views'")
        }
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        try await daemon.line(
            with: "bringing the ledger up to this version", "kept_as_it_was=\(scene.ledger).before-0003-views")
        let port = try await daemon.port()
        #expect(try HTTPConnection(port: port).post(lines: [SumEvent(id: "1", number: 1).line]).status == 200)
        #expect(try await daemon.stop().end == .exited(0))
        try await scene.run(["verify"])

        // A newer program's ledger is left alone.
        try LedgerFile.openForWriting(at: scene.ledger).write {
            try $0.execute(sql: "INSERT INTO schema_migration VALUES ('9999-tomorrow', 'x')")
        }
        let older = try scene.serve()
        #expect(try await older.process.end() == .exited(3))
        #expect(older.log.contains("was written by a newer meterd (schema step 9999-tomorrow)"), "\(older.log)")
    }
}
