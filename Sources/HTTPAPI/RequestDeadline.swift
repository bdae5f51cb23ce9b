// How long a client may take to send a request. A byte now and then keeps a connection from being idle, but not longer
// than this.

import Logging
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose request is not complete so long after its head; its sender may send it again.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private let time: TimeAmount
    private let logger: Logger
    private var deadline: Scheduled<Void>?

    init(_ time: TimeAmount, logger: Logger) {
        self.time = time
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            let (channel, logger, time) = (context.channel, logger, time)
            deadline = context.eventLoop.scheduleTask(in: time) {
                logger.info(
                    "a request was not complete in time; its connection is closed",
                    metadata: ["seconds": "\(time.nanoseconds / 1_000_000_000)"])
                channel.close(promise: nil)
            }
        case .body: break
        case .end: endDeadline()
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endDeadline()
        context.fireChannelInactive()
    }

    private func endDeadline() {
        deadline?.cancel()
        deadline = nil
    }
}
