// Decompressing gzip, chunk by chunk.

import CZlib

package enum GzipError: Error, Equatable {
    /// In zlib's words.
    case broken(String)
    case endsInTheMiddle
    case noMemory
}

/// A gzip stream of one member or several, with zeros behind them if there are any, as gzip itself takes it: tapes and
/// some programs fill up a block.
package final class GzipStream {
    private var stream = z_stream()
    private var output: [UInt8]
    private var isBetweenMembers = false
    private var isInPadding = false

    /// - Parameter chunkBytes: how much is handed over at once.
    package init(chunkBytes: Int = 1 << 20) throws(GzipError) {
        output = [UInt8](repeating: 0, count: chunkBytes)
        // 16 + 15: the gzip format with the largest window.
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .noMemory
        }
    }

    deinit { inflateEnd(&stream) }

    /// Decompresses some more of the input.
    ///
    /// - Throws: ``GzipError/broken(_:)``; what `body` throws.
    package func inflate(
        _ input: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws -> Void
    ) throws {
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        var outputWasFull = false
        while stream.avail_in > 0 || outputWasFull {
            if isBetweenMembers {
                skipPadding()
                if stream.avail_in == 0 { break }
                if isInPadding { throw GzipError.broken("something follows the zeros behind its end") }
                inflateReset(&stream)
                isBetweenMembers = false
            }
            let capacity = output.count
            let status = output.withUnsafeMutableBufferPointer { buffer in
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(capacity)
                return CZlib.inflate(&stream, Z_NO_FLUSH)
            }
            let produced = capacity - Int(stream.avail_out)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                throw GzipError.broken(stream.msg.map { String(cString: $0) } ?? "error \(status)")
            }
            try output.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[..<produced])) }
            outputWasFull = stream.avail_out == 0
            if status == Z_STREAM_END {
                isBetweenMembers = true
                outputWasFull = false
            }
        }
    }

    /// Passes over zeros behind a member. No member begins with one.
    private func skipPadding() {
        while stream.avail_in > 0, stream.next_in.pointee == 0 {
            stream.next_in += 1
            stream.avail_in -= 1
            isInPadding = true
        }
    }

    /// - Throws: ``GzipError/endsInTheMiddle`` unless the input ended with a member's end.
    package func finish() throws(GzipError) {
        guard isBetweenMembers else { throw .endsInTheMiddle }
    }
}
