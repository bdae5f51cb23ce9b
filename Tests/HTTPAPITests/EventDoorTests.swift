// POST /v1/events: every form of events, every way in which a body as a whole is wrong, and the bounds.

import Foundation
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LedgerFixture
import LedgerStore
import NIOCore
import Storage
import TestSupport
import Testing
import Writer

@Suite("Events over HTTP", .ownThread)
struct EventDoorTests {
    /// A daemon's event and state routes over a new ledger with the app `shop`.
    ///
    /// - Parameter knowsTime: whether the daemon's own clock stands at the fixture's time; otherwise nobody has told the
    ///   ledger any.
    private func serving(
        bounds: EventDoor.Bounds = EventDoor.Bounds(), knowsTime: Bool = true,
        _ test: @escaping @Sendable (TestClient, _ path: String) async throws -> Void
    ) async throws {
        // A busy machine leaves a connection idle for longer than senders should.
        var bounds = bounds
        bounds.seconds = Patience.wholeSeconds
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        let path = fixture.path
        if !knowsTime { try fixture.execute("UPDATE ledger_state SET latest_instant = NULL") }
        let clock = LedgerClock(given: knowsTime ? fixture.now : nil, isFrozen: knowsTime)
        let writer = LedgerWriter(ledger: fixture.handOver())
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        let door = EventDoor(writer: writer, clock: clock, bounds: bounds)
        let reader = try LedgerReader(path: path, timeoutMs: APIScene.longTimeoutMs)
        StateRoutes(ledger: path, writer: writer, reader: reader, door: door).add(to: router)
        try await Application(router: router, server: ServedConnection.builder(door)).test(.live) { live in
            let port = try #require(live.port)
            // The framework's own client gives up after 20 seconds.
            try await TestClient.withClient(
                host: "localhost", port: port, configuration: .init(timeout: Patience.duration)
            ) { try await test($0, path) }
        }
        await writer.stop()
    }

    private static func post(
        _ client: TestClient, _ headers: [String: String], _ body: [UInt8]
    ) async throws -> String {
        var fields = HTTPFields()
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        return try await client.execute(
            uri: "/v1/events", method: .post, headers: fields, body: ByteBuffer(bytes: body)
        ) { response in
            let text = String(buffer: response.body)
            guard response.headers[.contentType] == "application/problem+json" else {
                return "\(response.status.code) \(text)"
            }
            let problem = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return "\(response.status.code) \(problem?["detail"] as? String ?? text)"
        }
    }

    private static let call = EventLine.calls(5, id: "c1").text
    private static let device = EventLine.device("phone-1", id: "d1").text
    private static let binary = [
        "ce-specversion": "1.0", "ce-type": "meterd.gateway_call", "ce-source": "/test", "ce-id": "c1",
        "ce-time": "2027-01-10T10:00:00Z", "ce-subject": "shop",
    ]

    private static func counts(_ accepted: Int, _ duplicates: Int, _ refused: Int, _ results: String = "") -> String {
        "200 {\"accepted\":\(accepted),\"duplicates\":\(duplicates),\"corrections\":0,\"refused\":\(refused),"
            + "\"results\":[\(results)]}"
    }

    private static let duplicate = #"{"index":0,"source":"/test","id":"c1","status":"duplicate"}"#

