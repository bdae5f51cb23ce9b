// Other programs at the ledger's file: one that reads for long, one that keeps it locked.

import BuiltProgram
import Foundation
import GRDB
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon beside another program", .inTurn)
struct OtherProgramTests {
    @Test(
        """
        that holds a read transaction: its log grows to the bound, warned of on the way, then events and commands are \
        told so until the reader has gone; reading goes on, nothing is lost
        """)
    func heldReader() async throws {
        let scene = try await DaemonScene.make()
        let socket = try NotifySocket(.path)
        let bound = 32 << 20
        let daemon = try scene.serve(
            settings: [
                "METERD_MAX_WAL_BYTES": "32MiB", "METERD_RATE_AT": "off", "NOTIFY_SOCKET": socket.name,
                "WATCHDOG_USEC": "1000000",
            ])
        let connection = try HTTPConnection(port: try await daemon.port())
        let reader = try HeldRead(scene.ledger)

        let course = FaultyCourse(batches: 3_000, eventsEach: 60)
        var batch = 0
        while course.send(batch, over: connection) { batch += 1 }
        let refused = try #require(course.refusals[0])
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "5")
        let why =
            "another program has been reading the ledger's file for so long that its log has reached the bound of "
        #expect(
            refused.detail == why
                + "32 MiB (max_wal_bytes), nothing was stored; end that program, perhaps an sqlite3 shell with an open "
                + "transaction or a long meterd command, and send the same again"
        )
        let size = try #require(scene.size(of: "-wal"))
        #expect((bound..<bound + (1 << 20)).contains(size), "the log has \(size) bytes")
        #expect(daemon.log.components(separatedBy: " warning the write-ahead log grows: ").count == 5, "\(daemon.log)")
        let metrics = Metrics(try connection.get("/metrics").text)
        #expect(metrics["meterd_wal_bytes"] == Double(size))
        #expect(metrics["meterd_wal_limit_bytes"] == Double(bound))

        let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(outcome.end == .exited(1))
        #expect(
            outcome.errors
                == "meterd: another program has been reading \(scene.ledger) for so long that the log beside it has reached "
                + "its bound of 32 MiB; end that program, perhaps an sqlite3 shell with an open transaction or a long meterd "
                + "command, and try again; nothing is done twice\n")
        #expect(try connection.get("/readyz").status == 503)
        #expect(try connection.get("/v1/usage/days?tenant=acme").status == 200)
        // The service manager is not to restart it for that.
        _ = socket.received()
        try await eventually("it says that it lives") { socket.received().contains("WATCHDOG=1") }
        course.send(batch, over: connection)
        #expect(scene.size(of: "-wal") == size, "the log grows on")

        try reader.release()
        try await course.deliver(batch..<batch + 20, over: connection)
        #expect(daemon.log.contains(" notice the write-ahead log is short again "), "\(daemon.log)")
        #expect(scene.size(of: "-wal") ?? 0 < 16 << 20)
        try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(try await daemon.stop().end == .exited(0))
        let stored = try scene.rows("SELECT count(*), count(DISTINCT id) FROM usage_event")
        #expect(stored == ["\(course.acknowledged.count * 60) \(course.acknowledged.count * 60)"])
        try scene.expectStored(course.acknowledgedBatches, "held reader")
        try await scene.run(["verify"])
        print("held reader: \(batch) batches until the log had \(size >> 20) MiB")
    }

    @Test(
        "that moves it away, or another file into its place: nothing is said to be stored until it is back",
        arguments: [false, true])
    func moved(isReplaced: Bool) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 3)
        #expect(course.send(0, over: connection))
        let (copy, away) = (scene.folder.path("copy.db"), scene.folder.path("away.db"))
        try await scene.run(["backup", copy])
        try FileManager.default.moveItem(atPath: scene.ledger, toPath: away)
        if isReplaced { try FileManager.default.moveItem(atPath: copy, toPath: scene.ledger) }

        #expect(!course.send(1, over: connection))
        let refused = try #require(course.refusals[0])
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "30")
        #expect(
            refused.detail
                == "the ledger's file was moved, removed or replaced while the daemon had it open, nothing was stored; move "
                + "it back, or stop the daemon and start it with the right file")
        #expect(try connection.get("/readyz").status == 503)
        #expect(daemon.log.contains("the writer failed error=\"the ledger's file was moved"), "\(daemon.log)")
        if isReplaced {
            let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
            #expect(outcome.end == .exited(1))
            #expect(
                outcome.errors
                    == "meterd: \(scene.ledger) was moved, removed or replaced while meterd had it open; move it back, or "
                    + "start again with the right file. Nothing is done twice\n")
            try FileManager.default.removeItem(atPath: scene.ledger)
        }

        try FileManager.default.moveItem(atPath: away, toPath: scene.ledger)
        try await course.deliver(1..<3, over: connection)
        #expect(try await daemon.stop().end == .exited(0))
        try await course.finish(scene, "moved")
    }

    @Test("that adds a trigger: nothing is stored through it, senders and commands are told, until it is dropped")
    func trigger() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 3)
        #expect(course.send(0, over: connection))
        func shell(_ sql: String) throws {
            let queue = try DatabaseQueue(path: scene.ledger)
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
            try queue.close()
        }
        try shell("CREATE TRIGGER spy AFTER INSERT ON usage_record BEGIN DELETE FROM quarantine; END")

        #expect(!course.send(1, over: connection))
        let refused = try #require(course.refusals[0])
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "30")
        #expect(
            refused.detail
                == "the schema of the ledger's file was changed while the daemon had it open (trigger spy on usage_record is "
                + "no part of the schema), nothing was stored: a foreign trigger or index changes what is counted. Take away "
                + "what was added, with sqlite3, see what 'meterd verify' says, and send the same again")
        #expect(try connection.get("/readyz").status == 503)
        #expect(try connection.get("/v1/usage/days?tenant=acme").status == 200)
        let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(outcome.end == .exited(1))
        let words = " is not as meterd made it: trigger spy on usage_record is no part of the schema"
        #expect(outcome.errors.hasPrefix("meterd: \(scene.ledger)\(words)"), "\(outcome)")

        try shell("DROP TRIGGER spy")
        try await course.deliver(1..<3, over: connection)
        #expect(try connection.get("/readyz").status == 200)
        #expect(try await daemon.stop().end == .exited(0))
        try await course.finish(scene, "trigger")
    }

    @Test("that verifies it again and again while many send: its log stays within the bound, and nothing is found")
    func verifying() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_MAX_WAL_BYTES": "32MiB", "METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        let outbox = Outbox()
        outbox.with { $0.port = port }
        outbox.start(senders: 4)
        defer { outbox.with { $0.mayBegin = false } }
        let connection = try HTTPConnection(port: port)
        // What fills the log fast: it goes into the quarantine as it came.
        let filling = String(repeating: "x", count: 50_000)
        var (verifications, bytes, requests, refusals) = (0, 0, 0, 0)
        var isRefused = false
        while verifications < 3 || bytes < 64 << 20 {
            let command = try scene.begin(["verify"])
            repeat {
                let lines = (0..<8).map {
                    EventLine.calls(1, id: "\(requests)-\($0)", app: "nobody").with("filling", "\"\(filling)\"").text
                }
                let answer = try connection.post(lines: lines)
                guard answer.status == 200 else {
                    // A busy machine may take so long for one large table that the bound is reached; it goes on by itself.
                    try #require(answer.status == 503, "\(answer.text)")
                    // However long that takes: it counts once.
                    if !isRefused { refusals += 1 }
                    isRefused = true
                    usleep(50_000)
                    continue
                }
                isRefused = false
                requests += 1
                bytes += lines.count * filling.utf8.count
            } while command.process.end == nil
            let outcome = try await command.outcome()
            #expect(outcome.end == .exited(0), "\(outcome)")
            verifications += 1
        }
        outbox.with { $0.mayBegin = false }
        try await outbox.finish()
        let state = outbox.with { $0 }
        print(
            "verified \(verifications) times beside \(requests) requests of \(bytes >> 20) MiB and "
                + "\(state.acknowledged.count) others")
        #expect(state.problems == [])
        #expect(refusals < requests / 4, "\(daemon.log)")
        #expect(try scene.rows("SELECT count(*) FROM quarantine") == ["\(requests * 8)"])
        #expect(try await daemon.stop().end == .exited(0))
        try scene.expectStored(state.acknowledged, "verifying")
        try await scene.run(["verify"])
    }

    @Test("that keeps it locked: events and commands are told so in time, and all goes on when it has ended")
    func locked() async throws {
        let scene = try await DaemonScene.make()
        let alone = try scene.copy()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 3)
        var start = ContinuousClock.now
        #expect(course.send(0, over: connection))
        let unhindered = ContinuousClock.now - start
        // A command on a ledger without a daemon, at the same time.
        let blockers = try [WriteBlocker(scene.ledger), WriteBlocker(alone.ledger)]
        let command = try alone.begin(["tenant", "add", "bolt", "--now", DaemonScene.now])
        start = ContinuousClock.now
        #expect(!course.send(1, over: connection))
        // SQLite waits ten seconds for the lock.
        let time = ContinuousClock.now - start
        #expect(time < .seconds(10) + max(.seconds(15), unhindered * 20), "\(time), unhindered \(unhindered)")
        let refused = try #require(course.refusals[0])
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] == "1")
        #expect(
            refused.detail
                == "another program keeps the ledger's file locked, nothing was stored; end that program, perhaps an "
                + "sqlite3 shell with an open transaction, and send the same again")
        let outcome = try await command.outcome()
        #expect(outcome.end == .exited(1))
        #expect(
            outcome.errors
                == "meterd: another program keeps \(alone.ledger) locked, perhaps an sqlite3 shell with an open transaction; "
                + "end it and try again, nothing is done twice\n")
        for blocker in blockers { try blocker.release() }
        try await course.deliver(1..<3, over: connection)
        #expect(try await daemon.stop().end == .exited(0))
        try await course.finish(scene, "locked")
    }
}
