// The reading half of the API: a route for each collection, and the document that describes them all.

package import Hummingbird
import NIOCore

/// The routes that read: every ``ReadResource``, and `/v1/openapi.json`.
package struct ReadRoutes: Sendable {
    private let reader: LedgerReader

    package init(reader: LedgerReader) { self.reader = reader }

    /// Adds the routes, GET and HEAD each, to a router or a group of one.
    package func add<Context>(to router: some RouterMethods<Context>) {
        for resource in ReadResource.all {
            get(resource.path, router) { [reader] request in
                let query = try ReadQuery(request.uri.query, of: resource)
                let page = try await reader.read { try ReadPage.json(query, of: resource, $0) }
                return (page, query.numbers.mediaType)
            }
        }
        let document = OpenAPIDocument.json.bytes
        get(OpenAPIDocument.path, router) { _ in (document, NumberForm.json.mediaType) }
    }

    private func get<Context>(
        _ path: String, _ router: some RouterMethods<Context>,
        json: @escaping @Sendable (Request) async throws -> (bytes: [UInt8], mediaType: String)
    ) {
        let answer: @Sendable (Request, Context) async throws -> Response = { request, _ in
            let (bytes, mediaType) = try await json(request)
            return Response(
                status: .ok, headers: [.contentType: mediaType],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        router.get(RouterPath(path), use: answer)
        router.head(RouterPath(path)) { try await answer($0, $1).createHeadResponse() }
    }
}
