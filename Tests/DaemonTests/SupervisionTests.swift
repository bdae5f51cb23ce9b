// What the daemon tells the service manager that started it, and what that can conclude from it.

import BuiltProgram
import Foundation
import TestSupport
import Testing

@Suite("A daemon under a service manager", .inTurn)
struct SupervisionTests {
    private static func settings(_ socket: NotifySocket) -> [String: String] {
        ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "1000000"]
    }

    @Test("Says that it is ready once it can be reached, that it lives, and that it stops")
    func notifications() async throws {
        let scene = try await DaemonScene.make()
        let socket = try NotifySocket(.path)
        let daemon = try scene.serve(settings: Self.settings(socket))
        let port = try await daemon.port()
        var heard: [String] = []
        try await eventually("it is ready and lives") {
            heard += socket.received()
            return heard.filter { $0 == "WATCHDOG=1" }.count >= 2 && heard.contains { $0.hasPrefix("READY=1") }
        }
        #expect(heard.contains("READY=1\nSTATUS=serving \(scene.ledger) on 127.0.0.1:\(port)"))
        #expect(try await daemon.stop().end == .exited(0))
        #expect(socket.received().contains("STOPPING=1"))
    }

    @Test("Says that it lives only while it can commit")
    func watchdog() async throws {
        let scene = try await DaemonScene.make()
        let socket = try NotifySocket(.path)
        let daemon = try scene.serve(settings: Self.settings(socket))
        _ = try await daemon.port()
        try await eventually("it lives") { socket.received().contains("WATCHDOG=1") }

        let blocker = try WriteBlocker(scene.ledger)
        // A probe may have been on its way.
        try await eventually("three seconds pass without a sign of life") {
            _ = socket.received()
            Thread.sleep(forTimeInterval: 3)
            return socket.received() == []
        }
        try blocker.release()
        try await eventually("it lives again") { socket.received().contains("WATCHDOG=1") }
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("Is not ready, and says so in time, while it can't commit")
    func readiness() async throws {
        let scene = try await DaemonScene.make()
        let hold = try Hold()
        let daemon = try scene.serve(settings: hold.environment(scene))
        let port = try await daemon.port()
        try await HTTPConnection.waitUntilReady(port: port)
        // No commit ends meanwhile, so that nothing but the time that is up can be the answer's cause.
        try hold.begin()
        let answer = try HTTPConnection(port: port).get("/readyz")
        #expect(answer.status == 503)
        #expect(answer.text.contains("no commit within 2 s"), "\(answer.text)")
        #expect(try HTTPConnection(port: port).get("/healthz").status == 200)
        try hold.end()
        try await HTTPConnection.waitUntilReady(port: port)
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("Leaves in time also while another program reads the ledger, and goes on when its own clock is behind")
    func hindrances() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(["--now", DaemonScene.now])
        let port = try await daemon.port()
        let event = SumEvent(id: "1", number: 1).line
        #expect(try HTTPConnection(port: port).post(lines: [event], now: "2027-01-12T12:00:00Z").status == 200)
        // From here on its own instant is earlier than what the ledger has recorded: the later one counts.
        let later = SumEvent(id: "2", number: 2).line
        #expect(try HTTPConnection(port: port).post(lines: [event, later], now: nil).status == 200)
        #expect(try scene.rows("SELECT DISTINCT arrival_day FROM usage_event") == ["2027-01-12"])

        let unhindered = try await DaemonScene.timeOfStopping()
        let reader = try HeldRead(scene.ledger)
        let (end, time) = try await daemon.stop()
        #expect(end == .exited(0))
        #expect(ServingDaemon.isInTime(time, unhindered: unhindered), "\(time), unhindered \(unhindered)")
        try reader.release()
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["2"])
    }
}
