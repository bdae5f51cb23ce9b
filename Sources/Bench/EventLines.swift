// Lines of events on their way into files and pipes.

import Foundation
import Workload

/// Lines of events, a chunk at a time.
protocol EventLines {
    /// Appends whole lines, up to about `maxBytes`.
    ///
    /// - Returns: how many; 0 when there are no more.
    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int
}

/// A workload as it comes from the generator.
struct GeneratedEvents: EventLines {
    var stream: EventStream

    init(_ stream: EventStream) { self.stream = stream }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        stream.append(to: &bytes, maxBytes: maxBytes)
    }
}

/// Several sequences one after the other.
struct ChainedEvents<Base: EventLines>: EventLines {
    private var parts: ArraySlice<Base>

    init(_ parts: [Base]) { self.parts = parts[...] }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        while let first = parts.indices.first {
            let count = parts[first].append(to: &bytes, maxBytes: maxBytes)
            if count > 0 { return count }
            parts.removeFirst()
        }
        return 0
    }
}

/// Lines that are all there.
struct ListedEvents: EventLines {
    private var lines: ArraySlice<String>

    init(_ lines: [String]) { self.lines = lines[...] }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        var count = 0
        while bytes.count < maxBytes, let line = lines.popFirst() {
            bytes += line.utf8
            bytes.append(10)
            count += 1
        }
        return count
    }
}

enum EventsFile {
    static let chunkBytes = 1 << 20

    /// Writes all lines to a file that is on the disk afterwards.
    ///
    /// - Returns: how many.
    static func write(_ events: inout some EventLines, to path: String) throws -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchFailure(system: path) }
        defer { close(descriptor) }
        var chunk: [UInt8] = []
        var total = 0
        while true {
            chunk.removeAll(keepingCapacity: true)
            let count = events.append(to: &chunk, maxBytes: chunkBytes)
            guard count > 0 else { break }
            total += count
            guard Foundation.write(descriptor, chunk, chunk.count) == chunk.count else {
                throw BenchFailure(system: "writing \(path)")
            }
        }
        guard fdatasync(descriptor) == 0 else { throw BenchFailure(system: "writing \(path)") }
        return total
    }
}

/// Lines into a process that reads them.
final class EventPipe {
    /// For the process that reads.
    let readEnd: Int32
    private let writeEnd: Int32

    private static let silenceSeconds = 300

    init() throws {
        (readEnd, writeEnd) = try Program.pipe()
        _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK)
    }

    deinit {
        if isOpen {
            close(readEnd)
            close(writeEnd)
        }
    }

    private var isOpen = true

    /// Writes all lines and closes the pipe.
    ///
    /// - Returns: how many lines.
    func feed(_ events: inout some EventLines) throws -> Int {
        // The reader has its own by now; with this one open, its end would go unnoticed.
        close(readEnd)
        isOpen = false
        defer { close(writeEnd) }
        var chunk: [UInt8] = []
        var total = 0
        while true {
            chunk.removeAll(keepingCapacity: true)
            let count = events.append(to: &chunk, maxBytes: EventsFile.chunkBytes)
            guard count > 0 else { return total }
            total += count
            // What the reader says of its early end is its caller's to tell.
            guard try write(chunk) else { return total }
        }
    }

    /// - Returns: false when nobody reads any more.
    private func write(_ chunk: [UInt8]) throws -> Bool {
        var written = 0
        while written < chunk.count {
            let count = chunk.withUnsafeBytes {
                Foundation.write(writeEnd, $0.baseAddress.map { $0 + written }, chunk.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                var state = pollfd(fd: writeEnd, events: Int16(POLLOUT), revents: 0)
                guard poll(&state, 1, Int32(Self.silenceSeconds * 1_000)) != 0 else {
                    throw BenchFailure("meterd read nothing for \(Self.silenceSeconds) s")
                }
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                throw BenchFailure(system: "writing to meterd")
            }
        }
        return true
    }
}
