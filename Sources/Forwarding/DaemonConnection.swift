// A command's line to the daemon that has its ledger open.

import Foundation
package import Ingestion
package import LedgerStore
package import Operations
import Storage

/// Why the daemon did not do what a command asked, or may not have.
package enum DaemonError: Error, Equatable, CustomStringConvertible {
    /// The message that the command would have printed had it opened the ledger itself.
    case refused(String)
    case notPermitted(socket: String)
    case silent(process: Int32, seconds: Int)
    case ended(process: Int32)
    case otherVersion(process: Int32)

    package var description: String {
        let unknown = "whether it was done is not known; the same again does nothing twice"
        return switch self {
        case .refused(let message): message
        case .notPermitted(let socket):
            "a daemon has the ledger open, and \(socket) is not for this user; "
                + "run the command as the user of the daemon or as root"
        case .silent(let process, let seconds):
            "the daemon (process \(process)) has the ledger open and has not answered for \(seconds) s: it hangs. "
                + "Restart it and run the command again; \(unknown)"
        case .ended(let process): "the daemon (process \(process)) ended before it answered; \(unknown)"
        case .otherVersion(let process):
            "the daemon (process \(process)) is another version of meterd than this command; restart it"
        }
    }
}

extension DaemonError {
    /// Whether the daemon may have done what was asked, all the same.
    package var leavesOutcomeUnknown: Bool {
        switch self {
        case .silent, .ended: true
        case .refused, .notPermitted, .otherVersion: false
        }
    }
}

/// An open connection to the daemon; one request at a time.
package final class DaemonConnection {
    private let socket: StreamSocket
    private let process: Int32
    private let patienceSeconds: Int

    /// Where the daemon of a ledger listens to commands.
    package static func path(ledger path: String) -> String { LedgerFile.resolved(path) + ".sock" }

    /// - Parameter patienceSeconds: the daemon says every second or two that it is at work; silence for so long means
    ///   that it hangs.
    /// - Returns: nil where no daemon is.
    /// - Throws: ``DaemonError``.
    package init?(ledger path: String, patienceSeconds: Int = 15) throws {
        let address = Self.path(ledger: path)
        self.patienceSeconds = patienceSeconds
        do {
            socket = try StreamSocket.connect(to: address, timeoutSeconds: patienceSeconds)
        } catch SocketError.nobody {
            return nil
        } catch SocketError.notPermitted {
            throw DaemonError.notPermitted(socket: address)
        } catch SocketError.timedOut {
            throw DaemonError.silent(process: 0, seconds: patienceSeconds)
        }
        process = socket.peer?.process ?? 0
    }

    package func perform<Operation: LedgerOperation>(
        _ operation: Operation, clock: LedgerClock
    ) throws -> Operation.Answer {
        let head = RequestHead(operation: Operation.name, clock: clock)
        let header = try JSONEncoder().encode(OperationRequest(head: head, operation: operation))
        return try ask(Frame(header: header))
    }

    /// - Parameter lines: nil for one that is over the bound of an event.
    package func ingest(_ lines: [UnsafeBufferPointer<UInt8>?], clock: LedgerClock) throws -> BatchReport {
        let head = RequestHead(operation: RequestHead.ingest, clock: clock)
        let header = try JSONEncoder().encode(RequestHeadOnly(head: head))
        return try ask(Frame(header: header, payload: LinesPayload.bytes(lines)))
    }

    private func ask<Answer: Codable & Sendable>(_ request: Frame) throws -> Answer {
        do {
            try request.send(over: socket)
            while let frame = try Frame.receive(over: socket) {
                guard let reply = try? JSONDecoder().decode(Reply<Answer>.self, from: frame.header) else {
                    throw DaemonError.otherVersion(process: process)
                }
                switch reply {
                case .working: continue
                case .answer(let answer): return answer
                case .failed(let message): throw DaemonError.refused(message)
                }
            }
            throw DaemonError.ended(process: process)
        } catch SocketError.timedOut {
            throw DaemonError.silent(process: process, seconds: patienceSeconds)
        } catch is SocketError {
            throw DaemonError.ended(process: process)
        }
    }
}
