// A Unix stream socket, blocking, with deadlines.

import Foundation
import Storage

enum SocketError: Error {
    /// Nobody listens there.
    case nobody
    case notPermitted
    /// No byte came, or could be sent, within the deadline.
    case timedOut
    /// The other side ended in the middle, or spoke something else.
    case brokenOff
    case system(String)
}

/// The name of a Unix socket that a daemon is about to listen at.
package enum SocketName {
    /// Why nothing can listen there, in words that follow the name.
    ///
    /// - Returns: nil where nothing is, or a socket that a process has left behind.
    package static func objection(to path: String) -> String? {
        guard let there = FileStatus(of: path, followingLinks: false) else { return nil }
        guard there.isSocket else { return "it is there already, and is \(there.kind), not a socket" }
        do {
            let process = try StreamSocket.connect(to: path, timeoutSeconds: 1).peer?.process ?? 0
            return process == getpid()
                ? "it is the socket at which this daemon takes commands" : "process \(process) listens there"
        } catch SocketError.nobody {
            return nil
        } catch SocketError.notPermitted {
            return "it is a socket of user \(there.owner), which this user may not use"
        } catch SocketError.timedOut {
            return "a process listens there, and takes no connections"
        } catch SocketError.system(let reason) {
            return reason
        } catch {
            return "\(error)"
        }
    }
}

/// One end of a connection, or a listener. Closed with the value.
final class StreamSocket: @unchecked Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    private static func make() throws(SocketError) -> StreamSocket {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(String(cString: strerror(errno))) }
        return StreamSocket(descriptor)
    }

    /// - Parameter timeoutSeconds: how long a read or write may stand still.
    static func connect(to path: String, timeoutSeconds: Int) throws -> StreamSocket {
        let socket = try make()
        socket.setTimeout(seconds: timeoutSeconds)
        let status = try withAddress(of: path) { Foundation.connect(socket.descriptor, $0, $1) }
        guard status == 0 else {
            switch errno {
            case ENOENT, ECONNREFUSED, ENOTSOCK: throw SocketError.nobody
            case EACCES, EPERM: throw SocketError.notPermitted
            // The queue of connections is full: somebody is there and takes none.
            case EAGAIN: throw SocketError.timedOut
            default: throw SocketError.system(String(cString: strerror(errno)))
            }
        }
        return socket
    }

    /// Listens at a path that only the owner of this process (and root) may connect to. A socket that lies there is
    /// replaced: the caller holds the lock that says that nobody listens.
    static func listen(at path: String) throws -> StreamSocket {
        let socket = try make()
        if let there = FileStatus(of: path, followingLinks: false) {
            guard there.isSocket else { throw SocketError.system("\(path): it is \(there.kind); remove it first") }
            unlink(path)
        }
        // The name gets these permissions as it is made. A chmod of the name later would follow a link that was put there
        // meanwhile.
        fchmod(socket.descriptor, 0o600)
        guard try withAddress(of: path, { bind(socket.descriptor, $0, $1) }) == 0 else {
            throw SocketError.system("\(path): \(String(cString: strerror(errno)))")
        }
        guard Foundation.listen(socket.descriptor, 64) == 0 else {
            throw SocketError.system("\(path): \(String(cString: strerror(errno)))")
        }
        return socket
    }

    /// - Returns: nil when the listener has been shut down.
    func accept(timeoutSeconds: Int) -> StreamSocket? {
        while true {
            let descriptor = Foundation.accept(self.descriptor, nil, nil)
            if descriptor >= 0 {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                let socket = StreamSocket(descriptor)
                socket.setTimeout(seconds: timeoutSeconds)
                return socket
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: usleep(100_000)
            default: return nil
            }
        }
    }

    /// Ends reading, writing and accepting, whatever thread is at it.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Sends what fits at once and drops the rest: for a last word to somebody who may not be listening.
    func writeWithoutWaiting(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBufferPointer {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// The process and user at the other end.
    var peer: (process: Int32, user: UInt32)? {
        // The kernel's `struct ucred`: process, user, group.
        var credentials: (process: Int32, user: UInt32, group: UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return (credentials.process, credentials.user)
    }

    // MARK: Bytes

    /// Waits without a deadline for a byte or the end.
    func waitUntilReadable() -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&poller, 1, -1) < 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }

    /// - Returns: exactly so many bytes; nil when the other side ended before the first.
    func read(_ count: Int) throws -> [UInt8]? {
        guard count > 0 else { return [] }
        var filled = 0
        var isOver = false
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            while filled < count {
                let got = recv(descriptor, buffer.baseAddress.unsafelyUnwrapped + filled, count - filled, 0)
                if got < 0, errno == EINTR { continue }
                if got < 0, errno == EAGAIN { throw SocketError.timedOut }
                guard got > 0 else {
                    isOver = true
                    break
                }
                filled += got
            }
            initializedCount = filled
        }
        guard isOver else { return bytes }
        if filled == 0 { return nil }
        throw SocketError.brokenOff
    }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBufferPointer { buffer in
            var sent = 0
            while sent < buffer.count {
                let count = send(
                    descriptor, buffer.baseAddress.unsafelyUnwrapped + sent, buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { throw SocketError.timedOut }
                guard count > 0 else { throw SocketError.brokenOff }
                sent += count
            }
        }
    }

    // MARK: Addresses

    /// A path of any length: an address holds no more than 107 bytes, so a longer path is reached through its folder.
    private static func withAddress(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        var folder: Int32 = -1
        defer { if folder >= 0 { close(folder) } }
        var reachable = path
        if path.utf8.count > 100 {
            let url = URL(filePath: path)
            folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { throw SocketError.nobody }
            reachable = "/proc/self/fd/\(folder)/\(url.lastPathComponent)"
        }
        guard reachable.utf8.count <= 107 else { throw SocketError.system("\(path): the file's name is too long") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: reachable.utf8) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
