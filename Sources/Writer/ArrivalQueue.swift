// Events that wait to be stored, in the order in which they came, within the bounds of what may wait.

import Ingestion
import LedgerStore

/// What one sender waits for.
struct Arrival {
    let events: ReceivedEvents
    /// What has become of the events so far: those of a large request are stored in several transactions.
    var progress: BatchInProgress
    let clock: LedgerClock
    let receivedAt: ContinuousClock.Instant
    let answer: @Sendable (Result<BatchReport, any Error>) -> Void
}

/// Whoever uses it sees to it that one thread does at a time.
struct ArrivalQueue {
    private let bounds: LedgerWriter.Bounds
    private var arrivals: [Arrival] = []
    /// What they weigh together.
    private(set) var bytes = 0

    init(_ bounds: LedgerWriter.Bounds) { self.bounds = bounds }

    var count: Int { arrivals.count }
    var isEmpty: Bool { arrivals.isEmpty }

    /// - Returns: whether there was room. For one there always is, however large.
    mutating func append(_ arrival: Arrival) -> Bool {
        let weight = arrival.events.weight
        guard arrivals.count < bounds.queuedRequests, arrivals.isEmpty || bytes + weight <= bounds.queuedBytes else {
            return false
        }
        arrivals.append(arrival)
        bytes += weight
        return true
    }

    /// Takes back what a transaction had no time for.
    ///
    /// - Parameters:
    ///   - untouched: whose turn has not come; it comes next.
    ///   - begun: stored in part; others get their turn first, but those that go by another clock: a clock that a sender
    ///     gives never goes back.
    mutating func putBack(untouched: [Arrival], begun: [Arrival]) {
        bytes += (untouched + begun).reduce(0) { $0 + $1.events.weight }
        let waitsForAll = begun.allSatisfy { one in
            one.clock.given == nil || arrivals.allSatisfy { $0.clock == one.clock }
        }
        arrivals = untouched + (waitsForAll ? arrivals + begun : begun + arrivals)
    }

    /// Takes the arrivals of the next transaction: those at the front that go by the same clock, within the group's bound.
    mutating func takeGroup(atMost most: Int) -> [Arrival] {
        var groupBytes = 0
        var count = 0
        for arrival in arrivals {
            guard count < most,
                count == 0
                    || (groupBytes + arrival.events.weight <= bounds.groupBytes && arrival.clock == arrivals[0].clock)
            else { break }
            groupBytes += arrival.events.weight
            count += 1
        }
        return take(count, weighing: groupBytes)
    }

    /// Takes so many at the front.
    mutating func take(_ count: Int) -> [Arrival] {
        take(count, weighing: arrivals.prefix(count).reduce(0) { $0 + $1.events.weight })
    }

    private mutating func take(_ count: Int, weighing weight: Int) -> [Arrival] {
        bytes -= weight
        guard count < arrivals.count else {
            defer { arrivals = [] }
            return arrivals
        }
        defer { arrivals.removeFirst(count) }
        return Array(arrivals.prefix(count))
    }
}
