// The bytes that a command and the daemon exchange over the ledger's socket.

import Foundation
import LedgerStore
import Operations
import Quantities
import Storage

/// A message: a header in JSON and bytes that would be a waste in JSON.
///
/// As bytes: the lengths of both, four bytes each, most significant first; the header; the payload.
struct Frame {
    var header: Data
    var payload: [UInt8] = []

    /// Spoken by both sides; another number is another version of meterd.
    static let protocolNumber = 2

    /// A rating's answer lists its entries.
    private static let maxHeaderBytes = 512 << 20
    private static let maxPayloadBytes = 64 << 20

    func send(over socket: StreamSocket) throws { try socket.write(bytes) }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + header.count + payload.count)
        for length in [header.count, payload.count] {
            withUnsafeBytes(of: UInt32(length).bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: header)
        bytes.append(contentsOf: payload)
        return bytes
    }

    /// - Returns: nil when the other side has ended the conversation.
    static func receive(over socket: StreamSocket) throws -> Frame? {
        guard let lengths = try socket.read(8) else { return nil }
        func length(_ at: Int) -> Int { lengths[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        let (headerBytes, payloadBytes) = (length(0), length(4))
        guard headerBytes <= maxHeaderBytes, payloadBytes <= maxPayloadBytes,
            let header = try socket.read(headerBytes), let payload = try socket.read(payloadBytes)
        else { throw SocketError.brokenOff }
        return Frame(header: Data(header), payload: payload)
    }
}

/// What every request's header says, whatever is asked.
struct RequestHead: Codable {
    var protocolNumber = Frame.protocolNumber
    let operation: String
    /// Which file the command means. A socket's name alone can lead to the daemon of another ledger: somebody who may write
    /// the folder can move one there.
    let ledger: FileIdentity?
    /// The `--now` of the command.
    let now: Instant?
    /// Whether it was given `--confirm-clock`.
    let confirmsClock: Bool

    init(operation: String, ledger: FileIdentity?, clock: LedgerClock) {
        self.operation = operation
        self.ledger = ledger
        now = clock.given
        confirmsClock = clock.isConfirmed
    }

    /// The name under which events are sent; they are the frame's payload.
    static let ingest = "ingest"
}

/// A request for an operation.
struct OperationRequest<Operation: LedgerOperation>: Codable {
    let head: RequestHead
    let operation: Operation
}

struct RequestHeadOnly: Codable {
    let head: RequestHead
}

/// What the daemon says to a request; `working` may come any number of times before the end.
enum Reply<Answer: Codable & Sendable>: Codable {
    case working
    case answer(Answer)
    case failed(message: String)
    /// The connection was idle and others needed its place. Nothing of a request that was sent since has been done.
    case dismissed
}

/// Lines of events as a payload: for each its length, four bytes, most significant first, and its bytes. The largest
/// length stands for a line that is over the bound of an event and was left out.
enum LinesPayload {
    private static let leftOut = UInt32.max
    /// Most lines of a payload: an event takes more memory than its shortest text.
    private static let mostLines = 100_000

    static func bytes(_ lines: [UnsafeBufferPointer<UInt8>?]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(0) { $0 + 4 + ($1?.count ?? 0) })
        for line in lines {
            let length = line.map { UInt32($0.count) } ?? leftOut
            withUnsafeBytes(of: length.bigEndian) { bytes.append(contentsOf: $0) }
            if let line { bytes.append(contentsOf: line) }
        }
        return bytes
    }

    /// - Throws: ``SocketError/brokenOff`` for bytes that are no lines, or too many.
    static func eachLine(
        _ payload: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>?) -> Void
    ) throws {
        var rest = payload
        var lines = 0
        while !rest.isEmpty {
            lines += 1
            guard rest.count >= 4, lines <= mostLines else { throw SocketError.brokenOff }
            let length = rest[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            rest = UnsafeBufferPointer(rebasing: rest[4...])
            guard length != leftOut else {
                body(nil)
                continue
            }
            guard rest.count >= Int(length) else { throw SocketError.brokenOff }
            body(UnsafeBufferPointer(rebasing: rest[..<Int(length)]))
            rest = UnsafeBufferPointer(rebasing: rest[Int(length)...])
        }
    }
}
