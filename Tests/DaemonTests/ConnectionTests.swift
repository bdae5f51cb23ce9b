// What a connection to the real daemon carries beside one request after the other, and what too many of them cost.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A connection to the daemon", .inTurn)
struct ConnectionTests {
    private static let head = [("Content-Type", "application/x-ndjson"), ("Meterd-Now", DaemonScene.now)]

    private static func request(_ body: [UInt8], _ more: [(String, String)] = []) -> [UInt8] {
        HTTPConnection.request("POST", "/v1/events", head + more + [("Content-Length", "\(body.count)")]) + body
    }

    @Test("Requests that are sent without waiting are answered in their order, events and others in turn")
    func pipelined() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let connection = try HTTPConnection(port: try await daemon.port())
        let event = Array(SumEvent(id: "1", number: 1).line.utf8)
        let health = HTTPConnection.request("GET", "/healthz", [])
        try connection.send(
            Self.request(event) + health + Self.request(event) + HTTPConnection.request("PUT", "/v1/events", [])
                + health)
        let first = try connection.receive()
        #expect(first.headers["content-type"] == "application/json")
        #expect(first.headers["server"] == "meterd")
        #expect(first.headers["date"]?.hasSuffix(" GMT") == true)
        #expect(try EventsAnswer(first).accepted == 1)
        #expect(try connection.receive().text == "ok\n")
        #expect(try EventsAnswer(connection.receive()).duplicates == 1)
        #expect(try connection.receive().status == 405)
        #expect(try connection.receive().text == "ok\n")
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "A client that ends its side, or asks for the end, still gets the answer to what it has sent, and then the end")
    func endings() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        for (number, more) in [[], [("Connection", "close")], [("Connection", "Close")]].enumerated() {
            let connection = try HTTPConnection(port: port)
            try connection.send(Self.request(Array(SumEvent(id: "\(number)", number: 1).line.utf8), more))
            if more.isEmpty { connection.end(.sending) }
            #expect(try EventsAnswer(connection.receive()).accepted == 1)
            #expect(connection.isEnded())
        }
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("A body of many megabytes, which is scanned apart from the connections, is stored like any other")
    func large() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let lines = (0..<8_000).map { SumEvent(id: "\($0)", number: $0).line }
        let answer = try HTTPConnection(port: try await daemon.port()).post(lines: lines)
        #expect(try EventsAnswer(answer).accepted == lines.count)
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["8000"])
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "Senders of more than there is room for: 503 with Retry-After, nothing of theirs is stored, memory is bounded")
    func overload() async throws {
        let scene = try await DaemonScene.make()
        let queueBytes = 4 << 20
        let daemon = try scene.serve(settings: ["METERD_MAX_QUEUE_BYTES": "4MiB", "METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        #expect(try HTTPConnection(port: port).post(lines: [SumEvent(id: "warm", number: 1).line]).status == 200)
        let before = try daemon.process.memory("VmRSS")

        // Each has 3,000 events, some 700 kB, so that six find room; nothing can be stored meanwhile. Whoever is refused
        // sends again at once.
        let bodies = (0..<20).map { sender in
            (0..<3_000).map { SumEvent(id: "\(sender)-\($0)", number: $0).line + "\n" }.joined()
        }
        let room = 6
        let blocker = try WriteBlocker(scene.ledger)
        let connections = try bodies.map { _ in try HTTPConnection(port: port) }
        var waiting: Set<Int> = []
        var refusals = 0
        func send() throws {
            for sender in bodies.indices where !waiting.contains(sender) {
                try connections[sender].send(Self.request(Array(bodies[sender].utf8)))
                waiting.insert(sender)
            }
        }
        for _ in 0..<4 {
            try send()
            try await eventually("all but \(room) are refused") {
                for sender in waiting where connections[sender].hasAnswer(withinMs: 0) {
                    let answer = try connections[sender].receive()
                    #expect(answer.status == 503)
                    #expect(answer.headers["retry-after"] == "1")
                    refusals += 1
                    waiting.remove(sender)
                }
                return waiting.count <= room
            }
        }
        #expect(refusals >= 4 * (bodies.count - room))
        try blocker.release()
        // On a machine so busy that the writer's patience ended, these are refused as well.
        var taken: Set<Int> = []
        for sender in waiting {
            let answer = try connections[sender].receive()
            guard answer.status != 503 else { continue }
            #expect(try EventsAnswer(answer).accepted == 3_000)
            taken.insert(sender)
        }
        let stored = try scene.rows(
            "SELECT DISTINCT substr(id, 1, instr(id, '-') - 1) FROM usage_event WHERE id <> 'warm'")
        #expect(Set(stored) == Set(taken.map(String.init)))

        let grown = try daemon.process.memory("VmHWM") - before
        print("overload: \(refusals) refusals, \(taken.count) taken, memory grew by \(grown >> 20) MiB")
        // The settings promise four times the bound and 100 MiB, which only the shortest of events come near to.
        #expect(grown < 4 * queueBytes + (32 << 20))
        #expect(try await daemon.stop().end == .exited(0))
    }
}
