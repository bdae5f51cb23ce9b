// One connection of the load generator: a request out, its answer in, without ever waiting.

import Foundation

/// A connected socket that does not block. Closed with the value.
final class LoadConnection {
    enum Progress {
        /// Nothing more has come yet.
        case nothing
        /// A part has come; there may be more.
        case part
        case answered(EventCounts)
    }

    let descriptor: Int32
    private(set) var request: PreparedRequests.Request?
    /// When the request was due, on the steady clock.
    private(set) var dueNanoseconds: UInt64 = 0
    private var sent = 0
    /// What has come of an answer that is not complete.
    private var received: [UInt8] = []
    /// Whether the rest of the request waits for room in the socket.
    var isSending: Bool { request.map { sent < $0.head.count + $0.body.count } ?? false }

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchFailure(system: "a socket") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw BenchFailure(system: "connecting to 127.0.0.1:\(port)") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    func begin(_ request: PreparedRequests.Request, due: UInt64, of all: PreparedRequests) throws {
        self.request = request
        dueNanoseconds = due
        sent = 0
        try send(of: all)
    }

    /// Writes as much as the socket takes.
    func send(of all: PreparedRequests) throws {
        guard let request else { return }
        while isSending {
            let count = all.withParts(request, from: sent) { head, body in
                var parts = [2 of iovec].init { index in
                    let part = index == 0 ? head : body
                    return iovec(iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count)
                }
                return withUnsafePointer(to: &parts) { pointer in
                    pointer.withMemoryRebound(to: iovec.self, capacity: 2) { writev(descriptor, $0, 2) }
                }
            }
            if count < 0 {
                if errno == EAGAIN { return }
                if errno == EINTR { continue }
                throw BenchFailure(system: "sending a request")
            }
            sent += count
        }
    }

    /// Reads what has come.
    ///
    /// - Parameter buffer: shared by all connections; an answer that is complete in it is not copied.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) throws -> Progress {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return .nothing }
        guard count > 0 else {
            throw count == 0
                ? BenchFailure("the daemon closed a connection in the middle")
                : BenchFailure(system: "reading an answer")
        }
        let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if received.isEmpty {
            let progress = try read(part)
            if case .part = progress { received.append(contentsOf: part) }
            return progress
        }
        received.append(contentsOf: part)
        let progress = try received.withUnsafeBytes { try read($0) }
        if case .answered = progress { received.removeAll(keepingCapacity: true) }
        return progress
    }

    private func read(_ bytes: UnsafeRawBufferPointer) throws -> Progress {
        switch HTTPAnswerHead.read(bytes) {
        case .incomplete: return .part
        case .malformed:
            throw BenchFailure("this is no answer to events: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        case .head(let head):
            guard bytes.count >= head.headBytes + head.bodyBytes else { return .part }
            let body = UnsafeRawBufferPointer(rebasing: bytes[head.headBytes...])
            guard head.status == 200, let counts = EventCounts(body), request != nil else {
                let text = String(decoding: body.prefix(300), as: UTF8.self)
                throw BenchFailure("the daemon answered with status \(head.status): \(text)")
            }
            request = nil
            return .answered(counts)
        }
    }
}
