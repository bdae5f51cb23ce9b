// Work that a thread of its own does ahead of whoever takes what comes of it.

import Foundation

/// Batches that one thread fills, and another takes in the same order and gives back to be filled again. There are only so
/// many, so whoever takes slowly makes the filling wait, not the memory grow.
final class WorkAhead<Item: LineBatch> {
    /// What the two threads share.
    final class Exchange: @unchecked Sendable {
        private let condition = NSCondition()
        // Guarded by `condition`.
        private var empty: [Item]
        private var full: [Item] = []
        private var end: Result<Void, any Error>?
        private var isStopped = false

        fileprivate init(_ items: [Item]) { empty = items }

        /// The next item to fill.
        ///
        /// - Throws: when nobody takes what would be filled.
        func takeEmpty() throws -> Item {
            try condition.withLock {
                while empty.isEmpty, !isStopped { condition.wait() }
                guard !isStopped, let item = empty.popLast() else { throw Stopped() }
                return item
            }
        }

        /// Hands over an item that is filled.
        ///
        /// - Throws: when nobody takes it.
        func hand(_ item: Item) throws {
            try condition.withLock {
                guard !isStopped else { throw Stopped() }
                full.append(item)
                condition.signal()
            }
        }

        fileprivate func finish(_ end: Result<Void, any Error>) {
            condition.withLock {
                self.end = end
                condition.signal()
            }
        }

        fileprivate func takeFull() throws -> Item? {
            try condition.withLock {
                while full.isEmpty {
                    if let end {
                        try end.get()
                        return nil
                    }
                    condition.wait()
                }
                return full.removeFirst()
            }
        }

        /// Whether `takeFull` would not wait.
        fileprivate var isReady: Bool { condition.withLock { !full.isEmpty || end != nil } }

        fileprivate func giveBack(_ item: Item) {
            condition.withLock {
                empty.append(item)
                condition.signal()
            }
        }

        fileprivate func stop() {
            condition.withLock {
                isStopped = true
                condition.signal()
            }
        }
    }

    private struct Stopped: Error {}

    private let exchange: Exchange

    /// - Parameter fill: takes empty items and hands them over full, until there is nothing more to fill them with.
    init(_ items: [Item], fill: @escaping @Sendable (Exchange) throws -> Void) {
        let exchange = Exchange(items)
        self.exchange = exchange
        let thread = Thread { exchange.finish(Result { try fill(exchange) }) }
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { exchange.stop() }

    /// The next full item, nil when there is no more. Give it back once it is used.
    ///
    /// - Throws: what ended the filling early, when all that was filled before has been taken.
    func next() throws -> Item? { try exchange.takeFull() }

    /// Waits a while for ``next()`` to have something.
    ///
    /// - Returns: whether it has, or the end.
    func isReady(within time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        while !exchange.isReady {
            // Not a timed wait: that would go by the time of day, which may be set meanwhile.
            guard ContinuousClock.now < deadline else { return false }
            usleep(2_000)
        }
        return true
    }

    func giveBack(_ item: Item) {
        item.empty()
        exchange.giveBack(item)
    }
}
