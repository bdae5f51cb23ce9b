// What the real daemon lets in: bounds, forms and slow clients, by bytes on the wire.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("The daemon's door", .inTurn)
struct DoorTests {
    private static let lines = [("Content-Type", "application/x-ndjson")]
    private static let gzip = lines + [("Content-Encoding", "gzip")]

    private func expectProblem(_ answer: HTTPAnswer, _ status: Int, _ detail: String) {
        #expect(answer.status == status)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.text.contains(detail), "\(answer.text)")
    }

    @Test(
        "More than 100,000 events in one request are refused, in lines and in an array; so many are judged one by one")
    func eventsOfRequest() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        let connection = try HTTPConnection(port: port)
        let most = [String](repeating: "{}", count: 100_000)
        let array = [("Content-Type", "application/cloudevents-batch+json")]
        let tooMany = "the body has more than 100000 events; send fewer at once"
        expectProblem(
            try connection.post(Array((most + ["{}"]).joined(separator: "\n").utf8), headers: Self.lines), 413, tooMany)
        expectProblem(
            try connection.post(Array("[\((most + ["{}"]).joined(separator: ","))]".utf8), headers: array), 413, tooMany
        )
        let before = try daemon.process.memory("VmRSS")
        let now = [("Meterd-Now", DaemonScene.now)]
        for body in [most.joined(separator: "\n"), "[\(most.joined(separator: ","))]"] {
            let headers = (body.hasPrefix("[") ? array : Self.lines) + now
            #expect(try EventsAnswer(connection.post(Array(body.utf8), headers: headers)).refused == 100_000)
        }
        // The shortest events there are, eight requests at once: their answers are many times as long as they are.
        let body = Array(most.joined(separator: "\n").utf8)
        let connections = try (0..<8).map { _ in try HTTPConnection(port: port) }
        for connection in connections {
            try connection.send(
                HTTPConnection.request(
                    "POST", "/v1/events", Self.lines + now + [("Content-Length", "\(body.count)")]) + body)
        }
        // All of them at once have no room; whoever is told so sends again.
        for connection in connections {
            var answer = try connection.receive()
            while answer.status == 503 {
                try await Task.sleep(for: .milliseconds(100))
                answer = try connection.post(body, headers: Self.lines + now)
            }
            #expect(try EventsAnswer(answer).refused == 100_000)
        }
        let grown = try daemon.process.memory("VmHWM") - before
        print("the shortest events: memory grew by \(grown >> 20) MiB")
        // As the settings promise: four times the bound of the queue, 128 MiB, and 100 MiB.
        #expect(grown < 4 * (128 << 20) + (100 << 20))
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("What is too large, broken or of another kind is refused with its own status, and the daemon stays well")
    func bounds() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(
            settings: ["METERD_MAX_BODY_BYTES": "64KiB", "METERD_MAX_EXPANDED_BYTES": "1MiB"])
        let port = try await daemon.port()
        let event = Array(SumEvent(id: "good", number: 1).line.utf8)

        // Declared: it is refused before anything of it is sent.
        let declared = try HTTPConnection(port: port)
        try declared.send(HTTPConnection.request("POST", "/v1/events", Self.lines + [("Content-Length", "65537")]))
        expectProblem(try declared.receive(), 413, "the body has more than 65536 bytes; send fewer events at once")

        // Undeclared: a part of 4 KiB after the other, until there is one too many.
        let chunked = try HTTPConnection(port: port)
        try chunked.send(
            HTTPConnection.request("POST", "/v1/events", Self.lines + [("Transfer-Encoding", "chunked")]))
        let part = Array("1000\r\n".utf8) + [UInt8](repeating: 32, count: 4_096) + Array("\r\n".utf8)
        for _ in 0..<17 { try chunked.send(part) }
        expectProblem(try chunked.receive(), 413, "the body has more than 65536 bytes")

        let bomb = try await scene.gzipped([UInt8](repeating: 32, count: 8 << 20))
        #expect(bomb.count < 65_536)
        expectProblem(
            try HTTPConnection(port: port).post(bomb, headers: Self.gzip), 413,
            "the body expands to more than 1048576 bytes")

