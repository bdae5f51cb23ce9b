// From a connection's bytes to the parts of requests.

import NIOCore
import NIOHTTP1

/// SwiftNIO's decoder, but that it can be told to go on after a request with which HTTP might have ended, and to drop
/// all that still comes.
///
/// SwiftNIO's own stops for good after CONNECT and after a request with `Upgrade`, and then keeps whatever comes. meterd
/// ignores Upgrade, as RFC 9110, section 7.8, allows, so HTTP goes on.
final class RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    /// What a request's head may take. Connections that never complete theirs must not add up to much.
    private static let limits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = maxHeadBytes
        limits.maxHeaderListSize = maxHeadBytes
        limits.maxHeaderFieldCount = 100
        return limits
    }()

    static let maxHeadBytes = 32 << 10

    /// The most that may wait to be decoded: more is kept only by a decoder that does not decode.
    static let maxKeptBytes = 128 << 10

    private var decoder = RequestDecoder.made()
    /// Set by who takes the parts, once a request is complete behind which the decoder has stopped.
    var hasStopped = false
    /// Whether nothing more is to be decoded.
    var isOver = false

    private static func made() -> HTTPRequestDecoder {
        HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    }

    func decoderAdded(context: ChannelHandlerContext) { decoder.decoderAdded(context: context) }

    func decoderRemoved(context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        while !isOver {
            restartIfStopped(context)
            let state: DecodingState
            do {
                state = try decoder.decode(context: context, buffer: &buffer)
            } catch HTTPParserError.invalidURL {
                throw BadTarget(in: buffer.readableBytesView)
            }
            // What stands behind a request that stopped it is the next one's.
            if !hasStopped { break }
            guard buffer.readableBytes > 0 else { return state }
        }
        if isOver { drop(&buffer) }
        return .needMoreData
    }

    func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        if !isOver, buffer.readableBytes > 0 { _ = try decode(context: context, buffer: &buffer) }
        guard !isOver else {
            drop(&buffer)
            return .needMoreData
        }
        restartIfStopped(context)
        return try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
    }

    private func restartIfStopped(_ context: ChannelHandlerContext) {
        guard hasStopped else { return }
        hasStopped = false
        decoder.decoderRemoved(context: context)
        decoder = Self.made()
        decoder.decoderAdded(context: context)
    }

    private func drop(_ buffer: inout ByteBuffer) { buffer.moveReaderIndex(to: buffer.writerIndex) }
}

/// A request's target that holds bytes which have to be percent-encoded. The decoder tells no more of it.
struct BadTarget: Error, CustomStringConvertible {
    /// `parameter tenant`, or `the path`.
    private let what: String
    private let text: String

    /// - Parameter bytes: those that were to be decoded, the target among them.
    init(in bytes: some Sequence<UInt8>) {
        let line = Array(bytes).split(separator: UInt8(ascii: "\n")).first { line in
            line.contains(where: Self.isForbidden) && line.firstRange(of: Array(" HTTP/".utf8)) != nil
        }
        let target =
            (line ?? []).split(separator: UInt8(ascii: " ")).first { $0.contains(where: Self.isForbidden) } ?? []
        let parts = target.split(separator: UInt8(ascii: "?"), maxSplits: 1)
        let parameter = parts.dropFirst().first?.split(separator: UInt8(ascii: "&"))
            .first { $0.contains(where: Self.isForbidden) }
        let name = parameter.map { String(decoding: $0.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self) }
        what = name.map { "parameter \(excerpt($0))" } ?? "the path"
        text = excerpt(String(decoding: parameter ?? target, as: UTF8.self))
    }

    private static func isForbidden(_ byte: UInt8) -> Bool { byte <= 0x1F && byte != 0x0D || byte >= 0x7F }

    var description: String {
        "\(what): '\(text)' has bytes that may not stand in a request's target; percent-encode what is not ASCII as UTF-8, "
            + "like %C3%A9 for é"
    }
}
