// Reads just enough of an answer of HTTP/1.1: its status, its length, and the counts of what came of the events.

/// The head of an answer. It has a `Content-Length`: meterd's answers to events do.
package struct HTTPAnswerHead: Equatable {
    package let status: Int
    /// Bytes through the blank line.
    package let headBytes: Int
    package let bodyBytes: Int

    package init(status: Int, headBytes: Int, bodyBytes: Int) {
        self.status = status
        self.headBytes = headBytes
        self.bodyBytes = bodyBytes
    }

    package enum Reading: Equatable {
        /// More bytes are needed.
        case incomplete
        case head(HTTPAnswerHead)
        /// This is no answer, or one without a length.
        case malformed
    }

    private static let maxBytes = 8_192

    package static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        var end = 3
        while true {
            guard end < bytes.count else { return bytes.count > maxBytes ? .malformed : .incomplete }
            if bytes[end] == newline, bytes[end - 1] == carriageReturn, bytes[end - 2] == newline { break }
            end += 1
        }
        // HTTP/1.1 200
        guard end > 12, bytes[0] == UInt8(ascii: "H"), bytes[8] == UInt8(ascii: " "),
            let status = number(bytes, from: 9)
        else { return .malformed }
        var line = 0
        while line < end {
            if let length = length(bytes, line: line) {
                return .head(HTTPAnswerHead(status: status, headBytes: end + 1, bodyBytes: length))
            }
            while line < end, bytes[line] != newline { line += 1 }
            line += 1
        }
        return .malformed
    }

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lengthName = Array("content-length:".utf8)

    private static func length(_ bytes: UnsafeRawBufferPointer, line: Int) -> Int? {
        guard line + lengthName.count < bytes.count else { return nil }
        for (offset, letter) in lengthName.enumerated() {
            // Letters in either case; '-' and ':' have that bit already.
            guard bytes[line + offset] | 0x20 == letter else { return nil }
        }
        var start = line + lengthName.count
        while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
        return number(bytes, from: start)
    }

    /// The digits at a place; nil where there is none.
    fileprivate static func number(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var value = 0
        var index = start
        while index < bytes.count, (48...57).contains(bytes[index]), index < start + 15 {
            value = value * 10 + Int(bytes[index] - 48)
            index += 1
        }
        return index > start ? value : nil
    }
}

/// What came of events; the four add up to those that were sent.
package struct EventCounts: Equatable {
    package var accepted = 0
    package var duplicates = 0
    package var corrections = 0
    package var refused = 0

    package init() {}

    /// Reads the beginning of `{"accepted":1,"duplicates":0,"corrections":0,"refused":0,…`.
    package init?(_ body: UnsafeRawBufferPointer) {
        var counts: [4 of Int] = .init(repeating: 0)
        var index = 0
        for which in counts.indices {
            while index < body.count, body[index] != UInt8(ascii: ":") { index += 1 }
            guard let count = HTTPAnswerHead.number(body, from: index + 1) else { return nil }
            counts[which] = count
            index += 1
        }
        (accepted, duplicates, corrections, refused) = (counts[0], counts[1], counts[2], counts[3])
    }

    package var sum: Int { accepted + duplicates + corrections + refused }

    package static func += (left: inout EventCounts, right: EventCounts) {
        left.accepted += right.accepted
        left.duplicates += right.duplicates
        left.corrections += right.corrections
        left.refused += right.refused
    }
}
