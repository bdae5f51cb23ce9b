// Where the tests look: a file that is logged to.

import Foundation
import Glibc
import Logging
import Systemd

/// A file without a name, to log to.
final class LogFile: Sendable {
    let descriptor: Int32

    init() {
        let path = strdup(NSTemporaryDirectory() + "/meterd-log-XXXXXX")!
        defer { free(path) }
        descriptor = mkstemp(path)
        precondition(descriptor >= 0, "no file in the folder for temporary files")
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Writes to the file as journald wants it.
    var logger: Logger { logger(.journal) }

    func logger(_ style: LogStyle, level: Logger.Level = .trace) -> Logger {
        let output = LogOutput(descriptor: descriptor, style: style, now: { 1_799_553_600_123_456 })
        return Logger(label: "test") { _ in JournalLogHandler(output, level: level) }
    }

    var text: String {
        var file = stat()
        fstat(descriptor, &file)
        var bytes = [UInt8](repeating: 0, count: Int(file.st_size))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
