// What a server does when the system gives it no file for another connection.

import Foundation
import NIOCore

/// Stops accepting for a second when accepting fails for want of files or memory. NIO's own handler for that delays only the
/// next read, while the listening socket stays registered for the one that failed: as long as somebody waits to be let in,
/// the event loop would turn in circles.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)

    /// Adds it to a listening channel, in front of the handler that would keep the error to itself.
    static func add(to server: any Channel) async throws {
        try await server.eventLoop.submit {
            try server.pipeline.syncOperations.addHandler(AcceptPause(), position: .first)
        }.get()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let lacking = [EMFILE, ENFILE, ENOBUFS, ENOMEM]
        if let error = error as? IOError, lacking.contains(error.errnoCode) {
            let server = context.channel
            // Takes the socket out of what the event loop waits for; nobody is accepted meanwhile.
            _ = server.setOption(.autoRead, value: false)
            context.eventLoop.scheduleTask(in: Self.pause) { _ = server.setOption(.autoRead, value: true) }
        }
        context.fireErrorCaught(error)
    }
}
