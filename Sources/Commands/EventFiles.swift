// Bytes of event files and of standard input, plain or gzipped, in chunks of whole lines.

import CZlib
import EventCodec
import Foundation

/// An input of events: a file, or `-` for standard input.
struct EventFile {
    let name: String
    let handle: FileHandle
    /// Bytes in the file, compressed as they are; nil where nobody knows (a pipe).
    let size: Int?

    /// - Throws: ``Failure`` when it can't be read.
    init(_ path: String) throws {
        if path == "-" {
            name = "standard input"
            handle = .standardInput
            size = nil
            return
        }
        name = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure("cannot read '\(path)': there is no such file")
        }
        guard !isFolder.boolValue, let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure("cannot read '\(path)': \(isFolder.boolValue ? "it is a folder" : "no permission")")
        }
        self.handle = handle
        size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }

    /// Reads the input to its end.
    ///
    /// - Parameter body: takes decompressed bytes and how many bytes of the file have been read so far.
    /// - Throws: ``Failure`` on a read error or a broken gzip stream; what `body` throws.
    func read(_ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ fileOffset: Int) throws -> Void) throws {
        var gzip: GzipStream?
        var offset = 0
        var isFirst = true
        while true {
            let data: Data
            do {
                data = try handle.read(upToCount: 1 << 20) ?? Data()
            } catch {
                throw Failure("cannot read \(name) after \(offset) bytes: \(error.localizedDescription)")
            }
            if data.isEmpty { break }
            if isFirst, data.starts(with: [0x1F, 0x8B]) { gzip = try GzipStream(name: name) }
            isFirst = false
            offset += data.count
            try data.withUnsafeBytes { raw in
                let bytes = raw.bindMemory(to: UInt8.self)
                if let gzip { try gzip.inflate(bytes) { try body($0, offset) } } else { try body(bytes, offset) }
            }
        }
        try gzip?.finish()
    }
}

/// Decompresses gzip, of one member or several.
final class GzipStream {
    private let name: String
    private var stream = z_stream()
    private var output = [UInt8](repeating: 0, count: 1 << 20)
    private var isBetweenMembers = false

    init(name: String) throws {
        self.name = name
        // 16 + 15: the gzip format with the largest window.
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure("no memory to decompress \(name)")
        }
    }

    deinit { inflateEnd(&stream) }

    func inflate(
        _ input: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws -> Void
    ) throws {
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        var outputWasFull = false
        while stream.avail_in > 0 || outputWasFull {
            if isBetweenMembers {
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
                let reason = stream.msg.map { String(cString: $0) } ?? "error \(status)"
                throw Failure("\(name) is a broken gzip stream: \(reason)")
            }
            try output.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[..<produced])) }
            outputWasFull = stream.avail_out == 0
            if status == Z_STREAM_END {
                isBetweenMembers = true
                outputWasFull = false
            }
        }
    }

    func finish() throws {
        guard isBetweenMembers else { throw Failure("\(name) is a broken gzip stream: it ends in the middle") }
    }
}
