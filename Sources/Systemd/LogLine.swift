// A log record as the bytes of one line.

import Foundation
import Glibc
package import Logging
import Quantities

/// How a line begins.
package enum LogStyle: Sendable, Equatable {
    /// `<6>`: the priority that journald reads off each line. It knows the time itself.
    case journal
    /// `2027-01-10T04:00:00.123Z info `: for terminals, files and other collectors.
    case timestamped

    /// `journal` if `JOURNAL_STREAM` names the very file that the descriptor is. A child whose output was redirected
    /// inherits the variable too.
    package static func of(descriptor: Int32, environment: [String: String]) -> LogStyle {
        var file = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(descriptor, &file) == 0 else { return .timestamped }
        return stream == "\(file.st_dev):\(file.st_ino)" ? .journal : .timestamped
    }
}

/// The text of a line: beginning, message, then metadata as logfmt, `key=value`, in the order of the keys' bytes.
package enum LogLine {
    /// Below the 48 KiB at which journald breaks a line in two. What is longer is cut off.
    package static let longestLine = 32_768

    /// The line with its line feed, which is the only one in it.
    ///
    /// - Parameter micros: since 1970-01-01T00:00:00Z.
    package static func bytes(
        _ style: LogStyle, micros: Int64, level: Logger.Level, message: String, metadata: Logger.Metadata
    ) -> [UInt8] {
        var line =
            switch style {
            case .journal: "<\(priority(level))>"
            case .timestamped: "\(timestamp(micros: micros)) \(level) "
            }
        append(message, to: &line, quoted: false)
        for (key, value) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            line += " \(clean(key: key))="
            let text = plain(value)
            let quoted = needsQuotes(text)
            if quoted { line += "\"" }
            append(text, to: &line, quoted: quoted)
            if quoted { line += "\"" }
        }
        var bytes = Array(line.utf8)
        if bytes.count >= longestLine { cut(&bytes) }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    // MARK: The beginning

    /// Of `sd-daemon(3)`: those of syslog.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// RFC 3339, UTC, to the millisecond.
    private static func timestamp(micros: Int64) -> String {
        let millis = micros / 1000
        var seconds = time_t(millis / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let time = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(time).\(padded(millis % 1000, 3))Z"
    }

    // MARK: Text

    /// Keys cannot be quoted.
    private static func clean(key: String) -> String {
        guard !key.isEmpty else { return "_" }
        return String(String.UnicodeScalarView(key.unicodeScalars.map { isPlain($0) ? $0 : "_" }))
    }

    /// A nested value in a notation of its own, in the order of its keys: `[1,2]`, `{a:1,b:2}`.
    private static func plain(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): return text
        case .stringConvertible(let value): return value.description
        case .array(let values): return "[" + values.map(plain).joined(separator: ",") + "]"
        case .dictionary(let members):
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return "{" + sorted.map { "\($0.key):\(plain($0.value))" }.joined(separator: ",") + "}"
        }
    }

    private static func needsQuotes(_ text: String) -> Bool { text.isEmpty || !text.unicodeScalars.allSatisfy(isPlain) }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\"" && scalar != "=" && scalar != "\\" && !scalar.properties.isWhitespace
            && !ShownText.isUnfit(scalar)
    }

    /// Characters that are not fit to show are escaped as in JSON; where quotes surround the text, quotes and backslashes too.
    private static func append(_ text: String, to line: inout String, quoted: Bool) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\"" where quoted, "\\" where quoted: line += "\\\(scalar)"
            case _ where ShownText.isUnfit(scalar):
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    /// Leaves room for the mark and the line feed, and no half of a character.
    private static func cut(_ bytes: inout [UInt8]) {
        let mark = Array("…".utf8)
        var end = longestLine - mark.count - 1
        while bytes[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        bytes.removeSubrange(end...)
        bytes += mark
    }
}
