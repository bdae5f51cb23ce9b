// The reading half of the API: a route for each collection, and the document that describes them all.

package import Hummingbird
import NIOCore

/// The routes that read: every ``ReadResource``, and `/v1/openapi.json`.
package struct ReadRoutes: Sendable {
    private let reader: LedgerReader
    private let budget: MemoryBudget

    /// - Parameter budget: where the connections count the answers that are not yet read.
    package init(reader: LedgerReader, budget: MemoryBudget) {
        self.reader = reader
        self.budget = budget
    }

    /// Adds the routes, GET and HEAD each, to a router or a group of one.
    package func add<Context>(to router: some RouterMethods<Context>) {
        for resource in ReadResource.all {
            get(resource.path, router) { [reader, budget] request in
                let query = try ReadQuery(request.uri.query, of: resource)
                // Looked at before too: a page that nobody can be given is not worth reading.
                try Self.expectRoom(for: 0, budget)
                let page = try await reader.read { try ReadPage.json(query, of: resource, $0) }
                try Self.expectRoom(for: page.count, budget)
                return (ByteBuffer(bytes: page), query.numbers.mediaType)
            }
        }
        // All connections share its bytes.
        let document = ByteBuffer(bytes: OpenAPIDocument.json.bytes)
        get(OpenAPIDocument.path, router) { _ in (document, NumberForm.json.mediaType) }
    }

    private static func expectRoom(for bytes: Int, _ budget: MemoryBudget) throws(ProblemError) {
        guard budget.hasRoom(forAnswer: bytes) else {
            throw .unavailable(
                "too many answers wait to be read by their clients; ask again in a moment", retryAfterSeconds: 1)
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
