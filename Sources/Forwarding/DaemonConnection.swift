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
    /// Somebody else than the ledger's owner or root listens where its daemon would. Nothing was sent.
    case stranger(socket: String, process: Int32, user: UInt32, owner: UInt32?)
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
        case .stranger(let socket, let process, let user, let owner):
            "process \(process) of \(Self.name(of: user)) listens at \(socket), where only "
                + (owner.map { "the ledger's owner, \(Self.name(of: $0))," } ?? "this user")
                + " or root may: nothing was "
                + "sent to it. See what that process is, remove \(socket) and run the command again"
        case .silent(let process, let seconds):
            "the daemon (process \(process)) has the ledger open and has not answered for \(seconds) s: it hangs. "
                + "Restart it and run the command again; \(unknown)"
        case .ended(let process): "the daemon (process \(process)) ended before it answered; \(unknown)"
        case .otherVersion(let process):
            "the daemon (process \(process)) is another version of meterd than this command; restart it"
        }
    }

    /// `user 1000 (alice)`.
    private static func name(of user: UInt32) -> String {
        guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return "user \(user)" }
        return "user \(user) (\(String(cString: name)))"
    }
}

extension DaemonError {
    /// What a command is told where more commands are at work than the daemon has room for.
    static let crowded =
        "the daemon is at work for \(CommandListener.mostConnections) other commands, and has no room for one more; nothing "
        + "was done, run the command again later"

    /// Whether the daemon may have done what was asked, all the same.
    package var leavesOutcomeUnknown: Bool {
        switch self {
        case .silent, .ended: true
        case .refused, .notPermitted, .stranger, .otherVersion: false
        }
    }
}

/// An open connection to the daemon; one request at a time.
package final class DaemonConnection {
    private let ledger: String
    private let patienceSeconds: Int
    private var socket: StreamSocket

    /// How often a connection that the daemon has given up while it was idle is made anew for one request.
    private static let mostDismissals = 20

    /// Where the daemon of a ledger listens to commands.
    package static func path(ledger path: String) -> String { LedgerFile.resolved(path) + ".sock" }

    /// - Parameter patienceSeconds: the daemon says every second or two that it is at work; silence for so long means
    ///   that it hangs.
    /// - Returns: nil where no daemon is.
    /// - Throws: ``DaemonError``.
    package init?(ledger path: String, patienceSeconds: Int = 15) throws {
        guard let socket = try Self.connect(path, patienceSeconds) else { return nil }
        (ledger, self.patienceSeconds, self.socket) = (path, patienceSeconds, socket)
    }

    /// The daemon's process; 0 where the system does not tell.
    package var process: Int32 { socket.peer?.process ?? 0 }

    private static func connect(_ ledger: String, _ patienceSeconds: Int) throws -> StreamSocket? {
        let address = path(ledger: ledger)
        let socket: StreamSocket
        do {
            socket = try StreamSocket.connect(to: address, timeoutSeconds: patienceSeconds)
        } catch SocketError.nobody {
            return nil
        } catch SocketError.notPermitted {
            throw DaemonError.notPermitted(socket: address)
        } catch SocketError.timedOut {
            throw DaemonError.silent(process: 0, seconds: patienceSeconds)
        }
        try check(socket.peer, at: address, ledger)
        return socket
    }

    /// Sees that the process that listens is one that may write the ledger: whoever may write its folder can put a socket
    /// there, and would be told everything and believed.
    ///
    /// - Throws: ``DaemonError/stranger(socket:process:user:owner:)``.
    private static func check(
        _ peer: (process: Int32, user: UInt32)?, at address: String, _ ledger: String
    ) throws {
        let owner = FileStatus(of: ledger)?.owner
        // The file may have been moved away from its daemon; that daemon is then this user's own.
        guard let peer, peer.user == 0 || peer.user == owner ?? geteuid() else {
            throw DaemonError.stranger(
                socket: address, process: peer?.process ?? 0, user: peer?.user ?? .max, owner: owner)
        }
    }

    package func perform<Operation: LedgerOperation>(
        _ operation: Operation, clock: LedgerClock
    ) throws -> Operation.Answer {
        let request = OperationRequest(head: head(Operation.name, clock), operation: operation)
        return try ask(Frame(header: try JSONEncoder().encode(request)))
    }

    /// - Parameter lines: nil for one that is over the bound of an event.
    package func ingest(_ lines: [UnsafeBufferPointer<UInt8>?], clock: LedgerClock) throws -> BatchReport {
        let header = try JSONEncoder().encode(RequestHeadOnly(head: head(RequestHead.ingest, clock)))
        return try ask(Frame(header: header, payload: LinesPayload.bytes(lines)))
    }

    private func head(_ operation: String, _ clock: LedgerClock) -> RequestHead {
        RequestHead(operation: operation, ledger: FileIdentity(of: ledger), clock: clock)
    }

    private func ask<Answer: Codable & Sendable>(_ request: Frame) throws -> Answer {
        for _ in 0..<Self.mostDismissals {
            if let answer: Answer = try answer(to: request) { return answer }
            let process = process
            guard let again = try Self.connect(ledger, patienceSeconds) else {
                throw DaemonError.ended(process: process)
            }
            socket = again
        }
        throw DaemonError.refused(DaemonError.crowded)
    }

    /// - Returns: nil when the daemon had given the connection up before the request came, and did nothing of it.
    private func answer<Answer: Codable & Sendable>(to request: Frame) throws -> Answer? {
        let process = process
        do {
            do {
                try request.send(over: socket)
            } catch SocketError.brokenOff {
                // Why, the daemon may have said before.
            }
            while let frame = try Frame.receive(over: socket) {
                guard let reply = try? JSONDecoder().decode(Reply<Answer>.self, from: frame.header) else {
                    throw DaemonError.otherVersion(process: process)
                }
                switch reply {
                case .working: continue
                case .answer(let answer): return answer
                case .failed(let message): throw DaemonError.refused(message)
                case .dismissed: return nil
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
