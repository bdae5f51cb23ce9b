// What a body looks like of which no event could be read, for whoever sent it.

import EventCodec

enum UnreadableBody {
    /// - Parameter reason: why the first of its texts is no event.
    static func explanation(_ text: UnsafeBufferPointer<UInt8>, as form: EventForm, reason: String) -> String {
        let body = text.withoutLeadingMarks
        if body.starts(with: [0x1F, 0x8B]) { return "the body is gzipped; say so with Content-Encoding: gzip" }
        guard let first = body.first(where: { !isSpace($0) }) else { return "the body is empty; send an event as JSON" }
        switch (form, first) {
        case (.lines, UInt8(ascii: "[")), (.structured, UInt8(ascii: "[")):
            return "the body is a JSON array; send it with Content-Type: \(EventForm.contentTypes[1])"
        case (.lines, UInt8(ascii: "{")) where isFollowedByObject(body):
            return """
                the body is one line with several JSON objects, so its line feeds are probably lost; curl -d takes them \
                away: send the file with curl --data-binary @FILE
                """
        case (.structured, UInt8(ascii: "{")) where isFollowedByObject(body):
            return "the body has several JSON objects; send them with Content-Type: \(EventForm.contentTypes[2])"
        case (.lines, UInt8(ascii: "{")):
            return """
                the first line, which begins with '\(beginning(of: body))', is no JSON object (\(reason)); send an event a \
                line, or one event over several lines with Content-Type: \(EventForm.contentTypes[0])
                """
        case (_, UInt8(ascii: "{")), (.batched, _): return reason
        default:
            return """
                the body is not JSON, it begins with '\(beginning(of: body))'; send usage events as JSON, in NDJSON one a \
                line
                """
        }
    }

    /// What to send instead, for a body that is no array.
    static func hint(forNoArray body: UnsafeBufferPointer<UInt8>) -> String {
        guard body.withoutLeadingMarks.first(where: { !isSpace($0) }) == UInt8(ascii: "{") else { return "" }
        return "; one event is sent with Content-Type: \(EventForm.contentTypes[0]), an event a line with "
            + EventForm.contentTypes[2]
    }

    /// The first line's first characters.
    private static func beginning(of body: UnsafeBufferPointer<UInt8>) -> String {
        let line = body.drop(while: isSpace).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return excerpt(String(decoding: line.prefix(256), as: UTF8.self), mostScalars: 40)
    }

    /// Whether the first line has another object behind its first one.
    private static func isFollowedByObject(_ body: UnsafeBufferPointer<UInt8>) -> Bool {
        var depth = 0
        var isInString = false
        var isEscaped = false
        var rest = body.drop(while: isSpace)
        while let byte = rest.popFirst() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                guard depth == 0 else { continue }
                return rest.first { !isSpace($0) } == UInt8(ascii: "{")
            default: break
            }
        }
        return false
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
