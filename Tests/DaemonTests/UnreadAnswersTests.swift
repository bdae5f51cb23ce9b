// Clients that send and don't read, and other ways of making the daemon keep what it should not: memory stays within what
// the settings promise, and such clients are cut off.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("Clients that send without reading", .inTurn)
struct UnreadAnswersTests {
    private static let lines = [("Content-Type", "application/x-ndjson"), ("Meterd-Now", DaemonScene.now)]

    private static func post(_ body: [UInt8], _ more: [(String, String)] = []) -> [UInt8] {
        HTTPConnection.request("POST", "/v1/events", lines + more + [("Content-Length", "\(body.count)")]) + body
    }

    /// Refused events that are kept, so that a page of them is as large as pages are.
    private func fillQuarantine(_ connection: HTTPConnection) throws {
        let filling = String(repeating: "x", count: 60_000)
        for part in 0..<2 {
            let lines = (0..<10).map { #"{"id":"\#(part)-\#($0)","filling":"\#(filling)"}"# }
            let answer = try connection.post(Array(lines.joined(separator: "\n").utf8), headers: Self.lines)
            #expect(try EventsAnswer(answer).refused == 10)
        }
    }

    @Test(
        """
        With 1 MiB for requests and answers the daemon's memory grows by no more than the settings promise, four times \
        that and 100 MiB, whatever is sent and not read
        """)
    func memory() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(
            settings: [
                "METERD_MAX_QUEUE_BYTES": "1MiB", "METERD_RATE_AT": "off", "METERD_REQUEST_TIMEOUT_SECONDS": "60",
            ])
        let port = try await daemon.port()
        let first = try HTTPConnection(port: port)
        try fillQuarantine(first)
        let before = try daemon.process.memory("VmRSS")
        var last = 0
        func note(_ what: String) throws {
            let grown = try daemon.process.memory("VmHWM") - before
            print("unread: memory grew by \(grown >> 20) MiB after \(what)")
            #expect(grown < (4 << 20) + (100 << 20), "\(what)")
            last = grown
        }
        func connections(_ count: Int) throws -> [HTTPConnection] {
            try (0..<count).map { _ in try HTTPConnection(port: port, receiveBytes: 4_096) }
        }
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)

        let tunnel = try HTTPConnection(port: port)
        try tunnel.send(HTTPConnection.request("CONNECT", "h:1", []))
        _ = tunnel.flood(bytes, upTo: 256 << 20, withinSeconds: 3)
        try note("CONNECT")

        let upgrading = try HTTPConnection(port: port)
        try upgrading.send(
            HTTPConnection.request("GET", "/healthz", [("Connection", "Upgrade"), ("Upgrade", "websocket")]))
        _ = upgrading.flood(bytes, upTo: 256 << 20, withinSeconds: 3)
        try note("Upgrade")

        let document = HTTPConnection.request("GET", "/v1/openapi.json", [])
        let askers = try connections(20)
        for connection in askers {
            _ = connection.flood(document, upTo: 500 * document.count, withinSeconds: 0.2)
        }
        try note("requests that are pipelined")

        let page = HTTPConnection.request("GET", "/v1/quarantine?limit=1000", [])
        let readers = try connections(60)
        for connection in readers { try connection.send(page + page) }
        for connection in readers { _ = connection.hasAnswer(withinMs: 2_000) }
        try note("pages")

        let crumbs =
            HTTPConnection.request("POST", "/v1/ledger", [("Transfer-Encoding", "chunked")])
            + Array(String(repeating: "1\r\nx\r\n", count: 20_000).utf8)
        let crumblers = try connections(10)
        for connection in crumblers { try connection.send(document + document) }
        for connection in crumblers { _ = connection.flood(crumbs, upTo: crumbs.count, withinSeconds: 0.3) }
        try note("bodies in parts of a byte")

        // The shortest lines there are, with an event among them: many times their length in memory and in the answer.
        let event = Array((SumEvent(id: "1", number: 1).line + "\n").utf8)
        let short = event + Array(String(repeating: "0\n", count: 99_999).utf8)
        let packed = try await scene.gzipped(short)
        let blank = try await scene.gzipped([UInt8](repeating: 10, count: 60 << 20))
        let inArray =
            Array("[\(SumEvent(id: "1", number: 1).line)".utf8) + Array(String(repeating: ",0", count: 99_999).utf8)
            + Array("]".utf8)
        let senders = try connections(12)
        for (number, connection) in senders.enumerated() {
            switch number % 4 {
            case 0: try connection.send(Self.post(short))
            case 1: try connection.send(Self.post(packed, [("Content-Encoding", "gzip")]))
            case 2: try connection.send(Self.post(blank, [("Content-Encoding", "gzip")]))
            default:
                try connection.send(
                    HTTPConnection.request(
                        "POST", "/v1/events",
                        [
                            ("Content-Type", "application/cloudevents-batch+json"), ("Meterd-Now", DaemonScene.now),
                            ("Content-Length", "\(inArray.count)"),
                        ]) + inArray)
            }
        }
        for connection in senders { #expect(connection.hasAnswer(withinMs: Patience.milliseconds)) }
        try note("the shortest events")

        // One that fits is taken all the while.
        let taken = try await Self.persistently(port, Array(SumEvent(id: "last", number: 2).line.utf8))
        #expect(taken.accepted == 1)
        #expect(last > 0)
        #expect(try await daemon.stop().end == .exited(0))
    }

