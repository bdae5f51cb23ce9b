// The daemon's ear for commands: takes their requests from the ledger's socket to the writer.

import Foundation
import Ingestion
import LedgerStore
import Operations
import Storage
package import Writer

/// Listens beside the ledger's file until it is stopped. A thread accepts, and each connection has one of its own: they
/// are few, and mostly wait.
package final class CommandListener: @unchecked Sendable {
    private let path: String
    private let listener: StreamSocket
    private let writer: LedgerWriter
    private let lock = NSLock()
    // Guarded by `lock`.
    private var connections: [ObjectIdentifier: StreamSocket] = [:]
    private var answering = 0
    private var isListening = true

    private static let maxConnections = 64
    private static let heartbeatSeconds = 2.0
    /// How long a client may stand still in the middle of a request.
    private static let patienceSeconds = 30

    /// - Parameter path: of the ledger, whose writer's lock this process holds.
    package init(ledger path: String, writer: LedgerWriter) throws {
        self.path = DaemonConnection.path(ledger: path)
        self.writer = writer
        do {
            listener = try StreamSocket.listen(at: self.path)
        } catch SocketError.system(let reason) {
            throw ListenerError.cannotListen(reason)
        }
        let thread = Thread { [self] in accept() }
        thread.name = "commands"
        thread.start()
    }

    /// Accepts nothing more. To be called while this process still has the ledger's lock.
    package func stopListening() {
        lock.withLock {
            guard isListening else { return }
            isListening = false
            listener.shutDown()
            unlink(path)
        }
    }

    /// Returns when the requests that the writer has answered are answered here too.
    package func finish(within seconds: Double = 1) {
        stopListening()
        // Not a timed wait: that would go by the time of day, which may be set meanwhile.
        let deadline = ContinuousClock.now + .seconds(seconds)
        while lock.withLock({ answering > 0 }), ContinuousClock.now < deadline { usleep(2_000) }
        lock.withLock { for socket in connections.values { socket.shutDown() } }
    }

    private func accept() {
        while let socket = listener.accept(timeoutSeconds: Self.patienceSeconds) {
            let isWelcome = lock.withLock {
                // The socket's mode keeps others out; this holds also where the file system knows no modes.
                guard let user = socket.peer?.user, user == geteuid() || user == 0,
                    connections.count < Self.maxConnections
                else { return false }
                connections[ObjectIdentifier(socket)] = socket
                return true
            }
            guard isWelcome else { continue }
            let thread = Thread { [self] in
                serve(socket)
                lock.withLock { connections[ObjectIdentifier(socket)] = nil }
            }
            thread.name = "command"
            thread.stackSize = 2 << 20
            thread.start()
        }
    }

    private func serve(_ socket: StreamSocket) {
        // A command that reads a slow input may be silent for long between two requests.
        while socket.waitUntilReadable(), let request = try? Frame.receive(over: socket) {
            lock.withLock { answering += 1 }
            defer { lock.withLock { answering -= 1 } }
            do { try answer(request, over: socket) } catch { return }
        }
    }

    private func answer(_ request: Frame, over socket: StreamSocket) throws {
        guard let head = try? JSONDecoder().decode(RequestHeadOnly.self, from: request.header).head,
            head.protocolNumber == Frame.protocolNumber
        else {
            // Nothing that the other version could read would be right; the end of the line is.
            return socket.shutDown()
        }
        let clock = LedgerClock(given: head.now, isConfirmed: head.confirmsClock)
        if head.operation == RequestHead.ingest {
            let events = ReceivedEvents(copying: request.payload, key: writer.eventKey)
            try LinesPayload.eachLine(events.bytes) { events.batch.add(line: $0) }
            return try relay(over: socket) { [writer] in writer.enqueue(events, clock: clock, answer: $0) }
        }
        guard let type = ledgerOperations.first(where: { $0.name == head.operation }) else {
            return socket.shutDown()
        }
        try perform(type, request, clock, over: socket)
    }

    private func perform<Operation: LedgerOperation>(
        _ type: Operation.Type, _ request: Frame, _ clock: LedgerClock, over socket: StreamSocket
    ) throws {
        let operation = try JSONDecoder().decode(OperationRequest<Operation>.self, from: request.header).operation
        try relay(over: socket) { [writer] in writer.enqueue(operation, clock: clock, answer: $0) }
    }

    /// Waits for the writer's answer and sends it, and until then every other second that it is being worked on.
    private func relay<Answer: Codable & Sendable>(
        over socket: StreamSocket,
        _ start: (@escaping @Sendable (Result<Answer, any Error>) -> Void) -> Void
    ) throws {
        let outcome = Awaited<Result<Answer, any Error>>()
        start { outcome.leave($0) }
        while true {
            guard let result = outcome.value(withinSeconds: Self.heartbeatSeconds) else {
                try send(Reply<Answer>.working, over: socket)
                continue
            }
            switch result {
            case .success(let answer): try send(Reply.answer(answer), over: socket)
            case .failure(let error): try send(Reply<Answer>.failed(message: "\(error)"), over: socket)
            }
            return
        }
    }

    private func send<Answer>(_ reply: Reply<Answer>, over socket: StreamSocket) throws {
        try Frame(header: JSONEncoder().encode(reply)).send(over: socket)
    }
}

package enum ListenerError: Error, CustomStringConvertible {
    case cannotListen(String)

    package var description: String {
        switch self {
        case .cannotListen(let reason): "cannot listen to commands at \(reason)"
        }
    }
}
