// How much of requests and answers may be in memory at a time.

import NIOConcurrencyHelpers

/// Bytes that all requests and answers share, so that many large ones at once can't take all memory.
///
/// A request takes its bytes before it is given room, and is refused when there is none. An answer is counted while its
/// client has not read it, whether there is room or not: what it tells has been done.
package final class MemoryBudget: Sendable {
    fileprivate struct Used {
        var requests = 0
        var outcomes = 0
        var pages = 0

        var answers: Int { outcomes + pages }
        var all: Int { requests + answers }
    }

    private let limit: Int
    private let used = NIOLockedValueBox(Used())

    package init(limit: Int) { self.limit = limit }

    /// What one request has taken of the budget; given back when the request is over.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let taken = NIOLockedValueBox(0)

        fileprivate init(_ budget: MemoryBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLockedValue { $0 }
            budget.used.withLockedValue { $0.requests -= bytes }
        }

        /// - Returns: whether there was room. A request that has the budget for itself always has.
        func grow(to bytes: Int) -> Bool {
            taken.withLockedValue { taken in
                guard bytes > taken else { return true }
                let isGranted = budget.used.withLockedValue { used in
                    guard used.all == taken || used.all - taken + bytes <= budget.limit else { return false }
                    used.requests += bytes - taken
                    return true
                }
                if isGranted { taken = bytes }
                return isGranted
            }
        }
    }

    func share() -> Share { Share(self) }

    // MARK: Answers

    enum Answer {
        /// What became of a request's events.
        case outcome
        /// What somebody asked for.
        case page

        fileprivate var used: WritableKeyPath<Used, Int> { self == .page ? \.pages : \.outcomes }
    }

    /// The part of the budget that pages may fill: clients that don't read them must leave room for senders. Outcomes that
    /// senders leave unread don't count here, or they would keep everybody from asking.
    private static let pagesShare = 4

    /// Whether a page of this size may be given; one always may while no other waits to be read.
    func hasRoom(forPage bytes: Int) -> Bool {
        used.withLockedValue { $0.pages == 0 || $0.pages + bytes <= limit / Self.pagesShare }
    }

    /// Whether unread answers take so much that senders may lack room.
    var isCrowded: Bool { used.withLockedValue { $0.answers > limit / 2 } }

    func add(_ answer: Answer, _ bytes: Int) { used.withLockedValue { $0[keyPath: answer.used] += bytes } }

    func remove(_ answer: Answer, _ bytes: Int) { used.withLockedValue { $0[keyPath: answer.used] -= bytes } }

    /// For the metrics.
    var figures: (requests: Int, answers: Int) { used.withLockedValue { ($0.requests, $0.answers) } }
}
