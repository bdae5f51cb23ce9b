// What the writer has done since it started, for metrics.

package import Ingestion

/// Counts since the start, and what waits now.
package struct WriterStatistics: Sendable {
    /// What became of events; only the counts.
    package private(set) var outcomes = BatchReport()
    /// Requests that found the queue full.
    package var refusedRequests = 0
    /// Requests whose transaction failed.
    package var failedRequests = 0
    /// Events of one transaction.
    package private(set) var groupEvents = Histogram(upTo: [1, 10, 100, 1_000, 10_000, 100_000])
    /// Seconds from a request's arrival in the queue to its commit.
    package private(set) var durableSeconds = Histogram(upTo: secondBounds)
    /// Seconds of a transaction, its commit included.
    package private(set) var transactionSeconds = Histogram(upTo: secondBounds)
    package var queuedRequests = 0
    package var queuedBytes = 0

    private static let secondBounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

    /// - Parameters:
    ///   - reports: of the requests that a transaction has completed.
    ///   - events: how many it stored, of these requests and of others.
    mutating func noteGroup(_ reports: [BatchReport], events: Int, commit: Duration, waits: [Duration]) {
        for report in reports { outcomes.add(report) }
        groupEvents.note(Double(events))
        transactionSeconds.note(Self.seconds(commit))
        for wait in waits { durableSeconds.note(Self.seconds(wait)) }
    }

    /// What was stored of a request that failed in the end.
    mutating func noteStored(_ report: BatchReport) { outcomes.add(report) }

    /// Dividing durations is arithmetic of 128 bits, which a request's time is not worth.
    private static func seconds(_ time: Duration) -> Double {
        let (seconds, attoseconds) = time.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

/// How many observations were at most so large, for each of some bounds.
package struct Histogram: Sendable {
    package let bounds: [Double]
    /// Observations between one bound and the next; the last is without bound.
    package private(set) var counts: [Int]
    package private(set) var sum = 0.0

    init(upTo bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func note(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
