// Where the daemon can be reached, as people write it.

import Foundation
import MarkedYAML

package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IP address (of version 6 without its brackets) or a name; port 0 is any that is free.
    case tcp(host: String, port: Int)
    /// An absolute path.
    case unixSocket(path: String)

    /// `127.0.0.1:8620`, `[::1]:8620`, `unix:/run/meterd.sock`.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }

    /// Whether only this machine reaches it: a Unix socket, 127.0.0.0/8, ::1 or localhost.
    package var isLocal: Bool {
        switch self {
        case .unixSocket: true
        case .tcp(let host, _):
            host.lowercased() == "localhost" || ipv4(host)?.first == 127
                || ipv6(host) == Array(repeating: 0, count: 15) + [1]
        }
    }

    static let hint = "HOST:PORT, like 127.0.0.1:8620 or [::1]:8620 (in quotes in the file), or unix:/PATH"
    /// What the system keeps the path of a socket in, less the zero at its end.
    private static let maxPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    init(_ text: String) throws(Misfit) {
        if text.utf8.starts(with: "unix:".utf8) {
            self = .unixSocket(path: try Self.path(text))
            return
        }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), text.utf8.last != UInt8(ascii: "]") else {
            throw Misfit(Self.objection(toPartOfAddress: text))
        }
        if let rest = text.firstMatch(of: /^https?:\/\/([^\/]*)/)?.1 {
            throw Misfit(
                "\(shown(text)) is a URL; write the address alone\(Self.example(String(rest)) ?? ", \(Self.hint)")")
        }
        let port = String(text[text.utf8.index(after: colon)...])
        guard let number = Self.port(port) else {
            let known = ["http": "80", "https": "443"][port].map { "; \(port) is port \($0)" } ?? ""
            throw Misfit("\(shown(text)) needs a port from 0 to 65535 behind the colon\(known); write \(Self.hint)")
        }
        let host = String(text[..<colon])
        if host.isEmpty || host == "*" {
            throw Misfit(
                "\(shown(text)) needs a host before the port; write 127.0.0.1:\(port) to be reached from this "
                    + "machine, or 0.0.0.0:\(port) from all others too")
        }
        self = .tcp(host: try Self.host(host, of: text), port: number)
    }

    private static func port(_ text: String) -> Int? { wholeNumber(text).flatMap { $0 <= 65535 ? Int($0) : nil } }

    /// What to write instead of a port, a host or a path alone.
    private static func objection(toPartOfAddress text: String) -> String {
        if let port = port(text) { return "\(shown(text)) is a port alone; put a host before it: 127.0.0.1:\(port)" }
        if text.utf8.first == UInt8(ascii: "/") { return "\(shown(text)) is a path; write unix:\(text)" }
        let advice = example("\(text):8620").map { "put one behind it\($0)" } ?? "write \(hint)"
        return "\(shown(text)) has no port; \(advice)"
    }

    /// `: 127.0.0.1:8620`, if that is an address.
    private static func example(_ address: String) -> String? { (try? ListenAddress(address)).map { ": \($0)" } }

    private static func path(_ text: String) throws(Misfit) -> String {
        let path = String(text.dropFirst("unix:".count))
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Misfit(
                "\(shown(text)) has no absolute path; begin it with a slash, like unix:/run/meterd/meterd.sock")
        }
        guard path.utf8.count <= maxPathBytes else {
            throw Misfit(
                "\(shown(text)) has a path of \(path.utf8.count) bytes, and that of a Unix socket has at most "
                    + "\(maxPathBytes); choose a shorter one, like unix:/run/meterd/meterd.sock")
        }
        return path
    }

    private static func host(_ host: String, of text: String) throws(Misfit) -> String {
        if ipv6(host) != nil || ipv6(text) != nil {
            throw Misfit(
                "\(shown(text)) is an IPv6 address without brackets; write [ADDRESS]:PORT, like [::1]:8620 (in quotes "
                    + "in the file)")
        }
        if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
            let address = String(host.dropFirst().dropLast())
            guard ipv6(address) != nil else {
                throw Misfit("\(shown(text)) has no IPv6 address in its brackets; write \(hint)")
            }
            return address
        }
        guard ipv4(host) != nil || isName(host) else {
            throw Misfit("\(shown(text)) has no valid IP address or host name before its port; write \(hint)")
        }
        return host
    }

    /// Labels of letters, digits and hyphens. A last label of digits only would be a mistyped IPv4 address.
    private static func isName(_ host: String) -> Bool {
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
        return host.utf8.count <= 253 && !labels[labels.count - 1].allSatisfy(isDigit)
            && labels.allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { isDigit($0) || (97...122).contains($0 | 0x20) || $0 == UInt8(ascii: "-") }
            }
    }
}

private func ipv4(_ text: String) -> [UInt8]? {
    var address = in_addr()
    return inet_pton(AF_INET, text, &address) == 1 ? withUnsafeBytes(of: address) { Array($0) } : nil
}

private func ipv6(_ text: String) -> [UInt8]? {
    var address = in6_addr()
    return inet_pton(AF_INET6, text, &address) == 1 ? withUnsafeBytes(of: address) { Array($0) } : nil
}
