// Orders samples: medians of runs, percentiles of latencies.

/// The middle one; of an even number, the mean of the two in the middle. Nil of nothing.
package func median(_ samples: [Double]) -> Double? {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Latencies of requests, in nanoseconds.
package struct Latencies: Sendable {
    package private(set) var samples: [UInt64]

    package init(_ samples: [UInt64] = []) { self.samples = samples }

    package mutating func append(nanoseconds: UInt64) { samples.append(nanoseconds) }

    /// The nearest rank: the smallest sample that at least `percent` of all do not exceed. Nil of nothing.
    package func percentile(_ percent: Double) -> Double? { seconds(percent, samples.sorted()) }

    /// Several percentiles of one sorting.
    package func percentiles(_ percents: [Double]) -> [Double?] {
        let sorted = samples.sorted()
        return percents.map { seconds($0, sorted) }
    }

    private func seconds(_ percent: Double, _ sorted: [UInt64]) -> Double? {
        guard !sorted.isEmpty else { return nil }
        let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
        return Double(sorted[min(max(rank, 1), sorted.count) - 1]) / 1e9
    }
}
