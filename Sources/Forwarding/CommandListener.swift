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
    private let ledger: String
    private let path: String
    private let listener: StreamSocket
    private let writer: LedgerWriter
    private let lock = NSLock()
    // Guarded by `lock`.
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var isListening = true

    private struct Connection {
        let socket: StreamSocket
        var isAnswered = false
        /// Since when nothing is asked.
        var idleSince = ContinuousClock.now
    }

    /// A thread and a descriptor each.
    static let mostConnections = 32
    private static let heartbeatSeconds = 2.0
    /// How long a client may stand still in the middle of a request.
    private static let patienceSeconds = 30

    /// - Parameter path: of the ledger, whose writer's lock this process holds.
    package init(ledger path: String, writer: LedgerWriter) throws {
        ledger = path
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
        while atWork > 0, ContinuousClock.now < deadline { usleep(2_000) }
        lock.withLock { for connection in connections.values { connection.socket.shutDown() } }
    }

    /// Of how many connections a request is being done.
    var atWork: Int { lock.withLock { connections.values.count { $0.isAnswered } } }

    private func accept() {
        while let socket = listener.accept(timeoutSeconds: Self.patienceSeconds) {
            // The socket's mode keeps others out; this holds also where the file system knows no modes.
            guard let user = socket.peer?.user, user == geteuid() || user == 0 else { continue }
            guard makeRoom() else {
                Self.say(.failed(message: DaemonError.crowded), over: socket)
                continue
            }
            lock.withLock { connections[ObjectIdentifier(socket)] = Connection(socket: socket) }
            let thread = Thread { [self] in
                serve(socket)
                lock.withLock { connections[ObjectIdentifier(socket)] = nil }
            }
            thread.name = "command"
            thread.stackSize = 2 << 20
            thread.start()
        }
    }

    /// Where there is no room for one connection more, gives up the one that has been idle for the longest time. Its
    /// command, if it still wants something, connects again.
    ///
    /// - Returns: false when all of them are at work.
    private func makeRoom() -> Bool {
        lock.withLock {
            guard connections.count >= Self.mostConnections else { return true }
            let idle = connections.filter { !$0.value.isAnswered }
            guard let (key, connection) = idle.min(by: { $0.value.idleSince < $1.value.idleSince }) else {
                return false
            }
            // From now on nothing that it sends is answered, so what it is told is true.
            connections[key] = nil
            Self.say(.dismissed, over: connection.socket)
            connection.socket.shutDown()
            return true
        }
    }

    /// A last word to somebody who asks for nothing just now.
    private static func say(_ reply: Reply<Bool>, over socket: StreamSocket) {
        guard let header = try? JSONEncoder().encode(reply) else { return }
        socket.writeWithoutWaiting(Frame(header: header).bytes)
    }

    private func serve(_ socket: StreamSocket) {
        // A command that reads a slow input may be silent for long between two requests.
        while socket.waitUntilReadable(), let request = try? Frame.receive(over: socket) {
            guard begin(socket) else { return }
            defer { end(socket) }
            do { try answer(request, over: socket) } catch { return }
        }
    }

    /// - Returns: false when the connection was given up meanwhile: nothing of the request is done.
    private func begin(_ socket: StreamSocket) -> Bool {
        lock.withLock {
            connections[ObjectIdentifier(socket)]?.isAnswered = true
            return connections[ObjectIdentifier(socket)] != nil
        }
    }

    private func end(_ socket: StreamSocket) {
        lock.withLock {
            connections[ObjectIdentifier(socket)]?.isAnswered = false
            connections[ObjectIdentifier(socket)]?.idleSince = .now
        }
    }

    private func answer(_ request: Frame, over socket: StreamSocket) throws {
        guard let head = try? JSONDecoder().decode(RequestHeadOnly.self, from: request.header).head,
            head.protocolNumber == Frame.protocolNumber
        else {
            // Nothing that the other version could read would be right; the end of the line is.
            return socket.shutDown()
        }
        guard head.ledger == FileIdentity(of: ledger) else {
            return try send(
                Reply<Bool>.failed(
                    message:
                        "the daemon at \(path) (process \(getpid())) has another file open than the command means; "
                        + "nothing was done. Remove that socket if it was put there, or restart the daemon"),
                over: socket)
        }
        let clock = LedgerClock(given: head.now, isConfirmed: head.confirmsClock)
        if head.operation == RequestHead.ingest {
            let events = ReceivedEvents(copying: request.payload, key: writer.eventKey)
            try LinesPayload.eachLine(events.bytes) { events.batch.add(line: $0) }
            return try relay(over: socket) { [writer] answer in
                writer.enqueue(events, clock: clock) { answer($0.map(\.withExamples)) }
            }
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
