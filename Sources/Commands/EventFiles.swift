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
    /// Whether bytes come when somebody writes them, as through a pipe, so that reading may have to wait.
    let isLive: Bool

    /// - Throws: ``Failure`` when it can't be read.
    init(_ path: String) throws {
        if path == "-" {
            name = "standard input"
            handle = .standardInput
            size = nil
            isLive = Self.isLive(handle)
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
        isLive = Self.isLive(handle)
        size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }

    private static func isLive(_ handle: FileHandle) -> Bool {
        var status = stat()
        return fstat(handle.fileDescriptor, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// Reads the input to its end.
    ///
    /// - Parameters:
    ///   - waiting: called before each wait for a live input, and when the wait is over without bytes. Answers how many
    ///     milliseconds to wait, -1 for as long as it takes.
    ///   - body: takes decompressed bytes and how many bytes of the file have been read so far.
    /// - Throws: ``InputCut``; ``Failure`` on a damaged gzip stream; what `body` and `waiting` throw.
    func read(
        waiting: () throws -> Int32 = { -1 },
        _ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ fileOffset: Int) throws -> Void
    ) throws {
        do {
            try decompress(waiting, body)
        } catch GzipError.broken(let reason) {
            throw Failure("\(name) is a broken gzip stream: \(reason)")
        } catch GzipError.endsInTheMiddle {
            throw InputCut(description: "\(name) is a broken gzip stream: it ends in the middle")
        } catch GzipError.noMemory {
            throw Failure("no memory to decompress \(name)")
        }
    }

    private func decompress(
        _ waiting: () throws -> Int32, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) throws {
        var gzip: GzipStream?
        var offset = 0
        // One buffer for all: what a fresh one costs in page faults is more than the reading.
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.readBytes)
        defer { buffer.deallocate() }
        while true {
            let count = try fill(buffer, after: offset, waiting)
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
    private func fill(
        _ buffer: UnsafeMutableBufferPointer<UInt8>, after offset: Int, _ waiting: () throws -> Int32
    ) throws -> Int {
        var filled = 0
        // A pipe gives less at a time, and a first byte alone does not tell whether it is gzip.
        while filled < (offset == 0 ? 2 : 1) {
            if isLive { try waitForBytes(waiting) }
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

    private func waitForBytes(_ waiting: () throws -> Int32) throws {
        var descriptor = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
        // What can't be waited for is read at once, and says why it can't be.
        while try poll(&descriptor, 1, waiting()) == 0 {}
    }
}
