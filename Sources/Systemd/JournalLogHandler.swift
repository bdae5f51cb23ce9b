// swift-log's records as lines on standard error, as journald likes them.

import Foundation
package import Logging
import Synchronization

/// Where lines go: a descriptor that all handlers of a process share, so that their lines never mix.
package final class LogOutput: Sendable {
    package let style: LogStyle
    private let descriptor: Int32
    private let now: @Sendable () -> Int64
    private let writing = Mutex(())

    /// - Parameters:
    ///   - descriptor: stays open, and stays the caller's.
    ///   - style: by default what the environment says of the descriptor.
    ///   - now: microseconds since 1970-01-01T00:00:00Z.
    package init(
        descriptor: Int32 = STDERR_FILENO, style: LogStyle? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        now: @escaping @Sendable () -> Int64 = LogOutput.systemClock
    ) {
        self.descriptor = descriptor
        self.style = style ?? LogStyle.of(descriptor: descriptor, environment: environment)
        self.now = now
    }

    @Sendable package static func systemClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    fileprivate func write(level: Logger.Level, message: String, metadata: Logger.Metadata) {
        let line = LogLine.bytes(style, micros: now(), level: level, message: message, metadata: metadata)
        // One call writes the line, unless the reader is slow; the lock keeps others out of the middle even then.
        writing.withLock { _ in
            line.withUnsafeBytes { bytes in
                var rest = bytes
                while !rest.isEmpty {
                    let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                    if count < 0 && errno == EINTR { continue }
                    if count < 0 && errno == EAGAIN {
                        var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        poll(&writable, 1, -1)
                        continue
                    }
                    // Nobody can be told that the log is gone.
                    guard count > 0 else { return }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
        }
    }
}

/// Writes each record as one line; see ``LogLine``. To be set up once:
/// `LoggingSystem.bootstrap { [output = LogOutput()] _ in JournalLogHandler(output) }`.
package struct JournalLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata = Logger.Metadata()
    package var metadataProvider: Logger.MetadataProvider?
    private let output: LogOutput

    package init(_ output: LogOutput, level: Logger.Level = .info) {
        self.output = output
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// The record's own metadata win over the provider's, and those over the logger's.
    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        output.write(level: event.level, message: event.message.description, metadata: all)
    }
}
