// What stands in a connection, from the socket inwards: HTTP, one request at a time, deadlines, the door for events, then
// the router.

package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Sets up the connections of a daemon: as Hummingbird does for HTTP/1.1, but that events have a way of their own.
package struct ServedConnection: ServerChildChannel, HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package static let serverName = "meterd"

    package let responder: HTTPChannelHandler.Responder
    private let door: EventDoor
    private let time: TimeAmount

    /// A builder of these, for an application.
    package static func builder(_ door: EventDoor) -> HTTPServerBuilder {
        HTTPServerBuilder { ServedConnection(responder: $0, door) }
    }

    private init(responder: @escaping HTTPChannelHandler.Responder, _ door: EventDoor) {
        self.responder = responder
        self.door = door
        time = .seconds(Int64(door.bounds.seconds))
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let decoder = RequestDecoder()
            try channel.pipeline.syncOperations.addHandlers(
                HTTPResponseEncoder(),
                ByteToMessageHandler(decoder, maximumBufferSize: RequestDecoder.maxKeptBytes),
                RequestGate(decoder, door, time, logger: logger),
                HTTP1ToHTTPServerCodec(secure: false),
                RequestDeadline(time, door.connections, logger: logger),
                EventHandler(door))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
