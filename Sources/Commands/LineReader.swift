// Whole lines out of chunks of bytes, with a bound on what one line may hold.

import EventCodec
import Foundation
import Ingestion

/// Lines of an input with the memory that holds them: what one transaction stores. Handed from the thread that reads to
/// the one that stores, so no two use it at once.
final class LineChunk: @unchecked Sendable {
    /// A line of the input: its number from 1, and its bytes, nil for one over the bound.
    struct Line {
        let number: Int
        let bytes: UnsafeBufferPointer<UInt8>?
    }

    fileprivate(set) var lines: [Line] = []
    /// What the scanner made of the lines, where that is done here.
    let batch: EventBatch?
    /// How much of the input had been read when the chunk was full.
    var inputOffset = 0

    private var memory: UnsafeMutableBufferPointer<UInt8>
    fileprivate private(set) var count = 0

    /// - Parameter batch: takes the lines when the chunk is full; nil where somebody else scans them.
    init(batch: EventBatch?) {
        self.batch = batch
        memory = .allocate(capacity: LineReader.chunkBytes + LineReader.chunkBytes / 8)
    }

    deinit { memory.deallocate() }

    fileprivate var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: memory[0..<count]) }

    fileprivate func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        if count + bytes.count > memory.count {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(
                capacity: max(memory.count * 2, count + bytes.count))
            _ = larger.update(fromContentsOf: self.bytes)
            memory.deallocate()
            memory = larger
        }
        _ = UnsafeMutableBufferPointer(rebasing: memory[count...]).update(fromContentsOf: bytes)
        count += bytes.count
    }

    /// Drops all bytes but these, which are some of its own.
    fileprivate func keep(_ rest: UnsafeBufferPointer<UInt8>) {
        if let from = rest.baseAddress, let to = memory.baseAddress { memmove(to, from, rest.count) }
        count = rest.count
    }

    fileprivate func scan() {
        guard let batch else { return }
        for line in lines { batch.add(line: line.bytes) }
    }

    func empty() {
        batch?.reset()
        lines.removeAll(keepingCapacity: true)
        count = 0
    }
}

/// Collects bytes until there is a chunk's worth of lines.
struct LineReader {
    /// Decompressed bytes a chunk, about 35,000 events.
    static let chunkBytes = 8 << 20
    private static let maxLineBytes = EventLimits.standard.eventBytes

    private var pending: LineChunk
    /// Gives an empty chunk.
    private let empty: () -> LineChunk
    /// Inside a line that is over the bound: its bytes are dropped until its end.
    private var isSkipping = false
    private var linesSeen = 0

    init(empty: @escaping () -> LineChunk) {
        self.empty = empty
        pending = empty()
    }

    /// Adds bytes; once a chunk is full, hands it over, scanned.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (LineChunk) throws -> Void) rethrows {
        pending.append(bytes)
        if pending.count >= Self.chunkBytes { try hand(endsInput: false, body) }
    }

    /// Hands over what is left at the end of the input.
    ///
    /// - Parameter isCut: the input should have gone on: only whole lines are meant.
    mutating func finish(isCut: Bool, _ body: (LineChunk) throws -> Void) rethrows {
        try hand(endsInput: !isCut, body)
    }

    private mutating func hand(endsInput: Bool, _ body: (LineChunk) throws -> Void) rethrows {
        let chunk = pending
        var splitter = LineSplitter(chunk.bytes, endsInput: endsInput, linesBefore: linesSeen)
        while let line = splitter.next() {
            if isSkipping {
                // The end of a line whose beginning was dropped and reported.
                isSkipping = false
                continue
            }
            let isTooLong = line.count > Self.maxLineBytes
            chunk.lines.append(LineChunk.Line(number: splitter.lineNumber, bytes: isTooLong ? nil : line))
        }
        linesSeen = splitter.lineNumber
        var rest = splitter.rest
        if rest.count > Self.maxLineBytes {
            if !isSkipping { chunk.lines.append(LineChunk.Line(number: linesSeen + 1, bytes: nil)) }
            isSkipping = true
            rest = UnsafeBufferPointer(rebasing: rest[0..<0])
        }
        if chunk.lines.isEmpty {
            // Blank lines, or the inside of one that is too long: nobody would give the chunk back.
            chunk.keep(rest)
        } else {
            pending = empty()
            pending.append(rest)
        }
        // Stands for the dropped beginning: the end of that line is then never taken for a blank line.
        if isSkipping, rest.isEmpty { [UInt8(ascii: "x")].withUnsafeBufferPointer { pending.append($0) } }
        guard !chunk.lines.isEmpty else { return }
        chunk.scan()
        try body(chunk)
    }
}
