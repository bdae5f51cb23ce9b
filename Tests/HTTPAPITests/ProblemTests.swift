// Errors: all of them problems, each with the way out.

import Dispatch
import GRDB
import HTTPAPI
import HTTPTypes
import LedgerFixture
import Operations
import Storage
import Testing

@Suite("Errors are problems (RFC 9457)")
struct ProblemTests {
    private static func limit(_ value: String) -> String {
        "400 limit='\(value)': write a whole number from 1 to 1000, like limit=100"
    }

    private static func cursor(_ value: String, of path: String = "/v1/ledger") -> String {
        "400 cursor='\(value)' is not a cursor of \(path); take it from the member next of an earlier answer, or leave it "
            + "out to begin with the first page"
    }

    private static func nothing(at path: String, _ hint: String = "") -> String {
        "404 there is nothing at '\(path)'; \(hint)GET /v1/openapi.json describes all paths"
    }

    private static let dayRule = "write a day as YYYY-MM-DD, like 2027-01-10, or today or yesterday"

    private static let problems: [(request: String, problem: String)] = [
        ("GET /", nothing(at: "/")),
        ("GET /v2/ledger", nothing(at: "/v2/ledger", "did you mean /v1/ledger? ")),
        ("GET /v1", nothing(at: "/v1")),
        ("GET /v1/bill", nothing(at: "/v1/bill", "did you mean /v1/bills? ")),
        ("GET /V1/Bills", nothing(at: "/V1/Bills", "did you mean /v1/bills? ")),
        ("GET /v1/ledger/1", nothing(at: "/v1/ledger/1", "did you mean /v1/ledger? ")),
        ("GET /metering/everything", nothing(at: "/metering/everything")),
        ("DELETE /nothing", nothing(at: "/nothing")),
        ("POST /v1/ledger", "405 POST is not allowed on '/v1/ledger', only GET, HEAD"),
        ("DELETE /v1/usage/days/", "405 DELETE is not allowed on '/v1/usage/days', only GET, HEAD"),
        ("PUT /v1/openapi.json", "405 PUT is not allowed on '/v1/openapi.json', only GET, HEAD"),
        ("GET /v1/events", "405 GET is not allowed on '/v1/events', only POST"),
        ("GET /v1/ledger?limit=0", limit("0")),
        ("GET /v1/ledger?limit=1001", limit("1001")),
        ("GET /v1/ledger?limit=ten", limit("ten")),
        ("GET /v1/ledger?limit=", limit("")),
        ("GET /v1/ledger?limit=5&limit=5", "400 parameter 'limit' is given twice; give it once"),
        ("GET /v1/ledger?cursor=", cursor("")),
        ("GET /v1/ledger?cursor=x", cursor("x")),
        // Its key has U+0000.
        (
            "GET /v1/tenants?cursor=WyIvdjEvdGVuYW50cyIsImFjbWVcdTAwMDAiXQ",
            cursor("WyIvdjEvdGVuYW50cyIsImFjbWVcdTAwMDAiXQ", of: "/v1/tenants")
        ),
        ("GET /v1/ledger?cursor=%2B%2F%C3%A9", cursor("+/é")),
        // Base64url of: [] · ["/v1/ledger"] · ["/v1/ledger","1"] · ["/v1/bills",1]
        ("GET /v1/ledger?cursor=W10", cursor("W10")),
        ("GET /v1/ledger?cursor=WyIvdjEvbGVkZ2VyIl0", cursor("WyIvdjEvbGVkZ2VyIl0")),
        ("GET /v1/ledger?cursor=WyIvdjEvbGVkZ2VyIiwiMSJd", cursor("WyIvdjEvbGVkZ2VyIiwiMSJd")),
        ("GET /v1/ledger?cursor=WyIvdjEvYmlsbHMiLDFd", cursor("WyIvdjEvYmlsbHMiLDFd")),
        ("GET /v1/ledger?from=2027-02-29", "400 from='2027-02-29': there is no such day in the calendar"),
        ("GET /v1/bills?to=tomorrow", "400 to='tomorrow': \(dayRule)"),
        ("GET /v1/bills?from=Yesterday", "400 from='Yesterday': did you mean yesterday?"),
        ("GET /v1/bills?from=2027/1/9", "400 from='2027/1/9': write a day as YYYY-MM-DD: 2027-01-09"),
        ("GET /v1/statements?month=2027-13", "400 month='2027-13': there is no such month in the calendar"),
        ("GET /v1/statements?month=2027-01-10", "400 month='2027-01-10': write the month alone, as YYYY-MM: 2027-01"),
        ("GET /v1/statements?month=January", "400 month='January': write a month as YYYY-MM, like 2027-01"),
        ("GET /v1/ledger?tenant=", "400 parameter tenant has no value; write tenant=acme, or leave it out"),
        ("GET /v1/ledger?tenant", "400 parameter tenant has no value; write tenant=acme, or leave it out"),
        ("GET /v1/ledger?from=", "400 parameter from has no value; write from=2027-01-31, or leave it out"),
        (
            "GET /v1/ledger?tenant=%FF",
            "400 parameter tenant: '%FF' is not UTF-8 once it is decoded; write what is not ASCII like %C3%A9 for é"
        ),
        (
            "GET /v1/ledger?tenant=acme%00x",
            "400 parameter tenant: 'acme%00x' has the character U+0000 (%00); leave it out"
        ),
        (
            "GET /v1/ledger?ten%00ant=acme",
            "400 parameter ten%00ant: 'ten%00ant' has the character U+0000 (%00); leave it out"
        ),
        ("GET /v1/ledger?app=100%", "400 parameter app: '100%' has a % that begins no escape; write it as %25"),
        (
            "GET /v1/grants?status=activ",
            "400 status='activ': did you mean active? It is one of pending, active, ended, used_up, voided"
        ),
        (
            "GET /v1/grants?status=ACTIVE",
            "400 status='ACTIVE': did you mean active? It is one of pending, active, ended, used_up, voided"
        ),
        (
            "GET /v1/grants?status=gone",
            "400 status='gone': it is one of pending, active, ended, used_up, voided"
        ),
        (
            "GET /v1/apps?tennant=acme",
            "400 /v1/apps has no parameter 'tennant'; did you mean tenant? It takes tenant, limit, cursor, numbers"
        ),
        (
            "GET /v1/apps?Tenant=acme",
            "400 /v1/apps has no parameter 'Tenant'; did you mean tenant? It takes tenant, limit, cursor, numbers"
        ),
        ("GET /v1/tenants?q=1", "400 /v1/tenants has no parameter 'q'; it takes limit, cursor, numbers"),
        (
            "GET /v1/tenants?\(String(repeating: "x", count: 100))=1",
            "400 /v1/tenants has no parameter '\(String(repeating: "x", count: 64))…'; it takes limit, cursor, numbers"
        ),
        (
            "GET /v1/tenants?numbers=words",
            "400 numbers='words': write json or text"
        ),
        ("GET /broken", "500 internal error; the daemon's log has the cause, with this method and path"),
    ]

