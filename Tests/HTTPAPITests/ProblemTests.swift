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
    private static let limit = "400 limit is a whole number from 1 to 1000"
    private static let cursor = "400 the cursor is none of this collection; take it from next of an earlier answer"
    private static let nothing = "404 there is nothing here; GET /v1/openapi.json tells what there is"

    private static let problems: [(request: String, problem: String)] = [
        ("GET /", nothing),
        ("GET /v2/ledger", nothing),
        ("GET /v1/ledger/1", nothing),
        ("DELETE /v1/nothing", nothing),
        ("POST /v1/ledger", "405 there is no POST here, only GET, HEAD"),
        ("DELETE /v1/usage/days/", "405 there is no DELETE here, only GET, HEAD"),
        ("PUT /v1/openapi.json", "405 there is no PUT here, only GET, HEAD"),
        ("GET /v1/events", "405 there is no GET here, only POST"),
        ("GET /v1/ledger?limit=0", limit),
        ("GET /v1/ledger?limit=1001", limit),
        ("GET /v1/ledger?limit=ten", limit),
        ("GET /v1/ledger?limit=", limit),
        ("GET /v1/ledger?limit=5&limit=5", "400 limit stands there twice"),
        ("GET /v1/ledger?cursor=", cursor),
        ("GET /v1/ledger?cursor=x", cursor),
        // Its key has U+0000.
        ("GET /v1/tenants?cursor=WyIvdjEvdGVuYW50cyIsImFjbWVcdTAwMDAiXQ", cursor),
        ("GET /v1/ledger?cursor=%2B%2F%C3%A9", cursor),
        // Base64url of: [] · ["/v1/ledger"] · ["/v1/ledger","1"] · ["/v1/bills",1]
        ("GET /v1/ledger?cursor=W10", cursor),
        ("GET /v1/ledger?cursor=WyIvdjEvbGVkZ2VyIl0", cursor),
        ("GET /v1/ledger?cursor=WyIvdjEvbGVkZ2VyIiwiMSJd", cursor),
        ("GET /v1/ledger?cursor=WyIvdjEvYmlsbHMiLDFd", cursor),
        ("GET /v1/ledger?from=2027-02-29", "400 from is no day; write YYYY-MM-DD, as 2027-01-31"),
        ("GET /v1/bills?to=tomorrow", "400 to is no day; write YYYY-MM-DD, as 2027-01-31"),
        ("GET /v1/statements?month=2027-13", "400 month is no month; write YYYY-MM, as 2027-01"),
        ("GET /v1/ledger?tenant=", "400 tenant has no value; give it one or leave it out"),
        ("GET /v1/ledger?tenant", "400 tenant has no value; give it one or leave it out"),
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
            "400 status is one of pending, active, ended, used_up, voided; did you mean active?"
        ),
        (
            "GET /v1/apps?tennant=acme",
            "400 there is no such parameter; did you mean tenant? there are tenant, limit, cursor, numbers"
        ),
        ("GET /v1/tenants?q=1", "400 there is no such parameter; there are limit, cursor, numbers"),
        ("GET /broken", "500 internal error"),
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
