// Every error as RFC 9457 has it: application/problem+json, whatever went wrong and wherever.

package import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Quantities

/// A request that is answered with a problem.
package struct ProblemError: HTTPResponseError {
    package let status: HTTPResponse.Status
    /// What is wrong with this request and what to do, for the person who reads the client's log.
    package let detail: String
    package let headers: HTTPFields

    package init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    /// The same request will be wrong again.
    package static func badRequest(_ detail: String) -> ProblemError { ProblemError(.badRequest, detail) }

    /// The same request may succeed after a while.
    package static func unavailable(_ detail: String, retryAfterSeconds: Int) -> ProblemError {
        ProblemError(.serviceUnavailable, detail, headers: [.retryAfter: String(retryAfterSeconds)])
    }

    static func notAllowed(
        _ method: HTTPRequest.Method, on path: String, allowed: [HTTPRequest.Method]
    ) -> ProblemError {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        return ProblemError(
            .methodNotAllowed, "\(method.rawValue) is not allowed on \(ReadQuery.shown(path)), only \(names)",
            headers: [.allow: names])
    }

    package func response(from request: Request, context: some RequestContext) -> Response {
        let body = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: text))
        return Response(status: status, headers: fields, body: body)
    }

    var fields: HTTPFields {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        return fields
    }

    var text: [UInt8] {
        // "about:blank" says that the title is the status's own (RFC 9457, section 4.2.1).
        let problem: JSONValue = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
            "detail": .string(detail),
        ]
        return problem.bytes
    }
}

/// Answers what fails behind it with a problem. Add it to a router before any route.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    /// The methods of each path that has any; what is asked of a path with another method is 405, not 404.
    private let methods: [String: [HTTPRequest.Method]]

    package init(methods: [String: [HTTPRequest.Method]] = OpenAPIDocument.methods) { self.methods = methods }

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return problem(error, request, context).response(from: request, context: context)
        }
    }

    private func problem(_ error: any Error, _ request: Request, _ context: Context) -> ProblemError {
        switch error {
        case let problem as ProblemError: return problem
        case let error as any HTTPResponseError where error.status == .notFound:
            // The router matches paths without regard to empty parts: "/v1/ledger/" is "/v1/ledger".
            let path = "/" + request.uri.path.split(separator: "/").joined(separator: "/")
            if let allowed = methods[path], !allowed.contains(request.method) {
                return .notAllowed(request.method, on: path, allowed: allowed)
            }
            let hint = nearest(to: path, of: methods.keys.sorted()).map { "did you mean \($0)? " } ?? ""
            return ProblemError(
                .notFound,
                "there is nothing at \(ReadQuery.shown(path)); \(hint)GET \(OpenAPIDocument.path) describes all paths")
        case let error as HTTPError:
            return ProblemError(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
        case let error as any HTTPResponseError:
            return ProblemError(error.status, error.status.reasonPhrase)
        case is CancellationError:
            return .unavailable("the daemon is stopping; send the same again in a moment", retryAfterSeconds: 5)
        default:
            context.logger.error(
                "a request failed",
                metadata: [
                    "method": "\(request.method.rawValue)", "path": "\(request.uri.path)", "error": "\(error)",
                ])
            return ProblemError(
                .internalServerError, "internal error; the daemon's log has the cause, with this method and path")
        }
    }
}