    @Test("for whatever is asked wrongly, and say what would be right")
    func problems() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            for (request, problem) in Self.problems {
                let words = request.split(separator: " ")
                let method = try #require(HTTPRequest.Method(String(words[0])))
                let answer = try await api.get(String(words[1]), method: method)
                #expect(try answer.problem() == problem, "\(request)")
                #expect((answer.headers[.allow] != nil) == (answer.status == 405), "\(request)")
            }
            let allow = try await api.get("/v1/ledger", method: .post).headers[.allow]
            #expect(allow == "GET, HEAD")
        }
    }

    @Test("A problem that is the answer to HEAD has no body")
    func head() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let answer = try await api.get("/v1/ledger?limit=0", method: .head)
            #expect(answer.status == 400)
            #expect(answer.text == "")
        }
    }

    @Test("A read that takes too long is stopped, answered with 503, and holds nothing back afterwards")
    func timeout() async throws {
        try await APIScene.run(over: try APIScene.ledger(), shortTimeoutMs: 500) { api in
            // More at once than there are connections: those that wait are answered too.
            try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 1...5 { group.addTask { try await api.get("/slow") } }
                for try await answer in group {
                    let problem = try answer.problem()
                    #expect(
                        problem == "503 the read took longer than 0.5 s and was stopped; "
                            + "ask for less (a tenant, fewer days), or again later")
                    #expect(answer.headers[.retryAfter] == "5")
                }
            }
            // No transaction is left that would keep the WAL from being emptied.
            try api.fixture.addTenant("initech", apps: [])
            let busy = try api.fixture.ledger.file.connection {
                try Int.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            #expect(busy == 0)
            // Where other tests keep the threads busy, a quick read may be late as well.
            var quick = try await api.get("/quick")
            while quick.status == 503 { quick = try await api.get("/quick") }
            #expect(quick.text == "acme")
        }
    }

    @Test("A slow read delays no other one")
    func beside() async throws {
        let fixture = try APIScene.ledger()
        let reader = try LedgerReader(path: fixture.path, timeoutMs: APIScene.longTimeoutMs)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let end = DispatchSemaphore(value: 0)
        async let slow = reader.read { _ in
            start.yield()
            end.wait()
            return "done"
        }
        for await _ in started { break }
        for _ in 1...20 {
            let tenants = try await reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM tenant") }
            #expect(tenants == 2)
        }
        end.signal()
        let answer = try await slow
        #expect(answer == "done")
    }

    @Test("A read that nobody waits for any longer is stopped")
    func cancelled() async throws {
        let fixture = try APIScene.ledger()
        let reader = try LedgerReader(path: fixture.path, timeoutMs: APIScene.longTimeoutMs)
        let task = Task { try await reader.read { try Int.fetchOne($0, sql: APIScene.endless) } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
