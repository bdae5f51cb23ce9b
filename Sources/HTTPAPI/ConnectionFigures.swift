// What the daemon's connections do, for monitoring.

import Synchronization

/// Counts connections. All methods may be called from any thread.
package final class ConnectionFigures: Sendable {
    /// Why the daemon ended a connection that its client would have kept.
    enum Ending: Int, CaseIterable {
        /// No request came within the time.
        case idle
        /// A request was not complete within the time.
        case slowRequest
        /// An answer was not read within the time.
        case unreadAnswer
        /// What came is not HTTP as the daemon speaks it.
        case badRequest

        var label: String {
            switch self {
            case .idle: "idle"
            case .slowRequest: "slow_request"
            case .unreadAnswer: "unread_answer"
            case .badRequest: "bad_request"
            }
        }
    }

    private struct Counts {
        var open = 0
        var ended = Array(repeating: 0, count: Ending.allCases.count)
    }

    private let counts = Mutex(Counts())

    func opened() { counts.withLock { $0.open += 1 } }

    func closed() { counts.withLock { $0.open -= 1 } }

    func note(_ ending: Ending) { counts.withLock { $0.ended[ending.rawValue] += 1 } }

    var open: Int { counts.withLock { $0.open } }

    var ended: [(ending: Ending, count: Int)] {
        let ended = counts.withLock { $0.ended }
        return Ending.allCases.map { ($0, ended[$0.rawValue]) }
    }
}
