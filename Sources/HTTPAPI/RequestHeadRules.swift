// What the head of a request must be, whoever answers the request, and what the connection has to know of it.
//
// SwiftNIO's decoder sees to the grammar; here is what RFC 9110 and 9112 leave to a server.

import HTTPTypes
import NIOHTTP1

struct AdmittedHead {
    /// Whether the connection ends after the answer, as the client's version or its `Connection` says.
    let closes: Bool
    /// Whether the client sends the body only once it is told to go on.
    let awaitsContinue: Bool

    /// - Throws: ``ProblemError`` for a head that can't be let in; what follows it on the connection is not to be read.
    init(_ head: HTTPRequestHead) throws(ProblemError) {
        var fields = Fields()
        for (name, value) in head.headers { try fields.add(name, value) }
        let isOldClient = head.version.minor == 0
        try Self.checkHost(fields, isOldClient: isOldClient)
        try Self.checkCoding(fields.codings, isOldClient: isOldClient)
        guard head.method != .CONNECT else {
            throw ProblemError(.notImplemented, "CONNECT is not understood: meterd is no proxy")
        }
        try Self.checkTarget(head.uri)
        closes = !head.isKeepAlive
        guard let expectation = fields.expectation, !isOldClient else {
            awaitsContinue = false
            return
        }
        guard expectation.lowercased() == "100-continue" else {
            throw ProblemError(
                .expectationFailed, "header Expect: '\(excerpt(expectation))' is not understood; only 100-continue is")
        }
        awaitsContinue = true
    }

    /// The fields that matter to the connection.
    private struct Fields {
        var host: String?
        var hostCount = 0
        var codings: [String] = []
        var expectation: String?

        mutating func add(_ name: String, _ value: String) throws(ProblemError) {
            if !value.utf8.allSatisfy({ $0 < 0x80 }) { try checkText(name, value) }
            switch name.utf8.count {
            case 4 where name.isField("host"):
                host = value
                hostCount += 1
            case 6 where name.isField("expect"): expectation = value
            case 17 where name.isField("transfer-encoding"): codings.append(value)
            default: break
            }
        }

        /// The decoder puts U+FFFD where there is no UTF-8, so that different bytes become the same text.
        private func checkText(_ name: String, _ value: String) throws(ProblemError) {
            let name = name.lowercased()
            guard value.unicodeScalars.contains("\u{FFFD}"), name.hasPrefix("ce-") || interpretedFields.contains(name)
            else { return }
            throw .badRequest(
                "header \(excerpt(name)): its value '\(excerpt(value))' is not UTF-8; percent-encode what is not ASCII, "
                    + "like %C3%A9 for é")
        }
    }

    private static func checkHost(_ fields: Fields, isOldClient: Bool) throws(ProblemError) {
        guard let host = fields.host else {
            guard isOldClient else {
                throw .badRequest(
                    "the request has no header Host, which HTTP/1.1 requires; send one, like Host: localhost")
            }
            return
        }
        guard fields.hostCount == 1 else {
            throw .badRequest("the request has \(fields.hostCount) headers Host; send one")
        }
        guard host.utf8.allSatisfy({ isOfHost($0) }) else {
            throw .badRequest(
                "header Host: '\(excerpt(host))' is not a valid host; write a name or address, like localhost:8620")
        }
    }

    /// Letters, digits and what else the grammar of a host and port allows.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "-._~!$&'()*+;=:[]%".utf8.contains(byte)
        }
    }

    /// A coding that is passed over would leave the end of the body to chance.
    private static func checkCoding(_ codings: [String], isOldClient: Bool) throws(ProblemError) {
        guard !codings.isEmpty else { return }
        let given = codings.joined(separator: ", ")
        guard !isOldClient else {
            throw .badRequest("header Transfer-Encoding: HTTP/1.0 has none; send Content-Length instead")
        }
        let names = given.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.filter { $0 != " " && $0 != "\t" }.lowercased()
        }
        guard names != ["chunked"] else { return }
        guard names.contains(where: { !$0.isEmpty && $0 != "chunked" }) else {
            throw .badRequest(
                "header Transfer-Encoding: '\(excerpt(given))'; write chunked, once, or send Content-Length")
        }
        throw ProblemError(
            .notImplemented,
            "header Transfer-Encoding: '\(excerpt(given))' is not understood, only chunked is; to send gzip, say so with "
                + "Content-Encoding: gzip")
    }

    /// The decoder lets nothing through here that is not ASCII. Whoever reads a query decodes its values.
    private static func checkTarget(_ target: String) throws(ProblemError) {
        guard target.utf8.contains(UInt8(ascii: "%")) else { return }
        let path = target.prefix { $0 != "?" }
        let (bytes, hasStrayPercent) = PercentCoding.decode(path.utf8)
        guard !hasStrayPercent, !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw .badRequest(
                "the path '\(excerpt(path))' is not percent-encoded UTF-8; write what is not ASCII like %C3%A9, and % as %25"
            )
        }
    }
}

/// The fields whose values decide something. Others may hold what they like.
private let interpretedFields: Set<String> = [
    "accept", "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect",
    "host", "if-none-match", "meterd-now", "prefer", "transfer-encoding", "upgrade",
]

extension HTTPRequestHead {
    /// Whether SwiftNIO's decoder stops after this request. It goes by the same two fields.
    var stopsDecoder: Bool {
        if method == .CONNECT { return true }
        guard headers.contains(where: { $0.name.isField("upgrade") }) else { return false }
        return headers.contains { name, value in
            name.isField("connection")
                && value.split(separator: ",").contains { token in
                    // As the decoder has it: blanks and tabs before a token, only blanks behind it.
                    let rest = token.drop { $0 == " " || $0 == "\t" }
                    return rest.prefix(7).lowercased() == "upgrade" && rest.dropFirst(7).allSatisfy { $0 == " " }
                }
        }
    }
}

extension String {
    /// Whether this is the field of a lower-case name.
    fileprivate func isField(_ name: StaticString) -> Bool {
        utf8.count == name.utf8CodeUnitCount
            && name.withUTF8Buffer { other in zip(utf8, other).allSatisfy { $0 | 0x20 == $1 } }
    }
}
