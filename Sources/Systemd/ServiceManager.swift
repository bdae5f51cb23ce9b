// What the program tells the service manager that started it, and how often that wants to hear that it is alive.

import Foundation
import Glibc
package import Logging
import Quantities
import Synchronization

/// The service manager (systemd) as its environment variables name it; without one, nothing is sent.
///
/// Each notification is one datagram of the protocol of `sd_notify(3)`. None ever stops or fails the program: what cannot
/// be sent is logged, once, and the answer is `false`. Under systemd the unit needs `Type=notify` and, because any thread
/// may send, no more than `NotifyAccess=main`.
package final class ServiceManager: Sendable {
    /// How often to call ``watchdog()``: half of the time after which the service manager takes the program for hung.
    /// `nil` if it does not watch this process.
    package let watchdogInterval: Duration?

    /// Whether there is anybody to notify.
    package var isPresent: Bool { socketName != nil }

    private let socketName: String?
    private let logger: Logger?
    private let complained = Mutex(false)

    /// A service manager that takes no message within this time is left alone, so that it cannot hold up the program.
    private static let sendTimeoutSeconds = 1

    /// - Parameters:
    ///   - environment: of this process: `NOTIFY_SOCKET`, a path or `@` and an abstract name, `WATCHDOG_USEC` and
    ///     `WATCHDOG_PID`.
    ///   - logger: hears of the first notification that fails.
    package init(
        environment: [String: String] = ProcessInfo.processInfo.environment, logger: Logger? = nil
    ) {
        let name = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        self.socketName = name
        self.watchdogInterval = name == nil ? nil : Self.watchdogInterval(environment)
        self.logger = logger
    }

    /// The program has started: clients may connect, units ordered after this one start.
    @discardableResult
    package func ready(status: String) -> Bool { send("READY=1\nSTATUS=\(status.fitToShow)") }

    /// A line for `systemctl status`.
    @discardableResult
    package func status(_ text: String) -> Bool { send("STATUS=\(text.fitToShow)") }

    /// The program is alive; to be said every ``watchdogInterval``.
    @discardableResult
    package func watchdog() -> Bool { send("WATCHDOG=1") }

    /// The program has begun to stop.
    @discardableResult
    package func stopping() -> Bool { send("STOPPING=1") }

    // MARK: The protocol

    private static func watchdogInterval(_ environment: [String: String]) -> Duration? {
        guard let limitMicros = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), limitMicros > 1 else { return nil }
        // A child of the watched process inherits its variables, but is not watched.
        if let watched = environment["WATCHDOG_PID"], watched != "\(getpid())" { return nil }
        return .microseconds(limitMicros / 2)
    }

    private func send(_ message: String) -> Bool {
        guard let socketName else { return false }
        guard let reason = Self.send(message, to: socketName) else { return true }
        let first = complained.withLock { told in
            defer { told = true }
            return !told
        }
        if first {
            logger?.warning(
                "the service manager cannot be notified; going on without",
                metadata: ["socket": "\(socketName)", "reason": "\(reason)"])
        }
        return false
    }

    /// Sends one datagram. Answers what went wrong, `nil` if nothing did.
    private static func send(_ message: String, to socketName: String) -> String? {
        guard socketName.hasPrefix("/") || socketName.hasPrefix("@") else {
            return "neither a path nor an abstract name"
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketName.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return "the name is too long" }
        // In the abstract namespace a name begins with a zero byte, and ends where the address says it does.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 } else { name.append(0) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)

        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: sendTimeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))

        let bytes = Array(message.utf8)
        while true {
            let count = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
                }
            }
            if count == bytes.count { return nil }
            guard count < 0, errno == EINTR else { return String(cString: strerror(errno)) }
        }
    }
}
