// A connection's side of the door: hears requests of events, and answers each once its events are durable.

import HTTPTypes
import Ingestion
import NIOCore
import NIOHTTPTypes
import Writer

/// Takes requests of events out of a connection; all others go on to the router.
///
/// The gate before it lets one request in at a time. Everything here runs on the connection's event loop.
final class EventHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private enum State {
        /// No events are under way; what comes is the router's.
        case passing
        case receiving(EventRequest)
        /// Complete, and not yet answered.
        case storing
        /// Answered before its end; the rest is dropped.
        case dropping
    }

    private let door: EventDoor
    private var state = State.passing
    private var context: ChannelHandlerContext?
    /// Whether the sender keeps its body back until it is told to go on.
    private var owesContinue = false

    /// Longer bodies are scanned elsewhere: the other connections of the event loop should not wait for that.
    private static let mostBytesScannedHere = 1 << 20
    /// An answer that lists more of them is put together elsewhere, for the same reason.
    private static let mostResultsWrittenHere = 1_000

    init(_ door: EventDoor) { self.door = door }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.passing, .head(let head)) where EventDoor.isMeant(by: head): begin(head)
        case (.passing, _): context.fireChannelRead(data)
        case (.receiving(let request), .body(let part)): add(part, to: request)
        case (.receiving(let request), .end): store(request)
        case (.dropping, .end): state = .passing
        case (.dropping, _), (.storing, _), (.receiving, .head): break
        }
    }

    private func begin(_ head: HTTPRequest) {
        do {
            let request = try EventRequest(head, door)
            owesContinue = request.awaitsContinue
            state = .receiving(request)
        } catch {
            refuse(error)
        }
    }

    /// Most bodies come with their head: then there is nothing to tell the sender.
    func channelReadComplete(context: ChannelHandlerContext) {
        if owesContinue, case .receiving = state {
            owesContinue = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        context.fireChannelReadComplete()
    }

    private func add(_ part: ByteBuffer, to request: EventRequest) {
        owesContinue = false
        do {
            var request = request
            try part.withUnsafeReadableBytes { try request.add($0.bindMemory(to: UInt8.self)) }
            state = .receiving(request)
        } catch {
            refuse(error)
        }
    }

    private func store(_ request: EventRequest) {
        guard let context else { return }
        state = .storing
        let (door, eventLoop) = (door, context.eventLoop)
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        let (given, share, preference) = (request.givenClock, request.share, request.preference)
        // The body counts against the budget until the answer, which does from then on, is written.
        @Sendable func send(_ answer: @escaping @Sendable () -> EventAnswer) {
            eventLoop.execute { withExtendedLifetime(share) { connection.value.finish(answer()) } }
        }
        let answer: @Sendable (Result<BatchReport, any Error>) -> Void = { result in
            switch result {
            case .success(let report) where report.results.count <= Self.mostResultsWrittenHere:
                send { EventAnswer(report, preference) }
            case .success(let report):
                Task {
                    let answer = EventAnswer(report, preference)
                    send { answer }
                }
            case .failure(let error): send { EventAnswer(ProblemError(error, isOnSendersClock: given != nil)) }
            }
        }
        if request.byteCount <= Self.mostBytesScannedHere {
            door.store(request, answer)
        } else {
            let request = Handover(request)
            Task { door.store(request.value, answer) }
        }
    }

    private func finish(_ answer: EventAnswer) {
        guard case .storing = state else { return }
        state = .passing
        send(answer)
    }

    /// Answers a request that has not come to its end, and goes on once it has.
    private func refuse(_ error: any Error) {
        state = .dropping
        send(EventAnswer(ProblemError(error, isOnSendersClock: false)))
    }

    private func send(_ answer: EventAnswer) {
        guard let context, context.channel.isActive else { return }
        var headers = answer.headers
        // An answer without content has no length either (RFC 9110, section 8.6).
        if answer.status != .noContent { headers[.contentLength] = String(answer.byteCount) }
        headers[.date] = door.dates.now
        headers[.server] = ServedConnection.serverName
        context.write(wrapOutboundOut(.head(HTTPResponse(status: answer.status, headerFields: headers))), promise: nil)
        for part in answer.body { context.write(wrapOutboundOut(.body(part)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: What may come instead of a request's end

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, state) {
        case (is RequestDeadline.HasPassed, .receiving):
            refuse(ProblemError.bodyTimeout(seconds: door.bounds.seconds))
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// A client that goes away in the middle of its body, or is cut off: nothing of it counts, and nothing is wrong here.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .receiving = state else { return context.fireErrorCaught(error) }
        state = .dropping
        context.close(promise: nil)
    }
}

/// Carries a request over to the thread that scans it; nobody else has it from then on.
private struct Handover: @unchecked Sendable {
    let value: EventRequest

    init(_ request: EventRequest) { value = request }
}
