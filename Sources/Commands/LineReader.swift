// Whole lines out of chunks of bytes, with a bound on what one line may hold.

import EventCodec
import Foundation
import Ingestion
import UsageStore

/// Lines of an input, which are what one transaction stores. Handed from the thread that reads to the one that stores, so
/// no two use them at once.
class LineBatch: @unchecked Sendable {
    /// A line of the input: its number from 1, and its bytes, nil for one over the bound.
    struct Line {
        let number: Int
        let bytes: UnsafeBufferPointer<UInt8>?
    }

    final var lines: [Line] = []
    /// What the scanner made of the lines, where that is done here.
    final let events: EventBatch?

    /// - Parameter key: of the ledger, to scan with; nil where somebody else scans.
    init(key: FingerprintKey?) { events = key.map { EventBatch(key: $0) } }

    final func scan() {
        guard let events else { return }
        for line in lines { events.add(line: line.bytes) }
    }

    func empty() {
        events?.reset()
        lines.removeAll(keepingCapacity: true)
    }
}

/// Lines with the memory that holds them.
final class LineChunk: LineBatch, @unchecked Sendable {
    /// How much of the input had been read when the chunk was full.
    fileprivate(set) var inputOffset = 0

    fileprivate let memory = GrowingBytes(capacity: LineReader.chunkBytes + LineReader.chunkBytes / 8)

    override func empty() {
        super.empty()
        memory.keep(UnsafeBufferPointer(start: nil, count: 0))
    }
}

/// Collects bytes until there is a chunk's worth of lines.
struct LineReader {
    /// Decompressed bytes a chunk, about 35,000 events.
    static let chunkBytes = 8 << 20
    /// Lines a chunk: a line takes more memory than its text, most of all one that is refused.
    private static let chunkLines = 40_000
    private static let maxLineBytes = EventLimits.standard.eventBytes
    /// How long a whole line of a live input waits for others before it is handed over.
    private static let mostWait = Duration.milliseconds(500)

    private var pending: LineChunk
    private let exchange: WorkAhead<LineChunk>.Exchange
    /// Inside a line that is over the bound: its bytes are dropped until its end.
    private var isSkipping = false
    private var linesSeen = 0
    private var inputOffset = 0
    private let isLive: Bool
    /// Since when a whole line has been waiting, where the input is live.
    private var waitsSince: ContinuousClock.Instant?

    /// Reads and scans an input on a thread of its own.
    ///
    /// - Parameter key: of the ledger, to scan with; nil where somebody else scans.
    /// - Returns: its chunks. In the end it throws ``InputCut``, when all whole lines before that have come, or
    ///   ``Failure`` when the input is damaged.
    static func ahead(of input: EventFile, key: FingerprintKey?) -> WorkAhead<LineChunk> {
        WorkAhead((0..<3).map { _ in LineChunk(key: key) }) { exchange in
            var reader = try LineReader(exchange, isLive: input.isLive)
            do {
                try input.read(waiting: { try reader.handWhatWaits() }) { try reader.add($0, inputOffset: $1) }
            } catch let cut as InputCut {
                try reader.hand(endsInput: false)
                throw cut
            }
            try reader.hand(endsInput: true)
        }
    }

    private init(_ exchange: WorkAhead<LineChunk>.Exchange, isLive: Bool) throws {
        self.exchange = exchange
        self.isLive = isLive
        pending = try exchange.takeEmpty()
    }

    /// Adds bytes; once a chunk is full, hands it over, scanned.
    private mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, inputOffset: Int) throws {
        pending.memory.append(bytes)
        self.inputOffset = inputOffset
        if pending.memory.count >= Self.chunkBytes { try hand(endsInput: false) }
        if isLive, waitsSince == nil, bytes.contains(UInt8(ascii: "\n")) { waitsSince = .now }
    }

    /// Hands over what has waited long enough.
    ///
    /// - Returns: how many milliseconds until something will have, -1 if nothing waits.
    private mutating func handWhatWaits() throws -> Int32 {
        guard let waitsSince else { return -1 }
        let rest = waitsSince + Self.mostWait - .now
        guard rest <= .zero else { return max(1, Int32(rest / .milliseconds(1))) }
        try hand(endsInput: false)
        return -1
    }

    /// Hands over all whole lines.
    ///
    /// - Parameter endsInput: what follows the last line feed is a line as well.
    private mutating func hand(endsInput: Bool) throws {
        waitsSince = nil
        while try handChunk(endsInput: endsInput) {}
    }

    /// - Returns: whether there may be more whole lines.
    private mutating func handChunk(endsInput: Bool) throws -> Bool {
        let chunk = pending
        var splitter = LineSplitter(chunk.memory.bytes, endsInput: endsInput, linesBefore: linesSeen)
        while chunk.lines.count < Self.chunkLines, let line = splitter.next() {
            if isSkipping {
                // The end of a line whose beginning was dropped and reported.
                isSkipping = false
                continue
            }
            let isTooLong = line.count > Self.maxLineBytes
            chunk.lines.append(LineBatch.Line(number: splitter.lineNumber, bytes: isTooLong ? nil : line))
        }
        linesSeen = splitter.lineNumber
        var rest = splitter.rest
        let isFull = chunk.lines.count == Self.chunkLines
        if !isFull, rest.count > Self.maxLineBytes {
            if !isSkipping { chunk.lines.append(LineBatch.Line(number: linesSeen + 1, bytes: nil)) }
            isSkipping = true
            rest = UnsafeBufferPointer(rebasing: rest[0..<0])
        }
        if chunk.lines.isEmpty {
            // Blank lines, or the inside of one that is too long: nobody would give the chunk back.
            chunk.memory.keep(rest)
        } else {
            pending = try exchange.takeEmpty()
            pending.memory.append(rest)
        }
        // Stands for the dropped beginning: the end of that line is then never taken for a blank line.
        if isSkipping, rest.isEmpty { [UInt8(ascii: "x")].withUnsafeBufferPointer { pending.memory.append($0) } }
        guard !chunk.lines.isEmpty else { return false }
        chunk.scan()
        chunk.inputOffset = inputOffset
        try exchange.hand(chunk)
        return isFull
    }
}
