// What may stand before a text without being part of it: white space, byte order marks, NUL bytes.

extension UnsafeBufferPointer<UInt8> {
    /// The text without what some programs put before it: a byte order mark of UTF-8, which also lands in the middle of
    /// files that are joined, and the NUL bytes of a file that was made longer before it was written.
    package var withoutLeadingMarks: UnsafeBufferPointer<UInt8> {
        var first = 0
        while first < count {
            if self[first].isJSONWhiteSpace || self[first] == 0 {
                first += 1
            } else if self[first...].starts(with: LineSplitter.byteOrderMark) {
                first += LineSplitter.byteOrderMark.count
            } else {
                break
            }
        }
        return UnsafeBufferPointer(rebasing: self[first...])
    }

    /// Whether a text begins as one in UTF-16 does.
    var beginsAsUTF16: Bool { starts(with: [0xFF, 0xFE]) || starts(with: [0xFE, 0xFF]) }
}
