// Where the tests look: a service manager's socket, and a file that is logged to.

import Foundation
import Glibc
import Logging
import Systemd

/// A bound datagram socket, as a service manager has it.
final class NotifySocket: Sendable {
    enum Place: CaseIterable, Sendable {
        case path, abstract
    }

    struct Failure: Error {
        let step: String
        let code = errno
    }

    /// What `NOTIFY_SOCKET` says.
    let name: String
    private let descriptor: Int32

    init(_ place: Place) throws {
        let unique = "meterd-notify-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        name = place == .path ? NSTemporaryDirectory() + "/" + unique : "@" + unique
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(step: "socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: name.utf8)
            if place == .abstract { path[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count + (place == .path ? 1 : 0))
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard bound == 0 else { throw Failure(step: "bind") }
    }

    deinit {
        close(descriptor)
        if name.hasPrefix("/") { unlink(name) }
    }

    /// The datagrams that have arrived since it was last asked.
    func received() -> [String] {
        var datagrams: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return datagrams }
            datagrams.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }
}

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
