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
    package private(set) var durableSeconds = Histogram(upTo: seconds)
    /// Seconds of a transaction, its commit included.
    package private(set) var transactionSeconds = Histogram(upTo: seconds)
    package var queuedRequests = 0
    package var queuedBytes = 0

    private static let seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

    mutating func noteGroup(_ reports: [BatchReport], commit: Duration, waits: [Duration]) {
        for report in reports { outcomes.add(report) }
        groupEvents.note(Double(reports.reduce(0) { $0 + $1.received }))
        transactionSeconds.note(commit / .seconds(1))
        for wait in waits { durableSeconds.note(wait / .seconds(1)) }
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
