// A borrowed run of bytes: how the fields of an event are handed on without a copy.

/// A run of bytes inside the buffer that was scanned, or, for strings with escapes, inside the scanner's scratch.
///
/// Valid until that buffer goes or the scanner is reset, whichever is first. Equality, order and hash are those of the
/// bytes: codes and device ids are told apart even where `String` would call them canonically equal.
package struct Bytes {
    package let start: UnsafePointer<UInt8>
    package let count: Int

    package init(start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    package init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.start = buffer.baseAddress ?? Bytes.empty.start
        self.count = buffer.count
    }

    /// No bytes at all. Its address is never read.
    package static var empty: Bytes {
        Bytes(start: UnsafePointer(bitPattern: 1).unsafelyUnwrapped, count: 0)
    }

    package var isEmpty: Bool { count == 0 }

    package var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    /// A copy that outlives the buffer. What is not UTF-8 (possible only in runs the scanner has not validated) comes
    /// out as replacement characters.
    package var string: String { String(decoding: buffer, as: UTF8.self) }

    @inline(__always)
    package static func == (bytes: Bytes, literal: StaticString) -> Bool {
        bytes.count == literal.utf8CodeUnitCount && bytes.start.matches(literal.utf8Start, count: bytes.count)
    }
}

extension Bytes: Hashable, Comparable {
    @inline(__always)
    package static func == (left: Bytes, right: Bytes) -> Bool {
        left.count == right.count && left.start.matches(right.start, count: left.count)
    }

    package static func < (left: Bytes, right: Bytes) -> Bool {
        let shared = min(left.count, right.count)
        var at = 0
        while shared - at >= 8 {
            let (a, b) = (ByteWord(at: left.start + at), ByteWord(at: right.start + at))
            if a.bits != b.bits { return a.bits.byteSwapped < b.bits.byteSwapped }
            at += 8
        }
        while at < shared {
            if left.start[at] != right.start[at] { return left.start[at] < right.start[at] }
            at += 1
        }
        return left.count < right.count
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytes: UnsafeRawBufferPointer(buffer))
    }
}
