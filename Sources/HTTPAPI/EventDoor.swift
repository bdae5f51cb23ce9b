// The way in for events: POST /v1/events.

import EventCodec
import HTTPTypes
package import Hummingbird
import Ingestion
package import LedgerStore
import NIOCore
import Quantities
package import Writer

/// Takes events, hands them to the writer, and answers when they are durable.
package struct EventRoutes: Sendable {
    package struct Bounds: Sendable {
        package var bodyBytes = 16 << 20
        /// What a compressed body may expand to.
        package var expandedBytes = 64 << 20
        /// All bodies that are in memory at a time.
        package var allBytes = 128 << 20
        /// How long a body may take to arrive.
        package var seconds = 30

        package init() {}
    }

    package static let path = "/v1/events"
    /// Says what time it is, for a ledger with a test clock; the command line's `--now`.
    package static let nowHeader = "meterd-now"

    private let writer: LedgerWriter
    private let clock: LedgerClock
    private let bounds: Bounds
    private let budget: BodyBudget

    /// - Parameter clock: the daemon's own.
    package init(writer: LedgerWriter, clock: LedgerClock, bounds: Bounds) {
        self.writer = writer
        self.clock = clock
        self.bounds = bounds
        budget = BodyBudget(limit: bounds.allBytes)
    }

    package func add<Context>(to router: some RouterMethods<Context>) {
        router.post(RouterPath(Self.path)) { request, _ in try await self.take(request) }
    }

    private func take(_ request: Request) async throws -> Response {
        let given = try Self.clock(request.headers)
        let share = budget.share()
        do {
            let form = try EventForm(request.headers)
            let events = try EventBody.read(
                try await collect(request, share), as: form, headers: request.headers)
            let report = try await writer.ingest(events, clock: given ?? clock)
            return withExtendedLifetime(share) { Self.answer(report) }
        } catch EventBodyError.noRoom {
            throw ProblemError.unavailable("\(EventBodyError.noRoom)", retryAfterSeconds: 1)
        } catch let error as EventBodyError {
            throw ProblemError(error.status, "\(error)")
        } catch let error as WriterError {
            throw ProblemError(error, isOnSendersClock: given != nil)
        }
    }

    private func collect(_ request: Request, _ share: BodyBudget.Share) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { try await receive(request, share) }
            group.addTask {
                try await Task.sleep(for: .seconds(bounds.seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let body = try await group.next() ?? nil else {
                throw ProblemError(
                    .requestTimeout, "the body did not arrive within \(bounds.seconds) s; nothing was stored",
                    headers: [.connection: "close"])
            }
            return body
        }
    }

    private func receive(_ request: Request, _ share: BodyBudget.Share) async throws -> [UInt8] {
        var collector = try BodyCollector(
            encoding: request.headers[.contentEncoding], declared: request.headers[.contentLength].flatMap { Int($0) },
            limit: bounds.bodyBytes, expandedLimit: bounds.expandedBytes, share: share)
        var parts = request.body.makeAsyncIterator()
        while let part = try await Self.next(&parts) {
            try part.withUnsafeReadableBytes { try collector.add($0.bindMemory(to: UInt8.self)) }
        }
        // A connection that is cut may look as if its body were at its end.
        try Task.checkCancellation()
        return try collector.finish()
    }

    /// - Throws: ``ProblemError`` when the client has gone away or was cut off: nobody reads it, and nothing is wrong
    ///   here.
    private static func next(_ parts: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await parts.next()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ProblemError.badRequest("the connection ended in the middle of the body: \(error)")
        }
    }

    private static func clock(_ headers: HTTPFields) throws -> LedgerClock? {
        guard let name = HTTPField.Name(nowHeader), let text = headers[name] else { return nil }
        guard let micros = RFC3339.parse(text) else {
            if RFC3339.namesNoSuchDay(text) {
                throw ProblemError.badRequest("header \(nowHeader) '\(text)': there is no such day")
            }
            throw ProblemError.badRequest(
                "header \(nowHeader) '\(text)': write RFC 3339 with an offset, as 2027-01-10T12:00:00+08:00")
        }
        return LedgerClock(given: Instant(micros: micros))
    }

    /// The four counts add up to the events; `results` lists those that were not simply accepted.
    private static func answer(_ report: BatchReport) -> Response {
        let counts: [(name: String, value: JSONValue)] = [
            ("accepted", .integer(Int64(report.accepted))), ("duplicates", .integer(Int64(report.duplicates))),
            ("corrections", .integer(Int64(report.corrections))), ("refused", .integer(Int64(report.refusedCount))),
            ("results", .array(report.results.map(result))),
        ]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSONValue.object(counts).bytes)))
    }

    private static func result(_ result: EventResult) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [("index", .integer(Int64(result.index)))]
        if let source = result.source { members.append(("source", .string(source))) }
        if let id = result.id { members.append(("id", .string(id))) }
        members.append(("status", .string(result.outcome.status)))
        switch result.outcome {
        case .refused(let code, let reason):
            members += [("code", .string(code.rawValue)), ("reason", .string(reason))]
        case .correction(let usageDay, let postingDay):
            members.append(
                ("reason", .string("usage of \(usageDay) that came late; it enters the bill of \(postingDay)")))
        case .accepted, .duplicate: break
        }
        return .object(members)
    }
}

extension EventBodyError {
    fileprivate var status: HTTPResponse.Status {
        switch self {
        case .unsupportedType, .unsupportedEncoding: .unsupportedMediaType
        case .tooLarge, .tooManyEvents: .contentTooLarge
        case .noRoom: .serviceUnavailable
        case .brokenGzip, .noBatch, .badHeader: .badRequest
        }
    }
}

extension ProblemError {
    /// What the writer could not do; 503 where the same request will do later.
    fileprivate init(_ error: WriterError, isOnSendersClock: Bool) {
        switch error {
        case .queueFull, .busy: self = .unavailable("\(error)", retryAfterSeconds: 1)
        case .stopping: self = .unavailable("\(error)", retryAfterSeconds: 5)
        case .diskFull, .broken: self = .unavailable("\(error)", retryAfterSeconds: 30)
        case .failed(let error as LedgerError) where isOnSendersClock:
            self = .badRequest(error.description(whereTimeIsGivenBy: "header \(EventRoutes.nowHeader)"))
        // The daemon's own clock is wrong, and the log says so.
        case .failed(let error as LedgerError): self = .unavailable("\(error)", retryAfterSeconds: 30)
        case .failed: self = ProblemError(.internalServerError, "internal error: nothing was stored")
        }
    }
}
