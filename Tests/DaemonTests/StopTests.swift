// How a daemon ends, and what stands in the way of the next one, or does not.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon's end and the next one's start", .inTurn)
struct StopTests {
    @Test("SIGTERM under load: exit status 0 within 5 s, all that was acknowledged is in the file, nothing lies around")
    func terminate() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        let outbox = Outbox()
        outbox.with { $0.port = port }
        // One that sends nothing and two that never finish their requests must not hold it up; nothing of those counts.
        let idle = try (0..<3).map { _ in try HTTPConnection(port: port) }
        let part = Array((SumEvent(id: "part", number: 1).line + "\n").utf8)
        let head = [("Content-Type", "application/x-ndjson"), ("Meterd-Now", DaemonScene.now)]
        try idle[1].send(
            HTTPConnection.request("POST", "/v1/events", head + [("Content-Length", "\(part.count + 1)")]) + part)
        try idle[2].send(
            HTTPConnection.request("POST", "/v1/events", head + [("Transfer-Encoding", "chunked")])
                + Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8))
        outbox.start(senders: 8, arePersistent: false)
        defer { outbox.with { $0.mayBegin = false } }
        try await eventually("200 requests are acknowledged") {
            outbox.with { $0.acknowledged.count >= 200 || !$0.problems.isEmpty }
        }
        let unhindered = try await DaemonScene.timeOfStopping()
        let before = outbox.with { $0.acknowledged.count }
        let (end, time) = try await daemon.stop()
        #expect(end == .exited(0), "\(daemon.log)")
        #expect(ServingDaemon.isInTime(time, unhindered: unhindered), "\(time), unhindered \(unhindered)")
        outbox.with { $0.mayBegin = false }
        try await outbox.finish()

        let state = outbox.with { $0 }
        #expect(state.problems == [])
        try scene.expectStored(state.acknowledged, "SIGTERM")
        #expect(try scene.rows("SELECT id FROM usage_event WHERE id = 'part'") == [])
        print(
            """
            SIGTERM: stopped after \(time); \(before) requests acknowledged before the signal, \
            \(state.acknowledged.count - before) after it, \(state.unanswered) without an answer, \
            \(state.unavailable) told to come again
            """)
        #expect(scene.size(of: ".sock") == nil)
        #expect(scene.size(of: "-wal") == 0)
        #expect(daemon.log.contains("stopped"))
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
        withExtendedLifetime(idle) {}
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    @Test("SIGINT, and SIGTERM while it starts, end it just as well")
    func early() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        _ = try await daemon.port()
        daemon.process.send(signal: SIGINT)
        #expect(try await daemon.process.end() == .exited(0), "\(daemon.log)")
        for delayMs in [1, 20, 60, 120, 200] {
            let daemon = try scene.serve()
            try await Task.sleep(for: .milliseconds(delayMs))
            let (end, _) = try await daemon.stop()
            // Before it listens to signals there is nothing to finish, and the signal itself is the end.
            #expect(end == .exited(0) || end == .killed(signal: SIGTERM), "\(delayMs) ms: \(daemon.log)")
        }
        try await scene.run(["verify"])
    }

    @Test(
        "A second daemon of the same ledger ends at once, naming the ledger, the first one and what to do; that goes on"
    )
    func second() async throws {
        let scene = try await DaemonScene.make()
        let first = try scene.serve()
        let port = try await first.port()
        // By another name of the same file, too.
        let link = scene.folder.path("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scene.ledger)
        let others = [try scene.serve(), try scene.serve(["--db", link])]
        for other in others {
            #expect(try await other.process.end() == .exited(1))
            #expect(
                other.log
                    == "meterd: another daemon, process \(first.process.id), serves \(scene.ledger) already, and a ledger has "
                    + "only one. Stop that daemon first, or name another ledger with --db or METERD_DB\n")
        }
        let answer = try HTTPConnection(port: port).post(lines: [SumEvent(id: "1", number: 1).line])
        #expect(answer.status == 200)
        try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(try await first.stop().end == .exited(0))
    }

    @Test("A lock file that is removed, and a hard link, let no second daemon in")
    func secondWithoutLockFile() async throws {
        let scene = try await DaemonScene.make()
        let first = try scene.serve()
        let port = try await first.port()
        try FileManager.default.removeItem(atPath: scene.ledger + ".lock")
        let second = try scene.serve()
        #expect(try await second.process.end() == .exited(1), "\(second.log)")
        let says = second.log.contains("another daemon, process \(first.process.id), serves \(scene.ledger) already")
        let waits = second.log.contains("another process, by another name of the file")
        #expect(says || waits, "\(second.log)")
        let link = scene.folder.path("hard.db")
        try FileManager.default.linkItem(atPath: scene.ledger, toPath: link)
        let other = try scene.serve(["--db", link])
        #expect(try await other.process.end() == .exited(1), "\(other.log)")
        #expect(other.log.contains("meterd: \(link) has 2 names (hard links)"), "\(other.log)")
        // The daemon has it open by its one name, and goes on.
        let answer = try HTTPConnection(port: port).post(lines: [SumEvent(id: "1", number: 1).line])
        #expect(answer.status == 200)
        #expect(try await first.stop().end == .exited(0))
        let refused = try await scene.outcome(["usage"])
        #expect(refused.end == .exited(1))
        #expect(refused.errors.hasPrefix("meterd: \(scene.ledger) has 2 names (hard links)"), "\(refused)")
        #expect(refused.errors.contains("meterd backup") && refused.errors.contains("remove the other name"))
        unlink(link)
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["1"])
    }

    @Test("A daemon waits for a command that is writing, and starts when that has ended")
    func afterCommand() async throws {
        let scene = try await DaemonScene.make()
        let hold = try Hold()
        try hold.begin()
        let command = try scene.begin(
            ["tenant", "add", "bolt", "--now", DaemonScene.now], settings: hold.environment(scene))
        try await eventually("the command is writing") { try hold.isHolding() }
        let daemon = try scene.serve()
        try await daemon.line(
            with: "waiting for the process that writes the ledger", "ledger=\(scene.ledger)",
            "process \(command.process.id)", "at_most_seconds=20")
        try hold.end()
        #expect(try await command.outcome().end == .exited(0))
        _ = try await daemon.port()
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("What a killed daemon leaves behind, lock and socket, hinders neither a command nor the next daemon")
    func stale() async throws {
        let scene = try await DaemonScene.make()
        for _ in 0..<2 {
            let killed = try scene.serve()
            _ = try await killed.port()
            try await killed.kill()
            #expect(scene.size(of: ".sock") != nil)
            #expect(scene.size(of: ".lock") != nil)
            // One that has to wait for anybody says so.
            let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
            #expect(outcome.end == .exited(0) && outcome.errors == "", "\(outcome)")
            let next = try scene.serve()
            _ = try await next.port()
            try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
            #expect(try await next.stop().end == .exited(0))
        }
    }

    @Test("A port that is taken: a clear message, exit status 1, and the ledger is free again")
    func portTaken() async throws {
        let scene = try await DaemonScene.make()
        let first = try scene.serve()
        let address = "127.0.0.1:\(try await first.port())"
        let other = try await DaemonScene.make()
        let second = try other.serve(["--listen", address])
        #expect(try await second.process.end() == .exited(1))
        #expect(
            second.log.contains(
                "meterd: cannot listen on \(address): Address already in use, another program listens there; choose another "
                    + "address with --listen"),
            "\(second.log)")
        #expect(!second.log.contains(" rated "))
        #expect(other.size(of: ".sock") == nil)
        try await other.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(try await first.stop().end == .exited(0))
    }
}
