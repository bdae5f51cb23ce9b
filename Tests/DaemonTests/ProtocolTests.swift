// HTTP as clients of all kinds speak it, by bytes on the wire: what is let in, what is refused and how, and when the
// connection ends.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("The daemon's HTTP", .inTurn)
struct ProtocolTests {
    private static let host = "Host: h\r\n"
    private static let lines = "Content-Type: application/x-ndjson\r\nMeterd-Now: \(DaemonScene.now)\r\n"
    private static let event = SumEvent(id: "1", number: 1).line

    /// A request in full, its fields as they are given.
    private static func request(_ line: String, _ fields: String, _ body: String = "") -> [UInt8] {
        Array("\(line)\r\n\(fields)\r\n\(body)".utf8)
    }

    private static func post(_ fields: String, _ body: String) -> [UInt8] {
        request("POST /v1/events HTTP/1.1", host + lines + fields, body)
    }

    private func serving(
        settings: [String: String] = [:], _ test: (DaemonScene, Int) async throws -> Void
    ) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: settings.merging(["METERD_RATE_AT": "off"]) { $1 })
        try await test(scene, try await daemon.port())
        #expect(try await daemon.stop().end == .exited(0))
        #expect(!daemon.log.contains(" error "), "\(daemon.log)")
    }

    @Test("What is no request gets one answer that says why, then the connection ends, and what follows counts nothing")
    func refusals() async throws {
        let get = "GET /healthz HTTP/1.1"
        let post = "POST /v1/events HTTP/1.1"
        let chunked = "Transfer-Encoding: chunked\r\n"
        let chunk = "\(String(Self.event.utf8.count, radix: 16))\r\n\(Self.event)\r\n0\r\n\r\n"
        let cases: [(what: String, bytes: [UInt8], status: Int, detail: String)] = [
            ("no Host", Self.request(get, ""), 400, "no header Host"),
            ("two Hosts", Self.request(get, Self.host + Self.host), 400, "2 headers Host"),
            ("a Host that is none", Self.request(get, "Host: a b\r\n"), 400, "header Host: 'a b'"),
            (
                "a coding before chunked", Self.post("Transfer-Encoding: gzip, chunked\r\n", chunk), 501,
                "header Transfer-Encoding: 'gzip, chunked'"
            ),
            ("an empty coding", Self.post("Transfer-Encoding: \r\n", chunk), 400, "header Transfer-Encoding: ''"),
            ("another coding", Self.post("Transfer-Encoding: identity\r\n", chunk), 501, "'identity'"),
            ("chunked twice", Self.post(chunked + chunked, chunk), 400, "Transfer-Encoding"),
            ("a coding and a length", Self.post(chunked + "Content-Length: 3\r\n", chunk), 400, "Content-Length"),
            (
                "a coding in HTTP/1.0",
                Self.request("POST /v1/events HTTP/1.0", Self.host + Self.lines + chunked, chunk), 400, "HTTP/1.0"
            ),
            ("an expectation that nobody knows", Self.post("Expect: tea\r\nContent-Length: 1\r\n", "1"), 417, "'tea'"),
            ("CONNECT", Self.request("CONNECT h:1 HTTP/1.1", Self.host), 501, "CONNECT"),
            (
                "a broken chunk", Self.request(post, Self.host + Self.lines + chunked, "zz\r\n"), 400, "chunk"
            ),
            (
                "a broken chunk after another answer",
                Self.request(post, Self.host + "Content-Type: text/plain\r\n" + chunked, "zz\r\n"), 415, "text/plain"
            ),
            (
                "a broken chunk after the router's answer",
                Self.request("PUT /v1/ledger HTTP/1.1", Self.host + chunked, "1\r\na\r\nzz\r\n"), 0, "detail"
            ),
            ("TLS", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03], 400, "not TLS"),
            ("HTTP/2", Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), 505, "HTTP/1.1"),
            (
                "a head without end", Self.request(get, Self.host + "X: \(String(repeating: "a", count: 40_000))\r\n"),
                431, "32768 bytes"
            ),
            ("a path that is no UTF-8", Self.request("GET /v1/%ff HTTP/1.1", Self.host), 400, "'/v1/%ff'"),
            ("a path with NUL", Self.request("GET /v1/ledger%00 HTTP/1.1", Self.host), 400, "'/v1/ledger%00'"),
        ]
        try await serving { scene, port in
            for one in cases {
                let connection = try HTTPConnection(port: port)
                try connection.send(one.bytes + (one.what == "TLS" ? [] : Self.post("", "")))
                let answer = try connection.receive()
                #expect(answer.status == one.status || one.status == 0, "\(one.what): \(answer)")
                #expect(answer.text.contains(one.detail), "\(one.what): \(answer.text)")
                #expect(answer.headers["content-type"] == "application/problem+json", "\(one.what)")
                #expect(connection.isEnded(), "\(one.what)")
            }
            #expect(try scene.rows("SELECT count(*) FROM outcome_counter") == ["0"])
        }
    }

    @Test("The connection goes on or ends as the client's version and its field Connection say, whatever the answer is")
    func endings() async throws {
        let (new, old) = ("HTTP/1.1", "HTTP/1.0")
        let cases: [(version: String, fields: String, ends: Bool)] = [
            (new, "", false), (new, "Connection: keep-alive\r\n", false), (new, "Connection: close\r\n", true),
            (new, "Connection: Close\r\n", true), (new, "Connection: close, TE\r\n", true),
            (new, "Connection: TE, close\r\n", true), (new, "Connection: TE\r\nConnection: close\r\n", true),
            (old, "", true), (old, "Connection: keep-alive\r\n", false), (old, "Connection: Keep-Alive\r\n", false),
        ]
        try await serving { _, port in
            for one in cases {
                let body = "Content-Length: \(Self.event.utf8.count)\r\n"
                let requests = [
                    Self.request("GET /healthz \(one.version)", Self.host + one.fields),
                    Self.request(
                        "POST /v1/events \(one.version)", Self.host + Self.lines + body + one.fields, Self.event),
                    // Refused before its body has come, and by the router.
                    Self.request(
                        "POST /v1/events \(one.version)",
                        Self.host + "Content-Type: text/plain\r\n" + body + one.fields,
                        Self.event),
                    Self.request("PUT /v1/ledger \(one.version)", Self.host + body + one.fields, Self.event),
                ]
                for request in requests {
                    let connection = try HTTPConnection(port: port)
                    try connection.send(request)
                    let what = "\(String(decoding: request, as: UTF8.self))"
                    let answer = try connection.receive()
                    let says = one.ends ? "close" : one.version == old ? "keep-alive" : nil
                    #expect(answer.headers["connection"] == says, "\(what)")
                    if one.ends {
                        #expect(connection.isEnded(), "\(what)")
                    } else {
                        #expect(try connection.get("/healthz").status == 200, "\(what)")
                    }
                }
            }
        }
    }

    @Test("Upgrade is passed over, as curl --http2 and Java's client send it: the connection goes on in HTTP/1.1")
    func upgrades() async throws {
        let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
        let others = ["Upgrade: h2c\r\n", "Connection: UPGRADE\r\nUpgrade: websocket\r\n", "Connection: upgrade\r\n"]
        try await serving { _, port in
            for fields in [upgrade] + others {
                let connection = try HTTPConnection(port: port)
                let get = Self.request("GET /healthz HTTP/1.1", Self.host + fields)
                let body = "Content-Length: \(Self.event.utf8.count)\r\n"
                let post = Self.post(fields + body, Self.event)
                // Some in one piece, some one after the other.
                try connection.send(get + post + get + post)
                #expect(try connection.receive().text == "ok\n")
                #expect(try connection.receive().status == 200)
                #expect(try connection.receive().text == "ok\n")
                #expect(try EventsAnswer(connection.receive()).duplicates == 1)
                try connection.send(get)
                #expect(try connection.receive().text == "ok\n")
                try connection.send(post)
                #expect(try EventsAnswer(connection.receive()).duplicates == 1)
            }
        }
    }

    @Test("Expect: 100-continue is answered: go on, or at once what the request gets, with the end of the connection")
    func expectations() async throws {
        let expect = "Expect: 100-continue\r\n"
        let length = "Content-Length: \(Self.event.utf8.count)\r\n"
        let final: [(bytes: [UInt8], status: Int)] = [
            (
                Self.request("POST /v1/events HTTP/1.1", Self.host + "Content-Type: text/csv\r\n" + expect + length),
                415
            ),
            (Self.post(expect + "Content-Length: 99999999\r\n", ""), 413),
            (Self.post("Content-Encoding: br\r\n" + expect + length, ""), 415),
            (Self.request("POST /v1/evnts HTTP/1.1", Self.host + expect + length), 404),
            (Self.request("POST /v1/ledger HTTP/1.1", Self.host + expect + length), 405),
        ]
        try await serving { _, port in
            let connection = try HTTPConnection(port: port)
            for field in [expect, "expect: 100-Continue\r\n"] {
                try connection.send(Self.post(field + length, ""))
                #expect(try connection.receive().status == 100)
                try connection.send(Array(Self.event.utf8))
                #expect(try EventsAnswer(connection.receive()).counted == 1)
            }
            // The body came along: there is nothing to wait for.
            try connection.send(Self.post(expect + length, Self.event))
            #expect(try EventsAnswer(connection.receive()).duplicates == 1)
            // HTTP/1.0 does not know it.
            try connection.send(
                Self.request(
                    "POST /v1/events HTTP/1.0", Self.host + Self.lines + expect + length, Self.event))
            #expect(try EventsAnswer(connection.receive()).duplicates == 1)
            for one in final {
                let connection = try HTTPConnection(port: port)
                try connection.send(one.bytes)
                let answer = try connection.receive()
                #expect(answer.status == one.status)
                #expect(answer.headers["connection"] == "close", "\(one.status)")
                #expect(connection.isEnded(), "\(one.status)")
            }
        }
    }

    @Test("A client that sends many requests without waiting gets the answers to a hundred more, then the end")
    func pipelining() async throws {
        try await serving { _, port in
            let connection = try HTTPConnection(port: port)
            let health = Self.request("GET /healthz HTTP/1.1", Self.host)
            try connection.send(Array(repeatElement(health, count: 300).joined()))
            for number in 0...100 {
                let answer = try connection.receive()
                #expect(answer.text == "ok\n")
                #expect(answer.headers["connection"] == (number == 100 ? "close" : nil), "\(number)")
            }
            #expect(connection.isEnded())
        }
    }

    @Test("Bytes that are no UTF-8 are refused and named in every header that is read, and in every path and parameter")
    func encodings() async throws {
        let bad: [[UInt8]] = [[0xE4], [0xE5], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80]]
        let fields = [
            "ce-id", "ce-source", "ce-subject", "ce-extension", "Content-Type", "Content-Encoding", "Meterd-Now",
            "Expect",
            "Host",
        ]
        try await serving { scene, port in
            func send(_ bytes: [UInt8], _ status: Int, _ detail: String) throws {
                let connection = try HTTPConnection(port: port)
                try connection.send(bytes)
                let answer = try connection.receive()
                #expect(answer.status == status, "\(answer.text)")
                #expect(answer.text.contains(detail), "\(answer.text)")
            }
            for bytes in bad {
                for name in fields {
                    let start = "POST /v1/events HTTP/1.1\r\n" + (name == "Host" ? "" : Self.host)
                    try send(
                        Array("\(start)\(name): r".utf8) + bytes + Array("w\r\nContent-Length: 0\r\n\r\n".utf8), 400,
                        "header \(name.lowercased()): ")
                }
                let rest = Array("w HTTP/1.1\r\n\(Self.host)\r\n".utf8)
                try send(Array("GET /v1/ledger?app=x&tenant=r".utf8) + bytes + rest, 400, "parameter tenant: ")
                try send(Array("GET /v1/r".utf8) + bytes + rest, 400, "the path: ")
                let escaped = bytes.map { "%" + String($0, radix: 16) }.joined()
                try send(
                    Array("GET /v1/ledger?tenant=r\(escaped)".utf8) + rest, 400, "parameter tenant: 'r\(escaped)w'")
                // Nobody reads this field.
                try send(
                    Array("GET /healthz HTTP/1.1\r\n\(Self.host)User-Agent: ".utf8) + bytes + Array("\r\n\r\n".utf8),
                    200,
                    "ok")
            }
            #expect(try scene.rows("SELECT count(*) FROM outcome_counter") == ["0"])
        }
    }
}
