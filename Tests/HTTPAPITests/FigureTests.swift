// How old the figures of an answer are, and how its numbers are written.

import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Rating
import Testing

@testable import HTTPAPI

@Suite("Figures of an answer")
struct FigureTests {
    private static let rated = ["/v1/grants", "/v1/ledger", "/v1/bills", "/v1/statements"]

    @Test("say when they were rated, and whether usage has come since")
    func age() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            for path in Self.rated {
                let page = try await api.get(path).json()
                #expect(page["as_of"] == .string("2027-01-13T12:00:00Z"), "\(path)")
                #expect(page["stale"] == .boolean(false), "\(path)")
            }
            _ = try api.fixture.ingest(EventLine.calls(8, id: "8", at: "2027-01-13T10:00:00Z").text)
            for path in Self.rated { #expect(try await api.get(path).json()["stale"] == .boolean(true), "\(path)") }
            _ = try api.fixture.ledger.rate(Day(2027, 1, 13), clock: api.fixture.clock)
            for path in Self.rated { #expect(try await api.get(path).json()["stale"] == .boolean(false), "\(path)") }
        }
    }

    @Test("are as old as nothing before the first rating")
    func neverRated() async throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(8, id: "8").text)
        try await APIScene.run(over: fixture) { api in
            let page = try await api.get("/v1/bills").json()
            #expect(page["as_of"] == .null)
            #expect(page["stale"] == .boolean(true))
        }
    }

    @Test("say nothing of a rating where they need none")
    func exact() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            for resource in ReadResource.all {
                let page = try await api.get(resource.path).json()
                let isRated = Self.rated.contains(resource.path)
                #expect((page["as_of"] != nil) == isRated, "\(resource.path)")
                #expect((page["stale"] != nil) == isRated, "\(resource.path)")
            }
        }
    }

    /// What is paid is whole cents; as floating point this is another amount.
    private static let price: Int64 = 144_115_188_075_870_000

    @Test("are exact beyond what floating point can hold, as numbers and, on request, as text")
    func large() async throws {
        #expect(Int64(Double(Self.price)) != Self.price)
        let fixture = try APIScene.ledger()
        _ = try fixture.ledger.recordGrant(
            GrantOrder(
                code: LedgerFixture.code("LARGE"), tenant: LedgerFixture.code("acme"),
                terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(1)),
                purchasedAt: fixture.now, price: Money(micros: Self.price)), clock: fixture.clock)
        try await APIScene.run(over: fixture) { api in
            func purchase(_ parameter: String) async throws -> (type: String, entry: JSON?) {
                let answer = try await api.get("/v1/ledger?source=purchase\(parameter)")
                return (answer.type, try answer.items().last)
            }
            for parameter in ["", "&numbers=json"] {
                let (type, entry) = try await purchase(parameter)
                #expect(type == "application/json")
                #expect(entry?["amount_micros"] == .integer(Self.price))
            }
            let (type, entry) = try await purchase("&numbers=text")
            #expect(type == "application/vnd.meterd.text-numbers+json")
            #expect(entry?["amount_micros"] == .string("144115188075870000"))
            #expect(entry?["quantity"] == .string("0"))
            #expect(entry?["tier"] == .null)
        }
    }

    @Test("as text come in pages like others")
    func pages() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let whole = try await api.get("/v1/ledger?numbers=text").items()
            var rows: [JSON] = []
            var cursor = ""
            while rows.count < whole.count {
                let page = try await api.get("/v1/ledger?numbers=text&limit=2\(cursor)")
                rows += try page.items()
                guard case .string(let next)? = try page.json()["next"] else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(rows == whole)
        }
    }

    @Test("stand beside texts of senders in which nothing turns the reading order round or ends a line")
    func sendersTexts() async throws {
        let fixture = try APIScene.ledger()
        _ = try fixture.ingest(EventLine.calls(7, id: "a\u{202E}b\u{2028}c\u{FEFF}", app: "ghost").text)
        try await APIScene.run(over: fixture) { api in
            let answer = try await api.get("/v1/quarantine")
            #expect(answer.text.contains(#""id":"a\u202eb\u2028c\ufeff""#))
            #expect(ShownText.firstUnfit(in: answer.text) == nil)
            // Whoever reads the JSON has the text as it came.
            #expect(try answer.items().last?["id"] == .string("a\u{202E}b\u{2028}c\u{FEFF}"))
        }
    }

    @Test("have no third form")
    func unknownForm() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let problem = try await api.get("/v1/bills?numbers=hex").problem()
            #expect(problem == "400 numbers 'hex' is unknown; write json or text")
        }
    }
}
