// The API over a ledger with a bit of everything in it, and answers in a form that tests can read.

import Foundation
import GRDB
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LedgerFixture
import LedgerStore
import NIOCore
import Operations
import Quantities
import Rating
import Storage
import TestSupport
import Testing

/// A client of the API. Not thread-safe: the fixture is its ledger's writer.
struct APIScene: @unchecked Sendable {
    let client: any TestClientProtocol
    let fixture: LedgerFixture

    /// A query that takes years.
    static let endless = """
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1e12)
        SELECT sum(n) FROM number
        """

    /// Never reached, also where other tests keep all threads busy for a while.
    static let longTimeoutMs = Patience.milliseconds

    /// Runs a test with the API over a ledger. `/slow` reads for ever, `/quick` one row, both at most for
    /// `shortTimeoutMs`, all else without a bound; `/broken` fails.
    static func run(
        over fixture: LedgerFixture, shortTimeoutMs: Int = longTimeoutMs, clock: LedgerClock = LedgerClock(given: nil),
        _ test: @escaping @Sendable (APIScene) async throws -> Void
    ) async throws {
        let reader = try LedgerReader(path: fixture.path, timeoutMs: longTimeoutMs)
        let hasty = try LedgerReader(path: fixture.path, timeoutMs: shortTimeoutMs)
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        ReadRoutes(reader: reader, budget: MemoryBudget(limit: 128 << 20), clock: clock).add(to: router)
        router.get("/slow") { _, _ in
            let sum = try await hasty.read { try Int.fetchOne($0, sql: endless) }
            return "\(sum ?? 0)"
        }
        router.get("/quick") { _, _ in
            try await hasty.read { try String.fetchOne($0, sql: "SELECT code FROM tenant") ?? "" }
        }
        router.get("/broken") { _, _ -> String in
            try await reader.read { try String.fetchOne($0, sql: "SELECT secret FROM nowhere") ?? "" }
        }
        nonisolated(unsafe) let ledger = fixture
        try await Application(router: router).test(.router) { client in
            try await test(APIScene(client: client, fixture: ledger))
        }
    }

    func get(_ uri: String, method: HTTPRequest.Method = .get) async throws -> Answer {
        try await client.execute(uri: uri, method: method) { response in
            Answer(
                status: response.status.code, reason: response.status.reasonPhrase,
                type: response.headers[.contentType] ?? "", headers: response.headers,
                bytes: Data(response.body.readableBytesView))
        }
    }

    /// Days 10 to 13 of January: two tenants, a package and a subscription, late usage, refused events, two ratings.
    static func ledger() throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop", "kiosk"])
        try fixture.addTenant("globex", apps: ["mobile"], isLegacy: true)
        try buy(
            "CALLS", .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(1000)), 60_000_000,
            fixture)
        try buy(
            "ARMOR",
            .subscription(
                licence: LedgerFixture.code("security_armor"), app: LedgerFixture.code("shop"), term: .month), nil,
            fixture)
        _ = try fixture.ingest(
            EventLine.device("ada", id: "1").text, EventLine.device("bob", id: "2").text,
            EventLine.calls(1500, id: "3").text, EventLine.device("cy", id: "4", app: "kiosk").text,
            EventLine.calls(20_000, id: "5", app: "mobile").text,
            EventLine.calls(7, id: "Zürich \"7\"", app: "ghost").text, "{}")
        _ = try fixture.ledger.rate(Day(2027, 1, 10), clock: fixture.clock)
        try fixture.set(now: "2027-01-13T12:00:00Z")
        _ = try fixture.ingest(
            EventLine.device("dan", id: "6", at: "2027-01-09T10:00:00Z").text,
            EventLine.calls(3, id: "7", at: "2027-01-12T10:00:00Z", app: "mobile").text)
        _ = try fixture.ledger.rate(Day(2027, 1, 13), clock: fixture.clock)
        return fixture
    }

    private static func buy(
        _ code: String, _ terms: GrantOrder.Terms, _ priceMicros: Int64?, _ fixture: LedgerFixture
    ) throws {
        _ = try fixture.ledger.recordGrant(
            GrantOrder(
                code: LedgerFixture.code(code), tenant: LedgerFixture.code("acme"), terms: terms,
                purchasedAt: fixture.now, price: priceMicros.map(Money.init(micros:))), clock: fixture.clock)
    }

    /// Buys a package: a row in each month of its life, for each of its items.
    static func buyPackage(_ fixture: LedgerFixture) throws {
        try buy("PACKAGE", .miniProgramPackage(devices: 10_000), nil, fixture)
    }
}

extension Day {
    init(_ year: Int, _ month: Int, _ day: Int) {
        guard let date = Day(year: year, month: month, day: day) else { preconditionFailure("no such day") }
        self = date
    }
}

struct Answer {
    let status: Int
    let reason: String
    let type: String
    let headers: HTTPFields
    let bytes: Data

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func json() throws -> JSON { try JSONDecoder().decode(JSON.self, from: bytes) }

    func items() throws -> [JSON] {
        guard case .array(let items)? = try json()["items"] else { throw NoPage(text: text) }
        return items
    }

    struct NoPage: Error {
        let text: String
    }

    /// The items under the columns of a table's header, the columns apart by two spaces; null is a hyphen.
    func table(like expected: String) throws -> String {
        let columns = expected.prefix { $0 != "\n" }.split(separator: " ").map(String.init)
        let rows = try items().map { item in columns.map { item[$0]?.description ?? "MISSING" } }
        let widths = columns.indices.map { index in ([columns] + rows).map { $0[index].count }.max() ?? 0 }
        return ([columns] + rows).map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .replacing(#/ +$/#, with: "")
        }
        .joined(separator: "\n")
    }

    /// `404 there is nothing here`, once everything about a problem is as it should be.
    func problem() throws -> String {
        let problem = try json()
        #expect(type == "application/problem+json")
        #expect(problem["type"] == .string("about:blank"))
        #expect(problem["status"] == .integer(Int64(status)))
        #expect(problem["title"] == .string(reason))
        return "\(status) \(problem["detail"]?.description ?? "")"
    }
}

/// JSON as it came.
enum JSON: Decodable, Equatable, CustomStringConvertible {
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? value.decode(Int64.self) {
            self = .integer(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let values = try? value.decode([JSON].self) {
            self = .array(values)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    subscript(name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
    var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }

    var description: String {
        switch self {
        case .null: "-"
        case .boolean(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .string(let text): text
        case .array(let values): "\(values)"
        case .object(let members): "\(members)"
        }
    }
}
