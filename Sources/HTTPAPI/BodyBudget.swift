// How much of bodies may be in memory at a time, whoever sends them.

import NIOConcurrencyHelpers

/// Bytes that all requests share, so that many large ones at once can't take all memory.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = NIOLockedValueBox(0)

    init(limit: Int) { self.limit = limit }

    /// What one request has taken of the budget; given back when the request is over.
    final class Share: Sendable {
        private let budget: BodyBudget
        private let taken = NIOLockedValueBox(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLockedValue { $0 }
            budget.used.withLockedValue { $0 -= bytes }
        }

        /// - Returns: whether there was room. A request that has the budget for itself always has.
        func grow(to bytes: Int) -> Bool {
            taken.withLockedValue { taken in
                let isGranted = budget.used.withLockedValue { used in
                    guard used == taken || used - taken + bytes <= budget.limit else { return false }
                    used += bytes - taken
                    return true
                }
                if isGranted { taken = bytes }
                return isGranted
            }
        }
    }

    func share() -> Share { Share(self) }
}
