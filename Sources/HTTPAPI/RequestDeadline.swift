// How long a client may take to send a request. A byte now and then keeps a connection from being idle, but not longer
// than this.

import Logging
import NIOCore
import NIOHTTPTypes

/// Tells the handlers behind it when a request is not complete in time after its head, and closes the connection a moment
/// later, the time to send an answer. The sender may send it again.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    /// Fired once, as a user event.
    struct HasPassed {}

    /// From the deadline until the connection is closed.
    static let patience = TimeAmount.seconds(2)

    private let time: TimeAmount
    private let connections: ConnectionFigures
    private let logger: Logger
    private var isIncomplete = false
    private var deadline: Scheduled<Void>?

    init(_ time: TimeAmount, _ connections: ConnectionFigures, logger: Logger) {
        self.time = time
        self.connections = connections
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isIncomplete = true
        case .body: break
        case .end:
            isIncomplete = false
            endDeadline()
        }
        context.fireChannelRead(data)
    }

    /// Most requests come in one piece, and need no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isIncomplete, deadline == nil {
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.pass(context) }
        }
        context.fireChannelReadComplete()
    }

    private func pass(_ context: ChannelHandlerContext) {
        connections.note(.slowRequest)
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [logger, time] in
            logger.info(
                "a request was not complete in time; its connection is closed",
                metadata: ["seconds": "\(time.nanoseconds / 1_000_000_000)"])
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(HasPassed())
    }

    func channelInactive(context: ChannelHandlerContext) {
        isIncomplete = false
        endDeadline()
        context.fireChannelInactive()
    }

    private func endDeadline() {
        deadline?.cancel()
        deadline = nil
    }
}
