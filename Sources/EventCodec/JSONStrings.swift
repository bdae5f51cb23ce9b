// Strings of a JSON text: validated where they stand, and copied only when they have escapes and are needed.

/// What stands between the quotes of a valid string, escapes as written.
struct StringToken {
    let bytes: Bytes
    let hasEscapes: Bool
}

extension JSONScanner {
    /// Passes the string whose opening quote is here.
    @inline(__always)
    mutating func scanString() throws(JSONFault) -> StringToken {
        let start = position + 1
        var at = start
        var hasEscapes = false
        while true {
            while end - at >= 8 {
                let stops = ByteWord(at: at).endsOfPlainText
                if stops != 0 {
                    at += ByteWord.firstByte(of: stops)
                    break
                }
                at += 8
            }
            guard at < end else { throw fault(.endOfText, at: end) }
            let byte = at.pointee
            if byte == UInt8(ascii: "\"") {
                position = at + 1
                return StringToken(bytes: Bytes(start: start, count: at - start), hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                at += try checkedEscape(at)
                hasEscapes = true
            } else if byte >= 0x80 {
                at += try checkedSequence(at)
            } else if byte < 0x20 {
                throw fault(.control, at: at)
            } else {
                at += 1
            }
        }
    }

    /// Length of the escape at `at`: 2, 6, or 12 for a surrogate pair.
    private func checkedEscape(_ at: UnsafePointer<UInt8>) throws(JSONFault) -> Int {
        guard end - at >= 2 else { throw fault(.endOfText, at: end) }
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(at)
            if unit & 0xF800 != 0xD800 { return 6 }
            guard unit < 0xDC00 else { throw fault(.loneSurrogate, at: at) }
            guard end - at >= 8, at[6] == UInt8(ascii: "\\"), at[7] == UInt8(ascii: "u"),
                try codeUnit(at + 6) & 0xFC00 == 0xDC00
            else { throw fault(.loneSurrogate, at: at) }
            return 12
        default:
            throw fault(.badEscape, at: at)
        }
    }

    /// The four hexadecimal digits of the `\u` at `at`.
    private func codeUnit(_ at: UnsafePointer<UInt8>) throws(JSONFault) -> UInt32 {
        guard end - at >= 6 else { throw fault(.endOfText, at: end) }
        var unit: UInt32 = 0
        for i in 2..<6 {
            guard let digit = at[i].hexadecimalValue else { throw fault(.badEscape, at: at) }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// Length, 2 to 4, of the UTF-8 sequence at `at`; the table is Unicode's table 3-7.
    private func checkedSequence(_ at: UnsafePointer<UInt8>) throws(JSONFault) -> Int {
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch at.pointee {
        case 0xC2...0xDF: count = 2
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: count = 3
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: count = 4
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: throw fault(.badUTF8, at: at)
        }
        guard end - at >= count, second.contains(at[1]), count < 3 || at[2] & 0xC0 == 0x80,
            count < 4 || at[3] & 0xC0 == 0x80
        else { throw fault(.badUTF8, at: at) }
        return count
    }

    /// The content of a string that `scanString` has passed: in place if it has no escapes, else in the scratch.
    @inline(__always)
    func unescape(_ token: StringToken) -> Bytes {
        token.hasEscapes ? unescapedCopy(token.bytes) : token.bytes
    }

    private func unescapedCopy(_ written: Bytes) -> Bytes {
        let out = scratch.pointee.arena.reserve(written.count)  // an escape is never shorter than what it stands for
        var length = 0
        var at = 0
        while at < written.count {
            guard written.start[at] == UInt8(ascii: "\\") else {
                out[length] = written.start[at]
                (length, at) = (length + 1, at + 1)
                continue
            }
            let escape = written.start + at
            guard escape[1] == UInt8(ascii: "u") else {
                out[length] = escape[1].unescaped
                (length, at) = (length + 1, at + 2)
                continue
            }
            var code = Self.validCodeUnit(escape)
            at += 6
            if code & 0xF800 == 0xD800 {
                code = 0x10000 + (code & 0x3FF) << 10 + Self.validCodeUnit(escape + 6) & 0x3FF
                at += 6
            }
            length += Self.encode(code, to: out + length)
        }
        scratch.pointee.arena.commit(length)
        return Bytes(start: out, count: length)
    }

    private static func validCodeUnit(_ escape: UnsafePointer<UInt8>) -> UInt32 {
        (2..<6).reduce(0) { unit, i in unit << 4 | (escape[i].hexadecimalValue ?? 0) }
    }

    private static func encode(_ code: UInt32, to out: UnsafeMutablePointer<UInt8>) -> Int {
        func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(code >> shift & 0x3F) }
        switch code {
        case ..<0x80:
            out[0] = UInt8(code)
            return 1
        case ..<0x800:
            (out[0], out[1]) = (0xC0 | UInt8(code >> 6), continuation(0))
            return 2
        case ..<0x10000:
            (out[0], out[1], out[2]) = (0xE0 | UInt8(code >> 12), continuation(6), continuation(0))
            return 3
        default:
            (out[0], out[1], out[2], out[3]) =
                (0xF0 | UInt8(code >> 18), continuation(12), continuation(6), continuation(0))
            return 4
        }
    }
}

extension UInt8 {
    fileprivate var hexadecimalValue: UInt32? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self) - 48
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self) - 55
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self) - 87
        default: nil
        }
    }

    /// What the letter of a two-character escape stands for.
    fileprivate var unescaped: UInt8 {
        switch self {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: self
        }
    }
}
