// Eight bytes looked at in one go: the arithmetic behind the scanner's speed, kept in one place.

/// Eight consecutive bytes as an integer, the first byte in the lowest bits on every machine.
///
/// The tests for bytes answer with a mask whose *lowest* set bit lies in the first byte that fits; bits above it may
/// be false alarms (a borrow runs upwards), so only `firstByte(of:)` of a mask, or its being zero, means anything.
struct ByteWord {
    let bits: UInt64

    /// The caller has made sure that eight bytes are there.
    @inline(__always)
    init(at start: UnsafePointer<UInt8>) {
        bits = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    private func mask(equalTo byte: UInt8) -> UInt64 {
        let difference = bits ^ (Self.ones &* UInt64(byte))
        return (difference &- Self.ones) & ~difference & Self.highs
    }

    @inline(__always)
    private var controls: UInt64 {
        (bits &- Self.ones &* 0x20) & ~bits & Self.highs
    }

    /// Bytes at which a JSON string stops being plain: quote, backslash, control character, beyond ASCII.
    @inline(__always)
    var endsOfPlainText: UInt64 {
        mask(equalTo: UInt8(ascii: "\"")) | mask(equalTo: UInt8(ascii: "\\")) | controls | (bits & Self.highs)
    }

    /// Quote or backslash: where a string that nobody validates may end.
    @inline(__always)
    var quotesAndBackslashes: UInt64 {
        mask(equalTo: UInt8(ascii: "\"")) | mask(equalTo: UInt8(ascii: "\\"))
    }

    /// Bytes that are, or may begin, a control character: below U+0020, U+007F, and 0xC2 (U+0080 to U+00BF).
    @inline(__always)
    var possibleControls: UInt64 {
        controls | mask(equalTo: 0x7F) | mask(equalTo: 0xC2)
    }

    @inline(__always)
    var newlines: UInt64 { mask(equalTo: UInt8(ascii: "\n")) }

    /// The index, 0 to 7, of the first byte that a non-zero mask marks.
    @inline(__always)
    static func firstByte(of mask: UInt64) -> Int { mask.trailingZeroBitCount >> 3 }
}

extension UnsafePointer<UInt8> {
    /// Whether the `count` bytes from here equal those from `other`.
    @inline(__always)
    func matches(_ other: UnsafePointer<UInt8>, count: Int) -> Bool {
        var at = 0
        while count - at >= 8 {
            if ByteWord(at: self + at).bits != ByteWord(at: other + at).bits { return false }
            at += 8
        }
        while at < count {
            if self[at] != other[at] { return false }
            at += 1
        }
        return true
    }
}