    /// Sends until there is room.
    private static func persistently(_ port: Int, _ body: [UInt8]) async throws -> EventsAnswer {
        while true {
            let answer = try HTTPConnection(port: port).post(body, headers: lines)
            guard answer.status == 503 else { return try EventsAnswer(answer) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @Test("A body that is larger than all the memory for requests is 413, plain or expanded, also when it is alone")
    func largerThanAll() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_MAX_QUEUE_BYTES": "1MiB", "METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let body = [UInt8](repeating: 10, count: (1 << 20) + 1)
        let packed = try await scene.gzipped(body)
        for (bytes, more) in [(body, []), (packed, [("Content-Encoding", "gzip")])] {
            let answer = try connection.post(bytes, headers: Self.lines + more)
            #expect(answer.status == 413, "\(answer.text)")
            #expect(answer.text.contains("more than 1048576 bytes"), "\(answer.text)")
        }
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "Readers that never read shut nobody out for longer than the time that they have, and their memory is free then"
    )
    func deadline() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(
            settings: [
                "METERD_REQUEST_TIMEOUT_SECONDS": "3", "METERD_MAX_CONNECTIONS": "8", "METERD_RATE_AT": "off",
            ])
        let port = try await daemon.port()
        let first = try HTTPConnection(port: port)
        try fillQuarantine(first)
        var start = ContinuousClock.now
        #expect(try first.get("/healthz").text == "ok\n")
        let unhindered = ContinuousClock.now - start
        first.end(.orderly)
        #expect(first.isEnded())
        let page = HTTPConnection.request("GET", "/v1/quarantine?limit=1000", [])
        let readers = try (0..<8).map { _ in try HTTPConnection(port: port, receiveBytes: 4_096) }
        for connection in readers { try connection.send(page + page + page) }
        for connection in readers { #expect(connection.hasAnswer(withinMs: Patience.milliseconds)) }
        start = ContinuousClock.now
        let other = try HTTPConnection(port: port)
        #expect(try other.get("/healthz").text == "ok\n")
        let waited = ContinuousClock.now - start
        print("unread: others waited \(waited)")
        // Twice the time, for the pages were not all written at once, and what a busy machine takes.
        #expect(waited < max(.seconds(15), .seconds(6) + unhindered * 100), "\(waited), unhindered \(unhindered)")
        try await daemon.line(with: "an answer was not read in time", "seconds=3")
        try await eventually("the memory is free, and it is told why") {
            let text = try other.get("/metrics").text
            return text.contains("meterd_unread_answer_bytes 0\n")
                && text.contains(#"meterd_connections_ended_total{reason="unread_answer"} 8"#)
                && text.contains("meterd_connections 1\n")
        }
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("A reader that is slow but reads on is not cut off, however long its answer takes")
    func slowReader() async throws {
        let scene = try await DaemonScene.make()
        // Longer than a busy machine keeps this thread from reading on, and shorter than all of it takes.
        let daemon = try scene.serve(settings: ["METERD_REQUEST_TIMEOUT_SECONDS": "10", "METERD_RATE_AT": "off"])
        let port = try await daemon.port()
        let event = SumEvent(id: "1", number: 1).line + "\n"
        let body = Array((event + String(repeating: "0\n", count: 50_000)).utf8)
        let connection = try HTTPConnection(port: port, receiveBytes: 4_096)
        try connection.send(Self.post(body))
        #expect(connection.hasAnswer(withinMs: Patience.milliseconds))
        let start = ContinuousClock.now
        var read = 0
        while read < 4_800_000 {
            try connection.skip(240_000)
            read += 240_000
            try await Task.sleep(for: .milliseconds(600))
        }
        #expect(ContinuousClock.now - start >= .seconds(12))
        // The rest of this answer, then another one on the same connection.
        try connection.send(HTTPConnection.request("GET", "/healthz", []))
        try connection.skip(to: Array("]}HTTP/1.1 200 OK\r\n".utf8))
        #expect(try await daemon.stop().end == .exited(0))
    }
}
