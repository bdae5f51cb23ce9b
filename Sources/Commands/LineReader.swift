// Whole lines out of chunks of bytes, with a bound on what one line may hold.

import EventCodec

/// Collects bytes until there is a batch's worth of lines.
struct LineReader {
    /// Decompressed bytes a batch, about 17,000 events: what one transaction stores.
    static let batchBytes = 4 << 20
    private static let maxLineBytes = EventLimits.standard.eventBytes

    private var pending: [UInt8] = []
    /// Inside a line that is over the bound: its bytes are dropped until its end.
    private var isSkipping = false
    private(set) var linesSeen = 0

    /// A line of the input: its number from 1, and its bytes, nil for one over the bound.
    struct Line {
        let number: Int
        let bytes: UnsafeBufferPointer<UInt8>?
    }

    /// Adds bytes; once a batch is together, hands over its lines.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, _ body: ([Line]) throws -> Void) rethrows {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.batchBytes { try hand(endsInput: false, body) }
    }

    /// Hands over what is left at the end of an input.
    mutating func finish(_ body: ([Line]) throws -> Void) rethrows {
        try hand(endsInput: true, body)
        isSkipping = false
        linesSeen = 0
    }

    private mutating func hand(endsInput: Bool, _ body: ([Line]) throws -> Void) rethrows {
        var rest = 0
        var lines: [Line] = []
        try pending.withUnsafeBufferPointer { buffer in
            var splitter = LineSplitter(buffer, endsInput: endsInput, linesBefore: linesSeen)
            while let line = splitter.next() {
                if isSkipping {
                    // The end of a line whose beginning was dropped and reported.
                    isSkipping = false
                    continue
                }
                let isTooLong = line.count > Self.maxLineBytes
                lines.append(Line(number: splitter.lineNumber, bytes: isTooLong ? nil : line))
            }
            linesSeen = splitter.lineNumber
            rest = splitter.rest.count
            if rest > Self.maxLineBytes {
                if !isSkipping { lines.append(Line(number: linesSeen + 1, bytes: nil)) }
                isSkipping = true
                rest = 0
            }
            if !lines.isEmpty { try body(lines) }
        }
        pending.removeFirst(pending.count - rest)
        // Stands for the dropped beginning: the end of that line is then never taken for a blank line.
        if isSkipping, rest == 0 { pending.append(UInt8(ascii: "x")) }
    }
}
