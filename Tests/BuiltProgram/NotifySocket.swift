// What a program that runs tells its service manager, for tests to read.

import Foundation

/// A bound datagram socket, as a service manager has it.
package final class NotifySocket: Sendable {
    package enum Place: CaseIterable, Sendable {
        case path, abstract
    }

    struct Failure: Error {
        let step: String
        let code = errno
    }

    /// What `NOTIFY_SOCKET` says.
    package let name: String
    private let descriptor: Int32

    package init(_ place: Place) throws {
        let unique = "meterd-notify-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        name = place == .path ? NSTemporaryDirectory() + "/" + unique : "@" + unique
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
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
    package func received() -> [String] {
        var datagrams: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return datagrams }
            datagrams.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }
}