        let packed = try await scene.gzipped(event)
        var damaged = packed
        damaged[12] ^= 0xFF
        for broken in [Array(packed.dropLast(9)), damaged, event, packed + event] {
            expectProblem(
                try HTTPConnection(port: port).post(broken, headers: Self.gzip), 400,
                "the body is a broken gzip stream")
        }
        let json = [("Content-Type", "text/plain")]
        expectProblem(try HTTPConnection(port: port).post(event, headers: json), 415, "text/plain")
        expectProblem(
            try HTTPConnection(port: port).post(event, headers: Self.lines + [("Content-Encoding", "br")]), 415, "br")
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["0"])

        // The same connection goes on after a refusal.
        let connection = try HTTPConnection(port: port)
        expectProblem(try connection.post(event, headers: json), 415, "text/plain")
        let now = [("Meterd-Now", DaemonScene.now)]
        #expect(try EventsAnswer(connection.post(packed, headers: Self.gzip + now)).accepted == 1)
        #expect(try EventsAnswer(connection.post(event, headers: Self.lines + now)).duplicates == 1)
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "What two programs could read in two ways is no request: 400, the end of the connection, and nothing of it counts",
        arguments: Ambiguity.all)
    func ambiguousRequests(_ ambiguity: Ambiguity) async throws {
        let what = ambiguity.what
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        let connection = try HTTPConnection(port: port)
        // What is behind it would be taken for a request by whoever reads it the other way.
        let event = Array(SumEvent(id: "smuggled", number: 1).line.utf8)
        let behind = HTTPConnection.request(
            "POST", "/v1/events",
            Self.lines + [("Meterd-Now", DaemonScene.now), ("Content-Length", "\(event.count)")])
        try connection.send(
            Array("POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\n\(ambiguity.rest)".utf8)
                + behind
                + event)
        #expect(try connection.receive().status == 400, "\(what)")
        #expect(connection.isEnded(), "\(what)")
        try await HTTPConnection.waitUntilReady(port: port)
        #expect(try scene.rows("SELECT count(*) FROM outcome_counter") == ["0"], "\(what)")
        #expect(try await daemon.stop().end == .exited(0))
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
    }

    @Test("Clients that send a byte a moment hinder nobody, and are cut off once their time is up")
    func slowClients() async throws {
        let scene = try await DaemonScene.make()
        // More of them than the daemon has threads: some in their head, some in their body.
        let head = HTTPConnection.request("POST", "/v1/events", Self.lines + [("Content-Length", "1000")])
        func slowClients(_ port: Int) throws -> (inHead: [HTTPConnection], inBody: [HTTPConnection]) {
            let inHead = try (0..<6).map { _ in try HTTPConnection(port: port) }
            let inBody = try (0..<6).map { _ in try HTTPConnection(port: port) }
            for connection in inBody { try connection.send(head) }
            return (inHead, inBody)
        }

        // These have an hour, and come to no end here: whoever had to wait for one of them would have no answer.
        let patient = try scene.serve(settings: ["METERD_REQUEST_TIMEOUT_SECONDS": "3600"])
        var port = try await patient.port()
        let lasting = try slowClients(port)
        for number in 0..<20 {
            for connection in lasting.inHead where number < head.count { try connection.send([head[number]]) }
            for connection in lasting.inBody { try connection.send([32]) }
            let answer = try HTTPConnection(port: port).post(lines: [SumEvent(id: "\(number)", number: number).line])
            #expect(answer.status == 200)
        }
        #expect(!(lasting.inHead + lasting.inBody).contains { $0.hasAnswer(withinMs: 0) })
        #expect(!patient.log.contains(" error "), "\(patient.log)")
        #expect(try await patient.stop().end == .exited(0))

        // They go on until they are told that their time is up, and are cut off after that.
        let daemon = try scene.serve(settings: ["METERD_REQUEST_TIMEOUT_SECONDS": "3"])
        port = try await daemon.port()
        let start = ContinuousClock.now
        let (inHead, inBody) = try slowClients(port)
        var sent = 0
        try await eventually("all are told, or cut off") {
            for connection in inHead where sent < head.count { try? connection.send([head[sent]]) }
            for connection in inBody { try? connection.send([32]) }
            sent += 1
            usleep(100_000)
            return (inHead + inBody).allSatisfy { $0.hasAnswer(withinMs: 0) }
        }
        #expect(ContinuousClock.now - start > .seconds(3))
        for connection in inBody { #expect(try connection.receive().status == 408) }
        for connection in inHead + inBody { #expect(connection.isEnded()) }
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["20"])
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "A client that goes away in the middle of its request: nothing of it counts, and it is no error of the daemon's"
    )
    func goneAway() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        let event = Array((SumEvent(id: "part", number: 1).line + "\n").utf8)
        let chunk = Array("\(String(event.count, radix: 16))\r\n".utf8) + event + Array("\r\n".utf8)
        let head = Self.lines + [("Meterd-Now", DaemonScene.now)]
        let requests = [
            HTTPConnection.request("POST", "/v1/events", head + [("Content-Length", "\(event.count + 1)")]) + event,
            HTTPConnection.request("POST", "/v1/events", head + [("Transfer-Encoding", "chunked")]) + chunk,
        ]
        for request in requests {
            for end in [HTTPConnection.End.sending, .orderly, .reset] {
                let connection = try HTTPConnection(port: port)
                try connection.send(request)
                try await Task.sleep(for: .milliseconds(100))
                connection.end(end)
                // An answer can only be that it was not taken.
                if end == .sending, let answer = try? connection.receive() { #expect(answer.status == 400) }
            }
        }
        try await HTTPConnection.waitUntilReady(port: port)
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["0"])
        #expect(try await daemon.stop().end == .exited(0))
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
    }

    @Test("A queue that is full: 503 with Retry-After, nothing of it is stored, and the same again is taken later")
    func fullQueue() async throws {
        let scene = try await DaemonScene.make()
        let hold = try Hold()
        let daemon = try scene.serve(
            settings: hold.environment(scene).merging(["METERD_MAX_QUEUE_REQUESTS": "1", "METERD_RATE_AT": "off"]) {
                $1
            })
        let port = try await daemon.port()
        func events(_ name: String) -> [String] { [SumEvent(id: name, number: 1).line] }
        func isQueued(_ count: Int) throws -> Bool {
            try HTTPConnection(port: port).get("/metrics").text.contains("meterd_queue_requests \(count)\n")
        }
        // The first request's commit takes its time; the second waits in the queue, which is full then.
        try hold.begin()
        let first = try HTTPConnection(port: port)
        let second = try HTTPConnection(port: port)
        let head = Self.lines + [("Meterd-Now", DaemonScene.now)]
        func begin(_ connection: HTTPConnection, _ name: String) throws {
            let body = Array(events(name)[0].utf8)
            try connection.send(
                HTTPConnection.request("POST", "/v1/events", head + [("Content-Length", "\(body.count)")]) + body)
        }
        try begin(first, "first")
        try await eventually("the writer has taken the first") { try hold.isHolding() }
        try begin(second, "second")
        try await eventually("the second waits") { try isQueued(1) }
        let third = try HTTPConnection(port: port).post(lines: events("third"))
        expectProblem(
            third, 503, "too many events are waiting to be stored, nothing was stored; send the same again in a moment")
        #expect(third.headers["retry-after"] == "1")
        try hold.end()
        #expect(try EventsAnswer(first.receive()).accepted == 1)
        #expect(try EventsAnswer(second.receive()).accepted == 1)
        #expect(try scene.rows("SELECT id FROM usage_event ORDER BY id") == ["first", "second"])
        #expect(try EventsAnswer(HTTPConnection(port: port).post(lines: events("third"))).accepted == 1)
        #expect(try await daemon.stop().end == .exited(0))
    }
}

