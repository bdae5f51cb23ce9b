// The few fields of generated lines that others than meterd need: rows for PostgreSQL, lines for further items.

import Foundation

/// Texts of a line that the generator has made; it is no parser of events.
struct EventFields {
    private let line: UnsafeRawBufferPointer

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    /// What stands before a field's text, from its first quote on.
    enum Field: String {
        case app = "\"subject\":\""
        case feature = "\"feature\":\""
        case device = "\"device\":\""
        case time = "\"time\":\""
    }

    /// Where a field's text lies in the line; nil where the line has none.
    func range(of field: Field) -> Range<Int>? {
        guard let start = line.baseAddress else { return nil }
        let name = field.rawValue
        let length = name.utf8.count
        var place = 0
        while let quote = memchr(start + place, 0x22, line.count - place) {
            let found = UnsafeRawPointer(quote) - start
            let first = found + length
            if first < line.count, memcmp(quote, name, length) == 0 {
                guard let end = memchr(start + first, 0x22, line.count - first) else { return nil }
                return first..<UnsafeRawPointer(end) - start
            }
            place = found + 1
        }
        return nil
    }

    func bytes(of field: Field) throws -> UnsafeRawBufferPointer {
        guard let range = range(of: field) else {
            let text = String(decoding: line.prefix(300), as: UTF8.self)
            throw BenchFailure("an event without \(field.rawValue): \(text)")
        }
        return UnsafeRawBufferPointer(rebasing: line[range])
    }

    func text(of field: Field) throws -> String { String(decoding: try bytes(of: field), as: UTF8.self) }
}

extension [UInt8] {
    /// Calls with each line of whole lines, its end included.
    func eachLine(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
                try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
    }
}