    @Test("come in each form, and are the same event in each")
    func forms() async throws {
        let structured = "application/cloudevents+json"
        let batched = "application/cloudevents-batch+json"
        let lines = "application/x-ndjson"
        let gzipped = try gzip(Self.call)
        let steps: [(headers: [String: String], body: [UInt8], answer: String)] = [
            (["content-type": structured], Array(Self.call.utf8), Self.counts(1, 0, 0)),
            (
                ["content-type": structured + "; charset=UTF-8"], Array(Self.call.utf8),
                Self.counts(0, 1, 0, Self.duplicate)
            ),
            (
                ["content-type": batched], Array("[\(Self.call) , \(Self.device)]".utf8),
                Self.counts(1, 1, 0, Self.duplicate)
            ),
            (["content-type": batched], Array(" [ ] ".utf8), Self.counts(0, 0, 0)),
            (
                ["content-type": lines], Array("\(Self.call)\r\n\n\(Self.device)".utf8),
                Self.counts(1, 1, 0, Self.duplicate)
            ),
            (["content-type": lines], [], Self.counts(0, 0, 0)),
            (["content-type": structured, "content-encoding": "gzip"], gzipped, Self.counts(0, 1, 0, Self.duplicate)),
            (Self.binary, Array(#"{"calls":5}"#.utf8), Self.counts(0, 1, 0, Self.duplicate)),
            (Self.binary.merging(["ce-id": "bare"]) { $1 }, [], Self.counts(1, 0, 0)),
            (["content-type": lines], [0xEF, 0xBB, 0xBF] + Self.call.utf8, Self.counts(0, 1, 0, Self.duplicate)),
            (
                Self.binary.merging(["ce-source": "/t%C3%A9st%25", "content-type": "application/json"]) { $1 },
                Array(#" {"calls":6} "#.utf8), Self.counts(1, 0, 0)
            ),
            // What stands before an event does no harm, in any form.
            (["content-type": structured], [0xEF, 0xBB, 0xBF] + Self.call.utf8, Self.counts(0, 1, 0, Self.duplicate)),
            (["content-type": structured], [0, 0] + Self.call.utf8, Self.counts(0, 1, 0, Self.duplicate)),
            (
                ["content-type": batched], Array("\u{FEFF}\0[\u{FEFF}\(Self.call)]".utf8),
                Self.counts(0, 1, 0, Self.duplicate)
            ),
            (
                ["content-type": lines], Array("\0\u{FEFF}\(Self.call)\n\u{FEFF}\n".utf8),
                Self.counts(0, 1, 0, Self.duplicate)
            ),
            (Self.binary, Array("\u{FEFF}{\"calls\":5}".utf8), Self.counts(0, 1, 0, Self.duplicate)),
            (
                ["content-type": structured],
                Array(Self.call.replacing(#""data":{"calls":5}"#, with: #""data_base64":"eyJjYWxscyI6NX0=""#).utf8),
                Self.counts(0, 1, 0, Self.duplicate)
            ),
            // What may be the data by another name leaves no single call.
            (
                Self.binary.merging(["ce-payload": "5"]) { $1 }, [],
                Self.counts(
                    0, 0, 1,
                    #"{"index":0,"source":"/test","id":"c1","status":"refused","code":"malformed","#
                        + #""reason":"data is missing, but payload is there: rename it to data"}"#)
            ),
            (Self.binary.merging(["ce-id": "traced", "ce-traceparent": "00"]) { $1 }, [], Self.counts(1, 0, 0)),
            // A bad event is its own outcome; its neighbours are stored.
            (
                ["content-type": batched], Array("[1,\(Self.device),]".utf8),
                Self.counts(
                    1, 0, 2,
                    #"{"index":0,"status":"refused","code":"malformed","reason":"an event must be a JSON object, not 1"},"#
                        + #"{"index":2,"status":"refused","code":"malformed","reason":"there is no text"}"#)
            ),
        ]
        try await serving { client, path in
            for step in steps {
                let answer = try await Self.post(client, step.headers, step.body)
                #expect(answer == step.answer, "\(step.headers)")
            }
            let stored = try LedgerFile.openForReading(at: path).read {
                try LedgerFixture.rows($0, "SELECT source, id, quantity FROM usage_event ORDER BY source, id")
            }
            #expect(stored == ["/test bare 1", "/test c1 5", "/test traced 1", "/tést% c1 6"])
        }
    }

    @Test(
        "are answered with 204 and no body for Prefer: return=minimal, where all were accepted or are duplicates",
        arguments: [
            "return=minimal", "Return=minimal", "return=\"minimal\"", "respond-async, return = minimal; foo=\"a,b\"",
            "x=\"return=representation, \", return=minimal, return=representation",
        ])
    func minimalAnswer(preference: String) async throws {
        let headers = ["content-type": "application/x-ndjson", "prefer": preference]
        let late = EventLine.calls(5, id: "late", at: "2027-01-02T10:00:00Z").text
        let stray = EventLine.calls(1, id: "x", app: "none").text
        struct Answer: Equatable {
            let text: String
            let applied: String?
            let length: String?
        }
        try await serving { client, path in
            @Sendable func answer(_ lines: String...) async throws -> Answer {
                var fields = HTTPFields()
                for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
                let applied = try #require(HTTPField.Name("Preference-Applied"))
                return try await client.execute(
                    uri: "/v1/events", method: .post, headers: fields,
                    body: ByteBuffer(string: lines.joined(separator: "\n"))
                ) { response in
                    Answer(
                        text: "\(response.status.code) \(String(buffer: response.body))",
                        applied: response.headers[applied], length: response.headers[.contentLength])
                }
            }
            let accepted = try await answer(Self.call, Self.device)
            #expect(accepted == Answer(text: "204 ", applied: "return=minimal", length: nil))
            let again = try await answer(Self.call, Self.device)
            #expect(again == Answer(text: "204 ", applied: "return=minimal", length: nil))
            // The connection goes on, and what the sender has to know is told.
            let correction = try await answer(Self.call, late)
            #expect(correction.text.hasPrefix(#"200 {"accepted":0,"duplicates":1,"corrections":1,"refused":0,"#))
            #expect(correction.applied == nil)
            let refused = try await answer(Self.device, stray)
            #expect(refused.text.hasPrefix(#"200 {"accepted":1,"duplicates":0,"corrections":0,"refused":1,"#))
            #expect(refused.applied == nil)
            let stored = try LedgerFile.openForReading(at: path).read {
                try LedgerFixture.rows($0, "SELECT source, id, quantity FROM usage_event ORDER BY source, id")
            }
            #expect(stored == ["/test c1 5", "/test late 5"])
        }
    }

    @Test(
        "are answered in full for any other preference",
        arguments: [
            "return=representation", "return", "return=", "return=minimal2", "minimal", "x-return=minimal",
            "return=representation, return=minimal", "foo; return=minimal", "\"return=minimal\"", ",", "",
        ])
    func otherPreferences(preference: String) async throws {
        let headers = ["content-type": "application/x-ndjson", "prefer": preference]
        try await serving { client, _ in
            let answer = try await Self.post(client, headers, Array(Self.call.utf8))
            #expect(answer == Self.counts(1, 0, 0))
        }
    }

    @Test("are refused as a whole with a problem that says what would do")
    func problems() async throws {
        let json = "application/cloudevents+json"
        let batched = "application/cloudevents-batch+json"
        let understood =
            "send application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson in UTF-8, or one "
            + "event's JSON data with ce-* headers"
        let gzipped = try gzip(Self.call)
        let cases: [(headers: [String: String], body: [UInt8], answer: String)] = [
            ([:], [], "415 the request has no Content-Type; \(understood)"),
            (["content-type": "text/plain"], [], "415 Content-Type 'text/plain' is none for events; \(understood)"),
            (
                ["content-type": json + ";charset=utf-16"], [],
                "415 Content-Type 'application/cloudevents+json;charset=utf-16' is none for events; \(understood)"
            ),
            (
                ["content-type": json, "content-encoding": "br"], [],
                "415 Content-Encoding 'br' is not understood; send gzip or none"
            ),
            (
                ["content-type": json, "content-encoding": "gzip"], Array(Self.call.utf8),
                "400 the body is a broken gzip stream: incorrect header check"
            ),
            (
                ["content-type": json, "content-encoding": "gzip"], Array(gzipped.dropLast(3)),
                "400 the body is a broken gzip stream: it ends in the middle"
            ),
            (
                ["content-type": batched], Array("{}".utf8),
                "400 the body is no JSON array of events: an array is expected, at byte 0; one event is sent with "
                    + "Content-Type: application/cloudevents+json, an event a line with application/x-ndjson"
            ),
            (
                ["content-type": batched], Array("[\(Self.call)".utf8),
                "400 the body is no JSON array of events: the array is cut, at byte \(Self.call.utf8.count + 1)"
            ),
            (
                Self.binary, Array(#"{"calls":5},"subject":"other""#.utf8),
                "400 the body is no JSON array of events: in binary mode it is the event's data, one JSON object"
            ),
            (
                Self.binary, [0],
                "400 no event could be read: the body is NUL bytes only, where something may have been lost; send no body "
                    + "for an event without data, or its data, as {\"calls\":1200}"
            ),
            (
                Self.binary.merging(["ce-id": "r%e4w"]) { $1 }, Array("{}".utf8),
                "400 header ce-id: 'r%e4w' is not UTF-8 once it is decoded; write é as %C3%A9"
            ),
            (
                ["content-type": json, "meterd-now": "noon"], Array(Self.call.utf8),
                "400 header meterd-now 'noon': write RFC 3339 with an offset, as 2027-01-10T12:00:00+08:00"
            ),
        ]
        try await serving { client, path in
            for one in cases {
                let answer = try await Self.post(client, one.headers, one.body)
                #expect(answer == one.answer)
            }
            let stored = try LedgerFile.openForReading(at: path).read {
                try LedgerFixture.rows($0, "SELECT * FROM usage_daily")
            }
            #expect(stored == [])
        }
    }

    @Test("have bounds: on a body as sent, once unpacked, and on all that are in memory")
    func bounds() async throws {
        var small = EventDoor.Bounds()
        small.bodyBytes = 1_000
        small.expandedBytes = 2_000
        let lines = ["content-type": "application/x-ndjson"]
        let packed = lines.merging(["content-encoding": "gzip"]) { $1 }
        let blank = { String(repeating: "\n", count: $0) }
        let (fitting, bomb) = (try gzip(blank(2_000)), try gzip(blank(2_001)))
        let cases: [(headers: [String: String], body: [UInt8], answer: String)] = [
            (lines, Array(blank(1_000).utf8), Self.counts(0, 0, 0)),
            (
                lines, Array(blank(1_001).utf8),
                "413 the body has more than 1000 bytes; send fewer events at once"
            ),
            (packed, fitting, Self.counts(0, 0, 0)),
            (packed, bomb, "413 the body expands to more than 2000 bytes; send fewer events at once"),
        ]
        try await serving(bounds: small) { client, _ in
            for one in cases {
                let answer = try await Self.post(client, one.headers, one.body)
                #expect(answer == one.answer)
            }
        }
    }

    @Test("are told their time by the header Meterd-Now, where the ledger has a test clock; it never goes back")
    func time() async throws {
        let headers = ["content-type": "application/cloudevents+json", "meterd-now": "2027-01-12T12:00:00Z"]
        try await serving { client, path in
            let late = EventLine.calls(5, id: "late", at: "2027-01-12T11:00:00Z").text
            let first = try await Self.post(client, headers, Array(late.utf8))
            #expect(first == Self.counts(1, 0, 0))
            // The daemon's own clock stands behind that; it goes by the later one.
            let own = ["content-type": headers["content-type"]!]
            let behind = try await Self.post(client, own, Array(Self.call.utf8))
            #expect(behind == Self.counts(1, 0, 0))
            let after = EventLine.calls(5, id: "after", at: "2027-01-12T12:09:00Z").text
            #expect(try await Self.post(client, own, Array(after.utf8)) == Self.counts(1, 0, 0))
            let back = headers.merging(["meterd-now": "2027-01-11T12:00:00Z"]) { $1 }
            let refused = try await Self.post(client, back, Array(Self.call.utf8))
            #expect(refused.hasPrefix("400 header meterd-now 2027-01-11T12:00:00Z is before 2027-01-12T12:00:00Z"))
            let far = headers.merging(["meterd-now": "2072-01-11T12:00:00Z"]) { $1 }
            #expect(
                try await Self.post(client, far, Array(Self.call.utf8))
                    == """
                    400 header meterd-now 2072-01-11T12:00:00Z is more than 400 days after 2027-01-12T12:00:00Z, the latest \
                    instant that the ledger has recorded, and a test clock never goes back; if you mean it, run 'meterd \
                    clock confirm --now 2072-01-11T12:00:00Z', or give --confirm-clock with a command that changes something
                    """)
            // A later time with nothing but refused events was a mistake: the time before it still is one.
            let mistaken = headers.merging(["meterd-now": "2027-06-12T12:00:00Z"]) { $1 }
            let unknown = EventLine.calls(5, id: "u", at: "2027-06-12T11:00:00Z", app: "nobody").text
            #expect(try await Self.post(client, mistaken, Array(unknown.utf8)).contains("\"refused\":1"))
            let again = EventLine.calls(5, id: "again", at: "2027-01-12T11:00:00Z").text
            #expect(try await Self.post(client, headers, Array(again.utf8)) == Self.counts(1, 0, 0))
        }
    }

    @Test("are asked for their time while the test clock has none, also when the daemon has none of its own")
    func noTime() async throws {
        try await serving(knowsTime: false) { client, _ in
            let form = ["content-type": "application/cloudevents+json"]
            let asked = try await Self.post(client, form, Array(Self.call.utf8))
            #expect(
                asked
                    == """
                    400 nobody has told the ledger's test clock the time yet; give it with header meterd-now, for example \
                    2027-01-10T12:00:00+08:00
                    """)
            let told = form.merging(["meterd-now": "2027-01-10T12:00:00Z"]) { $1 }
            #expect(try await Self.post(client, told, Array(Self.call.utf8)) == Self.counts(1, 0, 0))
            #expect(try await Self.post(client, form, Array(Self.device.utf8)) == Self.counts(1, 0, 0))
        }
    }

    @Test("that are refused and not kept are counted, in the answer and in the metrics")
    func notKept() async throws {
        let stray = EventLine.calls(5, id: "stray", app: "none")
            .with("data.note", "\"\(String(repeating: "x", count: 70_000))\"").text
        try await serving { client, _ in
            let answer = try await Self.post(
                client, ["content-type": "application/x-ndjson"], Array("\(Self.call)\n\(stray)\n{\n".utf8))
            #expect(
                answer.hasPrefix(
                    #"200 {"accepted":1,"duplicates":0,"corrections":0,"refused":2,"not_kept":1,"results":["#))
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(String(buffer: response.body).contains("\nmeterd_quarantine_not_kept_total 1\n"))
            }
        }
    }

    @Test("show in the metrics, and the daemon says that it is alive and ready")
    func state() async throws {
        try await serving { client, path in
            let body = "[\(Self.call),\(Self.call),\(EventLine.calls(1, id: "x", app: "none").text)]"
            _ = try await Self.post(client, ["content-type": "application/cloudevents-batch+json"], Array(body.utf8))
            for uri in ["/healthz", "/readyz"] {
                // On a busy machine a commit may take longer than the daemon calls ready.
                var status = HTTPResponse.Status.serviceUnavailable
                for _ in 0..<Patience.wholeSeconds where status == .serviceUnavailable {
                    status = try await client.execute(uri: uri, method: .get) { $0.status }
                }
                #expect(status == .ok)
            }
            try await client.execute(uri: "/metrics", method: .get) { response in
                let lines = Set(String(buffer: response.body).split(separator: "\n").map(String.init))
                for line in [
                    #"meterd_events_total{outcome="accepted"} 1"#, #"meterd_events_total{outcome="duplicate"} 1"#,
                    #"meterd_events_total{outcome="refused"} 1"#, #"meterd_refusals_total{code="unknown_app"} 1"#,
                    "meterd_queue_requests 0", "meterd_transaction_events_count 1", "meterd_transaction_events_sum 3",
                    "meterd_durable_seconds_count 1", "meterd_quarantined_events 1", "meterd_rating_runs_total 0",
                    #"meterd_unsettled_days{final="no"} 1"#, #"meterd_unsettled_days{final="yes"} 0"#,
                    "meterd_unrated_changes 1",
                ] {
                    #expect(lines.contains(line), "\(line)")
                }
            }
        }
    }

    /// What the program gzip makes of a text.
    private func gzip(_ text: String) throws -> [UInt8] {
        let folder = try ScratchFolder()
        try text.write(toFile: folder.path("text"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = [folder.path("text")]
        try process.run()
        process.waitUntilExit()
        return [UInt8](try Data(contentsOf: URL(filePath: folder.path("text.gz"))))
    }
}

/// An answer as the tests look at it.
private struct DoorAnswer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: ByteBuffer
}

extension TestClient {
    @discardableResult
    fileprivate func execute<Value: Sendable>(
        uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil,
        _ look: (DoorAnswer) async throws -> Value
    ) async throws -> Value {
        let request = Request(uri, method: method, authority: "localhost", headers: headers, body: body)
        let response = try await execute(request)
        return try await look(
            DoorAnswer(status: response.status, headers: response.headers, body: response.body ?? ByteBuffer()))
    }
}