/// A request that programs end in different places.
struct Ambiguity: Sendable, CustomTestStringConvertible {
    let what: String
    /// Its head's last lines and its body.
    let rest: String

    var testDescription: String { what }

    static let all = [
        Ambiguity(
            what: "two lengths of one body", rest: "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Ambiguity(
            what: "the other way round", rest: "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        Ambiguity(what: "two different lengths", rest: "Content-Length: 1\r\nContent-Length: 2\r\n\r\n12"),
        Ambiguity(what: "a length that is none", rest: "Content-Length: +1\r\n\r\n1"),
        Ambiguity(what: "a coding that is not the last", rest: "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        Ambiguity(
            what: "a length of a part that is none", rest: "Transfer-Encoding: chunked\r\n\r\nx\r\n1\r\n0\r\n\r\n"),
        Ambiguity(what: "lines that end with a line feed alone", rest: "Content-Length: 0\n\n"),
        Ambiguity(what: "a line feed alone in the middle", rest: "X: 1\nContent-Length: 0\r\n\r\n"),
        Ambiguity(what: "a carriage return alone", rest: "X: 1\rY: 2\r\nContent-Length: 0\r\n\r\n"),
        Ambiguity(what: "a name with a space", rest: "Content-Length : 0\r\n\r\n"),
        Ambiguity(what: "a folded field", rest: "X: 1\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n"),
        Ambiguity(what: "a zero byte", rest: "X: \0\r\nContent-Length: 0\r\n\r\n"),
    ]
}
