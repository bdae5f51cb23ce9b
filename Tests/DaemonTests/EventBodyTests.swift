// What becomes of bodies that are not quite what they should be: binary mode's headers as clients write them, bodies of
// which no event can be read, gzip as programs make it.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("Bodies of events as clients send them", .inTurn)
struct EventBodyTests {
    private static let now = [("Meterd-Now", DaemonScene.now)]
    private static let lines = now + [("Content-Type", "application/x-ndjson")]

    private static func line(_ id: String) -> String { SumEvent(id: id, number: 1).line }

    private func serving(_ test: (DaemonScene, HTTPConnection) async throws -> Void) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        try await test(scene, HTTPConnection(port: try await daemon.port()))
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test(
        "In binary mode a value in quotes is unquoted, then decoded once; a % that begins no escape stands for itself")
    func binaryMode() async throws {
        let ids: [(header: String, id: String)] = [
            ("q1", "q1"), (#""q1""#, "q1"), (#""q\1""#, "q1"), (#""a\"b""#, #"a"b"#), (#""a\\b""#, #"a\b"#),
            (#""a%20b""#, "a b"), ("a%20b", "a b"), ("100%", "100%"), ("100%25", "100%"), ("%zz", "%zz"),
            ("5%4", "5%4"),
            ("%2525", "%25"), (#"a"b"#, #"a"b"#), (#""a"b""#, #""a"b""#), (#""open"#, #""open"#),
            (#""open\""#, #""open\""#),
            ("r%C3%A4w", "räw"), ("räw", "räw"), ("%22q1%22", #""q1""#), ("\u{FFFC}", "\u{FFFC}"),
        ]
        try await serving { scene, connection in
            var seen: Set<String> = []
            for (header, id) in ids {
                let answer = try connection.post(
                    [],
                    headers: Self.now + [
                        ("ce-specversion", "1.0"), ("ce-type", "meterd.gateway_call"), ("ce-source", "/test"),
                        ("ce-id", header), ("ce-time", #""2027-01-10T10:00:00Z""#), ("ce-subject", #""shop""#),
                    ])
                let counts = try EventsAnswer(answer)
                #expect(seen.insert(id).inserted ? counts.accepted == 1 : counts.duplicates == 1, "\(header)")
            }
            let stored = try scene.rows("SELECT id FROM usage_event")
            #expect(Set(stored.map { Array($0.utf8) }) == Set(ids.map { Array($0.id.utf8) }))
        }
    }

    @Test(
        "In binary mode a header that is there twice or decodes to no UTF-8 is refused, one with NUL is a refused event"
    )
    func badHeaders() async throws {
        let head =
            Self.now + [
                ("ce-specversion", "1.0"), ("ce-type", "meterd.gateway_call"), ("ce-source", "/test"),
                ("ce-time", "2027-01-10T10:00:00Z"), ("ce-subject", "shop"),
            ]
        try await serving { scene, connection in
            for id in ["%e4", "%ff", "%ed%a0%80", #""%e4""#] {
                let answer = try connection.post([], headers: head + [("ce-id", id)])
                #expect(answer.status == 400)
                #expect(answer.text.contains("header ce-id: "), "\(answer.text)")
            }
            let twice = try connection.post([], headers: head + [("ce-id", "1"), ("CE-ID", "2")])
            #expect(twice.status == 400)
            #expect(twice.text.contains("header ce-id: it is given twice"), "\(twice.text)")
            for name in ["ce-data", "ce-data_base64"] {
                let answer = try connection.post([], headers: head + [("ce-id", "1"), (name, "e30=")])
                #expect(answer.status == 400)
                #expect(answer.text.contains("header \(name): in binary mode the body is the data"), "\(answer.text)")
            }
            let long = try connection.post(
                [UInt8](repeating: 0x20, count: (1 << 20) + 1), headers: head + [("ce-id", "1")])
            #expect(long.status == 400)
            #expect(long.text.contains("the event has 1048577 bytes, 1048576 at most are allowed"), "\(long.text)")
            for name in ["ce-id", "ce-source", "ce-subject"] {
                let others = (head + [("ce-id", "1")]).filter { $0.0 != name }
                let answer = try connection.post([], headers: others + [(name, "a%00b")])
                #expect(try EventsAnswer(answer).refused == 1, "\(answer.text)")
            }
            #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["0"])
        }
    }

    @Test("A body of which no event can be read is 400 and says what it looks like; nothing of it is counted or kept")
    func unreadable() async throws {
        let (one, batch, ndjson) = (
            "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"
        )
        let event = Self.line("1")
        let cases: [(type: String, body: String, detail: String)] = [
            (ndjson, event + event, "curl --data-binary @FILE"),
            (ndjson, "  \(event)\r\(event)\r", "curl --data-binary @FILE"),
            (ndjson, #"{"a":"}{\\\""}{"b":1}"#, "curl --data-binary @FILE"),
            (ndjson, "id,time,app\n1,2027-01-10,shop\n", "the body is not JSON, it begins with 'id,time,app'"),
            (ndjson, "<events/>", "it begins with '<events/>'"),
            (ndjson, "0\n1\n2\n", "it begins with '0'"),
            (ndjson, "[\(event)]", "is a JSON array; send it with Content-Type: \(batch)"),
            (ndjson, "{\n  \"id\": 1\n}\n", "Content-Type: \(one)"),
            (ndjson, "{\"id\":1,\"id\":2}", "not valid JSON"),
            (one, "", "the body is empty"),
            (one, "\(event)\n\(event)\n", "Content-Type: \(ndjson)"),
            (one, "[\(event)]", "Content-Type: \(batch)"),
            (one, "id=1&time=2", "it begins with 'id=1&time=2'"),
            (batch, "[1,2]", "an event must be a JSON object, not 1"),
            (batch, "[,]", "there is no text"),
            (batch, event, "Content-Type: \(one)"),
        ]
        try await serving { scene, connection in
            for (type, body, detail) in cases {
                let answer = try connection.post(
                    Array(body.utf8), headers: Self.now + [("Content-Type", type)])
                #expect(answer.status == 400, "\(body)")
                #expect(answer.headers["content-type"] == "application/problem+json", "\(body)")
                #expect(answer.text.replacing(#"\/"#, with: "/").contains(detail), "\(body): \(answer.text)")
            }
            #expect(try scene.rows("SELECT count(*) FROM outcome_counter") == ["0"])
            #expect(try scene.rows("SELECT count(*) FROM quarantine") == ["0"])

            // No event at all is not an event that can't be read; one that a rule refuses can be; one good one suffices.
            for (type, body, refused) in [
                (ndjson, "", 0), (ndjson, " \n\r\n", 0), (batch, "[]", 0), (ndjson, "{}", 1), (batch, "[{}]", 1),
                (one, "{}", 1), (ndjson, "0\n\(event)\nid,time\n", 2),
            ] {
                let answer = try connection.post(Array(body.utf8), headers: Self.now + [("Content-Type", type)])
                #expect(try EventsAnswer(answer).refused == refused, "\(body): \(answer.text)")
            }
            #expect(try scene.rows("SELECT id FROM usage_event") == ["1"])
        }
    }

    @Test("A gzipped body may have several members, and zeros behind them, as gzip takes it; nothing else behind them")
    func gzip() async throws {
        try await serving { scene, connection in
            let folder = scene.folder
            func packed(_ text: String) async throws -> [UInt8] {
                let path = try scene.write(text, to: "plain")
                let process = try ChildProcess(
                    "/bin/gzip", ["-c"], environment: [:], input: path, output: folder.path("packed"),
                    errors: folder.path("errors"))
                #expect(try await process.end() == .exited(0))
                return Array(try Data(contentsOf: URL(filePath: folder.path("packed"))))
            }
            let (first, second) = (try await packed(Self.line("1") + "\n"), try await packed(Self.line("2")))
            let zeros = [UInt8](repeating: 0, count: 512)
            let headers = Self.lines + [("Content-Encoding", "gzip")]
            #expect(try EventsAnswer(connection.post(first + zeros, headers: headers)).accepted == 1)
            #expect(try EventsAnswer(connection.post(first + second, headers: headers)).counted == 2)
            #expect(try EventsAnswer(connection.post(first + second + [0], headers: headers)).duplicates == 2)
            for broken in [first + zeros + second, first + [1], zeros, zeros + first, first + zeros + [1]] {
                let answer = try connection.post(broken, headers: headers)
                #expect(answer.status == 400)
                #expect(answer.text.contains("broken gzip stream"), "\(answer.text)")
            }
            let plain = try connection.post(first, headers: Self.lines)
            #expect(plain.status == 400 && plain.text.contains("Content-Encoding: gzip"), "\(plain.text)")
        }
    }
}
