// Too few open files, too little memory, a process that is stopped and goes on: the daemon serves later, never wrongly.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon at its limits", .inTurn)
struct LimitTests {
    private static func event(_ number: Int) -> [String] { [SumEvent(id: "\(number)", number: number).line] }

    private static func request(_ number: Int) -> [UInt8] {
        let body = Array(event(number)[0].utf8)
        let head = [
            ("Content-Type", "application/x-ndjson"), ("Meterd-Now", DaemonScene.now),
            ("Content-Length", "\(body.count)"),
        ]
        return HTTPConnection.request("POST", "/v1/events", head) + body
    }

    @Test("Started with few open files (ulimit -n): it says how many connections it takes, the others are served later")
    func fewFiles() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"], limits: "ulimit -n 80")
        let port = try await daemon.port()
        try await daemon.line(
            with: " warning the limit of open files", "limit=80", "max_connections=1024", "room_for=16")
        let connections = try (0..<40).map { _ in try HTTPConnection(port: port) }
        for (number, connection) in connections.enumerated() { try connection.send(Self.request(number)) }
        func answered() -> [Int] { connections.indices.filter { connections[$0].hasAnswer(withinMs: 0) } }
        try await eventually("16 are answered") { answered().count >= 16 }
        try await Task.sleep(for: .milliseconds(300))
        let first = answered()
        #expect(first.count == 16, "\(first)")
        // A command still gets through, and nothing turns in circles.
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        #expect(try daemon.process.isAtRest())
        for index in first { connections[index].end(.orderly) }
        var served = Set(first)
        try await eventually("all are served") {
            for index in connections.indices where !served.contains(index) && connections[index].hasAnswer(withinMs: 1)
            {
                let answer = try EventsAnswer(connections[index].receive())
                #expect(answer.accepted == 1)
                connections[index].end(.orderly)
                served.insert(index)
            }
            return served.count == connections.count
        }
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["40"])
        try await scene.run(["verify"])
    }

    @Test("Out of open files while it runs: it waits with new connections without turning in circles, then takes them")
    func noFiles() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        let held = try HTTPConnection(port: port)
        #expect(try held.post(lines: Self.event(0)).status == 200)
        try daemon.process.limit(.openFiles, to: try daemon.process.nextFile())
        let others = try (1..<10).map { _ in try HTTPConnection(port: port) }
        for (number, connection) in others.enumerated() { try connection.send(Self.request(number + 1)) }
        try await Task.sleep(for: .seconds(1))
        #expect(try daemon.process.isAtRest())
        #expect(!others.contains { $0.hasAnswer(withinMs: 0) })
        // Who is connected is served.
        #expect(try held.post(lines: Self.event(10)).status == 200)
        #expect(try daemon.process.isAtRest())
        try daemon.process.limit(.openFiles, to: nil)
        for connection in others { #expect(try EventsAnswer(connection.receive()).accepted == 1) }
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["11"])
    }

    @Test(
        """
        Out of memory (ulimit -d): it said so when it started; it ends, what it has acknowledged is stored once, the next \
        one goes on
        """)
    func noMemory() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"], limits: "ulimit -S -d 100000000")
        let connection = try HTTPConnection(port: try await daemon.port())
        try await daemon.line(with: " warning memory is limited (ulimit -d)", "limit=102400000000")
        let course = FaultyCourse(batches: 40, eventsEach: 1_000)
        for batch in 0..<3 { #expect(course.send(batch, over: connection)) }
        try daemon.process.limit(.memory, to: try daemon.process.memory("VmData"))
        for batch in 3..<40 where daemon.process.end == nil { course.send(batch, over: connection) }
        guard case .killed = try await daemon.process.end() else {
            Issue.record("it goes on with \(course.acknowledged.count) of 40 batches: \(daemon.log)")
            return
        }
        #expect(course.acknowledged.count < 40)
        try await course.finish(scene, "memory")
    }

    @Test("Stopped (SIGSTOP) with requests on their way, it answers them when it goes on; the watchdog hears it again")
    func stopped() async throws {
        let scene = try await DaemonScene.make()
        let socket = try NotifySocket(.path)
        let daemon = try scene.serve(
            settings: ["METERD_RATE_AT": "off", "NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "1000000"])
        let port = try await daemon.port()
        let connections = try (0..<8).map { _ in try HTTPConnection(port: port) }
        #expect(try connections[0].post(lines: Self.event(0)).status == 200)
        daemon.process.send(signal: SIGSTOP)
        defer { daemon.process.send(signal: SIGCONT) }
        try await eventually("it is stopped") { try daemon.process.isStopped() }
        for (number, connection) in connections.enumerated() { try connection.send(Self.request(number)) }
        let late = try HTTPConnection(port: port)
        try late.send(Self.request(8))
        _ = socket.received()
        try await Task.sleep(for: .milliseconds(1_500))
        #expect(!(connections + [late]).contains { $0.hasAnswer(withinMs: 0) })
        #expect(socket.received() == [])
        daemon.process.send(signal: SIGCONT)
        for (number, connection) in connections.enumerated() {
            let answer = try EventsAnswer(connection.receive())
            #expect(number == 0 ? answer.duplicates == 1 : answer.accepted == 1)
        }
        #expect(try EventsAnswer(late.receive()).accepted == 1)
        try await eventually("it says that it lives") { socket.received().contains("WATCHDOG=1") }
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["9"])
    }
}
