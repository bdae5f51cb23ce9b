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
            throw Misfit("\(shown(text)) has no port; write \(Self.hint)")
        }
        let host = try Self.host(String(text[..<colon]), of: text)
        guard let port = wholeNumber(String(text[text.utf8.index(after: colon)...])), port <= 65535 else {
            throw Misfit("\(shown(text)) has no port from 0 to 65535; write \(Self.hint)")
        }
        self = .tcp(host: host, port: Int(port))
    }

    private static func path(_ text: String) throws(Misfit) -> String {
        let path = String(text.dropFirst("unix:".count))
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Misfit("\(shown(text)) has no absolute path; write unix:/PATH, like unix:/run/meterd/meterd.sock")
        }
        guard path.utf8.count <= maxPathBytes else {
            throw Misfit(
                "\(shown(text)) has a path of \(path.utf8.count) bytes; the path of a Unix socket has at most "
                    + "\(maxPathBytes)")
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
            throw Misfit("\(shown(text)) has no IP address or name before its port; write \(hint)")
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
