// NDJSON: one event a line. Finds the lines of a buffer without looking into them.

/// The lines of a part of an NDJSON input, in order. A line ends with `\n`, with or without `\r` before it; lines of
/// nothing but white space are passed over.
///
///     var lines = LineSplitter(part)
///     while let line = lines.next() { … scanner.scan(line) … }
///     // lines.rest begins the next part
package struct LineSplitter {
    /// The number, from 1, of the line that came last, the blank ones counted too.
    package private(set) var lineNumber: Int
    private var position: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let endsInput: Bool

    /// - Parameters:
    ///   - endsInput: This is the last part: what follows the last `\n` is a line as well.
    ///   - linesBefore: Lines of the parts before this one, for `lineNumber`.
    package init(_ part: UnsafeBufferPointer<UInt8>, endsInput: Bool = false, linesBefore: Int = 0) {
        let bytes = Bytes(part)
        position = bytes.start
        end = bytes.start + bytes.count
        lineNumber = linesBefore
        self.endsInput = endsInput
        if linesBefore == 0, part.starts(with: Self.byteOrderMark) { position += Self.byteOrderMark.count }
    }

    /// What some programs begin a text in UTF-8 with; it is no part of the first line.
    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The next complete line that isn't blank, without its end.
    package mutating func next() -> UnsafeBufferPointer<UInt8>? {
        while position < end {
            let newline = Self.newline(from: position, to: end)
            if newline == end && !endsInput { return nil }
            let start = position
            position = newline < end ? newline + 1 : end
            lineNumber += 1
            var last = newline
            if newline < end, last > start, last[-1] == UInt8(ascii: "\r") { last -= 1 }
            let line = UnsafeBufferPointer(start: start, count: last - start)
            if !Self.isBlank(line) { return line }
        }
        return nil
    }

    /// What no line has been made of yet: after `next` has answered `nil`, the unfinished line at the end.
    package var rest: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: position, count: end - position) }

    /// Whether there is nothing but white space and byte order marks, as where an empty file that begins with one was
    /// joined to others. NUL bytes are not blank: where they stand, something may have been lost.
    package static func isBlank(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.first(where: { !$0.isJSONWhiteSpace }) else { return true }
        return first == byteOrderMark[0] && !line.contains(0) && line.withoutLeadingMarks.isEmpty
    }

    /// The first `\n`, or `end`.
    private static func newline(
        from start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var at = start
        while end - at >= 32 {
            let any =
                ByteWord(at: at).newlines | ByteWord(at: at + 8).newlines | ByteWord(at: at + 16).newlines
                | ByteWord(at: at + 24).newlines
            if any != 0 { break }
            at += 32
        }
        while end - at >= 8 {
            let newlines = ByteWord(at: at).newlines
            if newlines != 0 { return at + ByteWord.firstByte(of: newlines) }
            at += 8
        }
        while at < end, at.pointee != UInt8(ascii: "\n") { at += 1 }
        return at
    }
}
