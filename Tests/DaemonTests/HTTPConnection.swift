// A client's connection, byte by byte: what a library would mend or hide, a test wants to see and to do.

import Foundation
import TestSupport

enum HTTPFailure: Error {
    /// Nobody took the connection.
    case refused
    /// The other side ended, or was silent for too long, before an answer was complete.
    case noAnswer
}

struct HTTPAnswer {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// HTTP/1.1 over a blocking socket, kept open between requests. An answer has a `Content-Length`.
final class HTTPConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameters:
    ///   - timeoutSeconds: how long a read or write may stand still.
    ///   - receiveBytes: what the system may take of answers before they are read; nil leaves it to the system.
    init(port: Int, timeoutSeconds: Int = Patience.wholeSeconds, receiveBytes: Int32? = nil) throws(HTTPFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        if var bytes = receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
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
        // The descriptor is closed with this value, also with one that is thrown away here.
        guard status == 0 else { throw .refused }
    }

    /// - Parameter unixSocket: the path of a Unix socket, of at most 107 bytes.
    init(unixSocket path: String) throws(HTTPFailure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw .refused }
    }

    deinit { close(descriptor) }

    // MARK: Requests

    func post(
        _ body: [UInt8], to path: String = "/v1/events", headers: [(String, String)] = []
    ) throws(HTTPFailure) -> HTTPAnswer {
        try send(Self.request("POST", path, headers + [("Content-Length", "\(body.count)")]) + body)
        return try receive()
    }

    func get(_ path: String) throws(HTTPFailure) -> HTTPAnswer {
        try send(Self.request("GET", path, []))
        return try receive()
    }

    /// A request's head.
    static func request(_ method: String, _ path: String, _ headers: [(String, String)]) -> [UInt8] {
        let fields = ([("Host", "127.0.0.1")] + headers).map { "\($0.0): \($0.1)\r\n" }.joined()
        return Array("\(method) \(path) HTTP/1.1\r\n\(fields)\r\n".utf8)
    }

    // MARK: Bytes

    func send(_ bytes: [UInt8]) throws(HTTPFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBufferPointer {
                Foundation.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .noAnswer }
            sent += count
        }
    }

    func receive() throws(HTTPFailure) -> HTTPAnswer {
        let blank = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if let end = buffer[searched...].firstRange(of: blank) {
                let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeSubrange(..<end.upperBound)
                return try answer(head)
            }
            searched = max(0, buffer.count - 3)
            try fill()
        }
    }

    private func answer(_ head: String) throws(HTTPFailure) -> HTTPAnswer {
        let lines = head.components(separatedBy: "\r\n")
        let statusLine = lines[0].split(separator: " ")
        guard statusLine.count > 1, let status = Int(statusLine[1]) else { throw .noAnswer }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .noAnswer }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let length = status < 200 ? 0 : headers["content-length"].flatMap { Int($0) }
        guard let length else { throw .noAnswer }
        while buffer.count < length { try fill() }
        let body = Array(buffer[..<length])
        buffer.removeSubrange(..<length)
        return HTTPAnswer(status: status, headers: headers, body: body)
    }

    private func fill() throws(HTTPFailure) {
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .noAnswer }
            buffer.append(contentsOf: part[..<count])
            return
        }
    }

    enum End { case sending, orderly, reset }

    /// Ends the connection in one of the ways in which clients go; the reset comes with this value's end.
    func end(_ way: End) {
        switch way {
        case .sending: shutdown(descriptor, Int32(SHUT_WR))
        case .orderly: shutdown(descriptor, Int32(SHUT_RDWR))
        case .reset:
            var atOnce = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
        }
    }

    /// Sends as much as the other side takes at once, again and again.
    ///
    /// - Returns: how many bytes it took, until the time was over, the other side ended, or these were all.
    func flood(_ bytes: [UInt8], upTo most: Int, withinSeconds seconds: Double) -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        var sent = 0
        while sent < most, ContinuousClock.now < end {
            let offset = sent % bytes.count
            let count = bytes.withUnsafeBufferPointer {
                Foundation.send(
                    descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EINTR {
                usleep(2_000)
            } else {
                break
            }
        }
        return sent
    }

    /// Reads some bytes of an answer.
    func skip(_ count: Int) throws(HTTPFailure) {
        while buffer.count < count { try fill() }
        buffer.removeSubrange(..<count)
    }

    /// Reads through these bytes.
    func skip(to end: [UInt8]) throws(HTTPFailure) {
        while true {
            if let range = buffer.firstRange(of: end) { return buffer.removeSubrange(..<range.upperBound) }
            buffer.removeSubrange(..<max(0, buffer.count - end.count))
            try fill()
        }
    }

    /// Whether an answer begins within the time.
    func hasAnswer(withinMs milliseconds: Int) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !buffer.isEmpty || poll(&state, 1, Int32(milliseconds)) > 0
    }

    /// Whether the other side has ended the connection, or does so within the time.
    func isEnded(withinSeconds seconds: Int = Patience.wholeSeconds) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, Int32(seconds * 1_000)) > 0 else { return false }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) <= 0
    }
}

/// The answer to events.
struct EventsAnswer: Decodable {
    struct Result: Decodable {
        let index: Int
        let status: String
        let code: String?
    }

    let accepted: Int
    let duplicates: Int
    let corrections: Int
    let refused: Int
    let results: [Result]

    init(_ answer: HTTPAnswer) throws { self = try JSONDecoder().decode(EventsAnswer.self, from: Data(answer.body)) }

    var counted: Int { accepted + duplicates + corrections + refused }
}

extension HTTPConnection {
    /// Waits until the daemon says that it is ready: a commit on a busy machine may take longer than it waits for one.
    static func waitUntilReady(port: Int) async throws {
        try await eventually("it is ready") { try HTTPConnection(port: port).get("/readyz").status == 200 }
    }

    /// Posts events, a line each.
    ///
    /// - Parameter now: the time of the test clock; nil leaves it to the daemon.
    func post(lines: [String], now: String? = DaemonScene.now) throws(HTTPFailure) -> HTTPAnswer {
        let time = now.map { [("Meterd-Now", $0)] } ?? []
        return try post(
            Array(lines.joined(separator: "\n").utf8), headers: [("Content-Type", "application/x-ndjson")] + time)
    }
}
