// A connection's requests, one after the other: which is let in when, when its answer is out, and how it all ends.

import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// Lets one request in at a time, and the next one once the client has taken the answer to it; meanwhile nothing more is
/// read. So a client that sends without reading costs one answer and a few requests, and is cut off after a while.
///
/// It also refuses what is no request, decides whether the connection ends with an answer and says so in it, and sees
/// to it that each request gets one answer.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Reading {
        /// The next part is a head.
        case head
        /// A request's head has come, its end has not.
        case body
        case complete
    }

    private enum Answering {
        /// No request is let in.
        case nothing
        case due
        case begun
        /// Written, and not yet taken by the client's system.
        case written
        case out
    }

    private enum Held {
        case part(HTTPServerRequestPart)
        case broken(ProblemError)
    }

    /// The requests that may wait on a connection while one is answered. A client that sends more without waiting gets
    /// the answers to these, and then the end of the connection.
    static let maxHeldRequests = 100

    /// How long a client may go on sending after the connection's last answer: a connection that is closed in the middle
    /// of that is reset, which can take the answer with it.
    static let lingering = TimeAmount.seconds(2)

    /// What a client has to read of an answer in the time that it has, if there is so much.
    private static let bytesReadInTime = 1 << 20

    private let decoder: RequestDecoder
    private let door: EventDoor
    private let time: TimeAmount
    private let logger: Logger

    private var reading = Reading.head
    private var answering = Answering.nothing
    private var held = CircularBuffer<Held>(initialCapacity: 0)
    private var heldRequests = 0
    /// Of the request that is arriving, also if it is held.
    private var stopsDecoder = false

    // Of the request that is let in.
    private var isRefused = false
    private var isOldClient = false
    private var awaitsContinue = false
    private var closes = false
    private var answer = MemoryBudget.Answer.page
    private var answerBytes = 0

    private var readIsPending = false
    private var isDelivering = false
    private var isFull = false
    private var inputHasEnded = false
    private var isQuiescing = false
    /// The last answer is out; whatever comes is dropped.
    private var isOver = false

    private var idleSince = NIODeadline.now()
    private var idleCheck: Scheduled<Void>?
    private var unreadBytes = 0
    private var unreadCheck: Scheduled<Void>?

    /// - Parameters:
    ///   - decoder: the one whose parts come here.
    ///   - time: how long a client may send nothing, and how long it may take to read an answer, or each MiB of it.
    init(_ decoder: RequestDecoder, _ door: EventDoor, _ time: TimeAmount, logger: Logger) {
        self.decoder = decoder
        self.door = door
        self.time = time
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        door.connections.opened()
        idleSince = .now()
        checkIdleness(at: idleSince + idleTime, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        door.connections.closed()
        idleCheck?.cancel()
        unreadCheck?.cancel()
        forgetAnswer()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head): stopsDecoder = head.stopsDecoder
        case .body: break
        case .end: if stopsDecoder { decoder.hasStopped = true }
        }
        if isHolding { hold(part) } else { take(part, context) }
    }

    private var isHolding: Bool { reading == .complete || !held.isEmpty }

    private func hold(_ part: HTTPServerRequestPart) {
        guard !isFull else { return }
        switch part {
        case .head where heldRequests == Self.maxHeldRequests:
            isFull = true
            decoder.isOver = true
        case .head:
            heldRequests += 1
            held.append(.part(part))
        case .body(var more):
            // Parts of a byte each would weigh many times what they hold.
            guard case .part(.body(var buffer))? = held.last else { return held.append(.part(part)) }
            held.removeLast()
            buffer.writeBuffer(&more)
            held.append(.part(.body(buffer)))
        case .end: held.append(.part(part))
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): begin(head, context)
        case .body:
            awaitsContinue = false
            if !isRefused { context.fireChannelRead(wrapInboundOut(part)) }
        case .end:
            reading = .complete
            if !isRefused { context.fireChannelRead(wrapInboundOut(part)) }
            goOn(context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        reading = .body
        answering = .due
        isRefused = false
        isOldClient = head.version.minor == 0
        answer = head.method == .POST ? .outcome : .page
        awaitsContinue = false
        closes = isQuiescing
        do {
            let admitted = try AdmittedHead(head)
            awaitsContinue = admitted.awaitsContinue
            var head = head
            // HTTP/1.0 does not have it, so nothing behind this may answer it.
            if !admitted.awaitsContinue { head.headers.remove(name: "expect") }
            if admitted.closes {
                closes = true
                // The router has an ending of its own, which does not wait for the answer to be read.
                head.headers.remove(name: "connection")
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        } catch {
            refuse(error, hasBody: head.method != .HEAD, context)
        }
    }

    /// Answers instead of the handlers behind it, and ends the connection.
    private func refuse(_ problem: ProblemError, hasBody: Bool, _ context: ChannelHandlerContext) {
        isRefused = true
        closes = true
        decoder.isOver = true
        door.connections.note(.badRequest)
        let text = ByteBuffer(bytes: problem.text)
        var headers = HTTPHeaders(problem.fields.map { ($0.name.rawName, $0.value) })
        headers.add(name: "Content-Length", value: "\(text.readableBytes)")
        headers.add(name: "Date", value: door.dates.now)
        headers.add(name: "Server", value: ServedConnection.serverName)
        let status = HTTPResponseStatus(statusCode: problem.status.code, reasonPhrase: problem.status.reasonPhrase)
        send(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)), nil, context)
        if hasBody { send(.body(.byteBuffer(text)), nil, context) }
        send(.end(nil), nil, context)
        flush(context: context)
    }

    func read(context: ChannelHandlerContext) {
        if isHolding, !isOver { readIsPending = true } else { context.read() }
    }

    /// Ends the exchange if both its sides have come to their end, and begins the next one.
    private func goOn(_ context: ChannelHandlerContext) {
        guard answering == .out, !isOver else { return }
        if closes { return end(context) }
        guard reading == .complete else { return }
        reading = .head
        answering = .nothing
        guard !isDelivering else { return }
        isDelivering = true
        var hasDelivered = false
        while !isOver, reading != .complete, let next = held.popFirst() {
            hasDelivered = true
            switch next {
            case .part(let part):
                if case .head = part { heldRequests -= 1 }
                take(part, context)
            case .broken(let problem): fail(problem, context)
            }
        }
        isDelivering = false
        if hasDelivered { context.fireChannelReadComplete() }
        guard !isOver else { return }
        if reading == .head, held.isEmpty, isFull || inputHasEnded || isQuiescing { return end(context) }
        if readIsPending, !isHolding {
            readIsPending = false
            context.read()
        }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        send(unwrapOutboundIn(data), promise, context)
    }

    private func send(
        _ part: HTTPServerResponsePart, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
    ) {
        switch (part, answering) {
        case (.head(let head), .due) where head.status.code < 200:
            awaitsContinue = false
            context.write(wrapOutboundOut(part), promise: promise)
        case (.head(var head), .due):
            answering = .begun
            mark(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case (.body(let body), .begun):
            answerBytes += body.readableBytes
            door.budget.add(answer, body.readableBytes)
            context.write(wrapOutboundOut(part), promise: promise)
        case (.end, .begun):
            answering = .written
            let promise = promise ?? context.eventLoop.makePromise()
            promise.futureResult.assumeIsolated().whenComplete { _ in self.finish(context) }
            context.write(wrapOutboundOut(part), promise: promise)
        default:
            // A second answer, as to a request that is broken after the first.
            promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    /// Settles whether the connection ends with this answer, and says so.
    private func mark(_ head: inout HTTPResponseHead) {
        let saysClose = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        // A client that was not told to go on may send the body or not; what comes next is therefore not known.
        let isUnsure = awaitsContinue && reading == .body
        let isLast = isQuiescing || isFull && heldRequests == 0
        if saysClose || isUnsure || isLast { closes = true }
        if closes {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else if isOldClient {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if answering == .begun || answering == .written, unreadCheck == nil {
            unreadBytes = Self.bufferedBytes(context)
            if unreadBytes > 0 { checkReading(context) }
        }
    }

    private static func bufferedBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Closes the connection unless the client has read enough of its answer when its time is up.
    private func checkReading(_ context: ChannelHandlerContext) {
        unreadCheck = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            let rest = Self.bufferedBytes(context)
            // While senders lack room, a slow client has to read all of it in time.
            let due = door.budget.isCrowded ? unreadBytes : min(unreadBytes, Self.bytesReadInTime)
            guard rest > 0, unreadBytes - rest < due else {
                unreadBytes = rest
                unreadCheck = nil
                if rest > 0 { checkReading(context) }
                return
            }
            door.connections.note(.unreadAnswer)
            logger.info(
                "an answer was not read in time; its connection is closed",
                metadata: ["seconds": "\(time.nanoseconds / 1_000_000_000)", "unread_bytes": "\(rest)"])
            context.close(promise: nil)
        }
    }

    /// The answer is out, or the connection has ended.
    private func finish(_ context: ChannelHandlerContext) {
        forgetAnswer()
        unreadCheck?.cancel()
        unreadCheck = nil
        answering = .out
        idleSince = .now()
        if context.channel.isActive { goOn(context) }
    }

    private func forgetAnswer() {
        if answerBytes > 0 { door.budget.remove(answer, answerBytes) }
        answerBytes = 0
    }

    // MARK: Ends

    /// Ends the connection after its last answer.
    private func end(_ context: ChannelHandlerContext) {
        isOver = true
        let mayComeMore = decoder.isOver || reading == .body
        decoder.isOver = true
        held.removeAll()
        guard mayComeMore, !inputHasEnded else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) { context.close(promise: nil) }
        if readIsPending {
            readIsPending = false
            context.read()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case _ where isOver: break
        case let error as HTTPParserError: breakOff(ProblemError(error), context)
        case let error as BadTarget: breakOff(.badRequest(error.description), context)
        case is ByteToMessageDecoderError.PayloadTooLargeError:
            breakOff(ProblemError(HTTPParserError.headerOverflow), context)
        // It is told of bytes that come after an error of its own.
        case is ByteToMessageDecoderError where decoder.isOver: break
        default: context.fireErrorCaught(error)
        }
    }

    /// What comes is no HTTP: told in its turn, and nothing more is read.
    private func breakOff(_ problem: ProblemError, _ context: ChannelHandlerContext) {
        guard !decoder.isOver else { return }
        decoder.isOver = true
        if isHolding { held.append(.broken(problem)) } else { fail(problem, context) }
    }

    private func fail(_ problem: ProblemError, _ context: ChannelHandlerContext) {
        switch (reading, answering) {
        case (.head, _):
            reading = .body
            answering = .due
            isOldClient = false
            refuse(problem, hasBody: true, context)
        case (.body, .due):
            // Whoever has the request may answer still: that goes nowhere.
            refuse(problem, hasBody: true, context)
        case (.body, .out), (.complete, _): end(context)
        case (.body, _): closes = true
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            inputHasEnded = true
            // Otherwise the connection ends with the answer to what has come.
            if isOver || reading == .head && held.isEmpty { context.close(promise: nil) }
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            closes = true
            if reading == .head, held.isEmpty { context.close(promise: nil) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// How long a connection may be without a request. Longer than a request may take, which is answered at its deadline.
    private var idleTime: TimeAmount { time + RequestDeadline.patience }

    /// Goes by one timer after the other, however many requests come: starting one for each would cost more.
    private func checkIdleness(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            let isIdle = reading == .head && answering == .nothing
            let end = isIdle ? idleSince + idleTime : .now() + idleTime
            guard isIdle, end <= .now() else { return checkIdleness(at: end, context) }
            door.connections.note(.idle)
            context.close(promise: nil)
        }
    }
}
