// The reading half of the API: a route for each collection, and the document that describes them all.

import GRDB
package import Hummingbird
package import LedgerStore
import NIOCore
import Quantities

/// The routes that read: every ``ReadResource``, and `/v1/openapi.json`.
package struct ReadRoutes: Sendable {
    private let reader: LedgerReader
    private let budget: MemoryBudget
    private let clock: LedgerClock

    /// - Parameters:
    ///   - budget: where the connections count the answers that are not yet read.
    ///   - clock: by which `today` and `yesterday` are days.
    package init(reader: LedgerReader, budget: MemoryBudget, clock: LedgerClock = LedgerClock(given: nil)) {
        self.reader = reader
        self.budget = budget
        self.clock = clock
    }

    /// Adds the routes, GET and HEAD each, to a router or a group of one.
    package func add<Context>(to router: some RouterMethods<Context>) {
        for resource in ReadResource.all {
            get(resource.path, router) { [reader, budget, clock] request in
                let asked = try ReadQuery(request.uri.query, of: resource)
                // Looked at before too: a page that nobody can be given is not worth reading.
                try Self.expectRoom(for: 0, budget)
                let page = try await reader.read { database in
                    var query = asked
                    try query.nameDays { try Self.today(clock, database) }
                    return try ReadPage.json(query, of: resource, database)
                }
                try Self.expectRoom(for: page.count, budget)
                return (ByteBuffer(bytes: page), asked.numbers.mediaType)
            }
        }
        // All connections share its bytes.
        let document = ByteBuffer(bytes: OpenAPIDocument.json.bytes)
        get(OpenAPIDocument.path, router) { _ in (document, NumberForm.json.mediaType) }
    }

    private static func expectRoom(for bytes: Int, _ budget: MemoryBudget) throws(ProblemError) {
        guard budget.hasRoom(forPage: bytes) else {
            throw .unavailable(
                "too many pages wait to be read by their clients; ask again in a moment", retryAfterSeconds: 1)
        }
    }

    /// The ledger's local date.
    private static func today(_ clock: LedgerClock, _ database: Database) throws -> Day {
        let properties = try LedgerProperties.read(database)
        let state = try LedgerState.read(database)
        // A daemon's test clock stands at the later of its own instant and the ledger's latest.
        let given = clock.given.flatMap { given in state.latestInstant.map { max(given, $0) } ?? given }
        do throws(LedgerError) {
            let now = try LedgerClock(given: given).now(properties, state)
            return LedgerDays.date(of: now, in: properties.timeZone)
        } catch {
            throw ProblemError.badRequest(
                "the ledger's clock does not say which day today is (\(error)); write a date, like 2027-01-31")
        }
    }

    private func get<Context>(
        _ path: String, _ router: some RouterMethods<Context>,
        json: @escaping @Sendable (Request) async throws -> (bytes: ByteBuffer, mediaType: String)
    ) {
        let answer: @Sendable (Request, Context) async throws -> Response = { request, _ in
            let (bytes, mediaType) = try await json(request)
            return Response(
                status: .ok, headers: [.contentType: mediaType], body: ResponseBody(byteBuffer: bytes))
        }
        router.get(RouterPath(path), use: answer)
        router.head(RouterPath(path)) { try await answer($0, $1).createHeadResponse() }
    }
}
