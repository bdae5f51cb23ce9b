// Bytes of event files and of standard input, plain or gzipped, in chunks of whole lines.

import Foundation
import Gzip

/// An input that can't be read to its end. What came before is as it was written.
struct InputCut: Error, CustomStringConvertible {
    let description: String
}

/// An input of events: a file, or `-` for standard input.
struct EventFile: Sendable {
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
    /// - Throws: ``InputCut``; ``Failure`` on a damaged gzip stream; what `body` throws.
    func read(_ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ fileOffset: Int) throws -> Void) throws {
        do {
            try decompress(body)
        } catch GzipError.broken(let reason) {
            throw Failure("\(name) is a broken gzip stream: \(reason)")
        } catch GzipError.endsInTheMiddle {
            throw InputCut(description: "\(name) is a broken gzip stream: it ends in the middle")
        } catch GzipError.noMemory {
            throw Failure("no memory to decompress \(name)")
        }
    }

    private func decompress(_ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) throws {
        var gzip: GzipStream?
        var offset = 0
        // One buffer for all: what a fresh one costs in page faults is more than the reading.
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.readBytes)
        defer { buffer.deallocate() }
        while true {
            let count = try fill(buffer, after: offset)
            if count == 0 { break }
            let bytes = UnsafeBufferPointer(rebasing: buffer[0..<count])
            if offset == 0, bytes.starts(with: [0x1F, 0x8B]) { gzip = try GzipStream() }
            offset += count
            if let gzip { try gzip.inflate(bytes) { try body($0, offset) } } else { try body(bytes, offset) }
        }
        try gzip?.finish()
    }

    private static let readBytes = 256 << 10

    /// - Returns: how many bytes were read; 0 at the end.
    private func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>, after offset: Int) throws -> Int {
        var filled = 0
        // A pipe gives less at a time, and a first byte alone does not tell whether it is gzip.
        while filled < 2 {
            let count = Foundation.read(
                handle.fileDescriptor, buffer.baseAddress.unsafelyUnwrapped + filled, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw InputCut(
                    description: "cannot read \(name) after \(offset) bytes: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
