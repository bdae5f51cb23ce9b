// What an input looks like that holds no events, and what to do about it.

import EventCodec

enum InputShape {
    /// - Parameter line: the first line of the input that is not blank.
    /// - Returns: nil where it looks like events, or like nothing known.
    static func hint(firstLine line: UnsafeBufferPointer<UInt8>) -> String? {
        func begins(_ bytes: [UInt8]) -> Bool { line.starts(with: bytes) }
        func begins(_ text: StaticString) -> Bool {
            line.starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        if begins("SQLite format 3") { return "it is an SQLite database" }
        if begins([0xFF, 0xFE]) || begins([0xFE, 0xFF]) { return "it is UTF-16; write it in UTF-8" }
        if begins([0x50, 0x4B, 3, 4]) || begins([0x28, 0xB5, 0x2F, 0xFD]) || begins("BZh")
            || begins([0xFD, 0x37, 0x7A])
        {
            return "it is packed in another way than by gzip; unpack it first"
        }
        let text = line.withoutLeadingMarks
        guard let first = text.first else { return nil }
        switch first {
        case UInt8(ascii: "["):
            return "it looks like a JSON array; \"jq -c '.[]' FILE\" writes each of its events on a line"
        case UInt8(ascii: "{"):
            return "it looks like JSON over several lines; 'jq -c . FILE' writes each event on a line"
        case UInt8(ascii: "\""), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            let separators: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
            return text.contains { separators.contains($0) } ? "it looks like CSV" : nil
        default: return nil
        }
    }
}
