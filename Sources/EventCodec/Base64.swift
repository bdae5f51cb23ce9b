// The data of an event that came as base64 (RFC 4648, section 4), which CloudEvents allows in place of JSON.

enum Base64 {
    /// Decodes a text with padding and without line breaks.
    ///
    /// - Parameter out: has room for three bytes for each four of the text.
    /// - Returns: how many bytes it is, or nil for what is no base64.
    static func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
        guard text.count % 4 == 0 else { return nil }
        var padding = 0
        while padding < min(2, text.count), text.start[text.count - 1 - padding] == UInt8(ascii: "=") { padding += 1 }
        var (bits, held, count): (UInt32, UInt32, Int) = (0, 0, 0)
        for byte in text.buffer.dropLast(padding) {
            guard let value = value(of: byte) else { return nil }
            bits = bits << 6 | value
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            out[count] = UInt8(truncatingIfNeeded: bits >> held)
            count += 1
        }
        // Two texts must not stand for the same bytes: what is left over is zero.
        guard bits & (1 << held - 1) == 0 else { return nil }
        return count
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
