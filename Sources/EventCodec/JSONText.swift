// JSON as it is written: strings with what must be escaped in them, and what is not fit to show.

import Quantities

package enum JSONText {
    /// A text as a JSON string.
    package static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends a text as a JSON string in UTF-8. Characters that are not fit to show (``ShownText``) stand as `\uXXXX`: the
    /// same text for every reader of JSON, and harmless on a terminal.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        // Byte by byte as long as a byte tells; what is not ASCII is looked at as a character.
        if text.utf8.allSatisfy({ $0 < 0x7F }) {
            for byte in text.utf8 { append(ascii: byte, to: &bytes) }
        } else {
            for scalar in text.unicodeScalars {
                if scalar.value < 0x7F {
                    append(ascii: UInt8(scalar.value), to: &bytes)
                } else if ShownText.isUnfit(scalar) {
                    for unit in scalar.utf16 { appendEscape(unit, to: &bytes) }
                } else {
                    bytes += scalar.utf8
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func append(ascii byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case UInt8(ascii: "\n"): bytes += "\\n".utf8
        case UInt8(ascii: "\r"): bytes += "\\r".utf8
        case UInt8(ascii: "\t"): bytes += "\\t".utf8
        case 0..<0x20: appendEscape(UInt16(byte), to: &bytes)
        default: bytes.append(byte)
        }
    }

    private static func appendEscape(_ unit: UInt16, to bytes: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        bytes += "\\u".utf8
        for _ in digits.utf8.count..<4 { bytes.append(UInt8(ascii: "0")) }
        bytes += digits.utf8
    }
}
