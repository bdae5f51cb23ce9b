// What was measured, row by row, and the ratios that are made of it.

import Foundation

/// What one run of a workload gave.
struct Sample {
    /// Events, lines, devices: what `perSecond` counts.
    var count = 0
    /// The time that counts for `perSecond`.
    var seconds = 0.0
    var p50: Double?
    var p99: Double?
    var peakMemoryBytes: Int?
    /// The size of the file and its log when the run was over.
    var bytesOnDisk: Int?
}

/// Rows as they are printed, and the rates that ratios are made of.
final class Report {
    /// How a row's count is to be understood.
    enum Kind {
        /// A rate, compared with R.
        case rate
        /// A rate that is not compared: it counts other things than events.
        case otherRate
        /// Only a time.
        case time
        /// A size of memory or file.
        case size
    }

    private var table = TextTable(headings: [
        "what", "how many", "time", "per second", "to R", "p50", "p99", "peak memory", "on disk",
    ])
    /// Per second, by the name that ratios are made with.
    private var rates: [String: Double] = [:]
    private var ratios: [String] = []
    private var notes: [String] = []
    /// What should not be so.
    private(set) var failures: [String] = []

    /// The name of the reference in ``rates``.
    static let reference = "R"

    func section(_ title: String) { table.lines.append(.section(title)) }

    func note(_ text: String) { notes.append(text) }

    func fail(_ text: String) { failures.append(text) }

    func rate(_ name: String) -> Double? { rates[name] }

    /// The rate that others are compared with.
    func setReference(_ samples: [Sample]) {
        rates[Self.reference] = median(samples.map { Double($0.count) / $0.seconds })
    }

    func set(rate: Double, of name: String) { rates[name] = rate }

    /// Adds a row of the medians of the runs.
    ///
    /// - Parameter name: by which ratios find it.
    func add(_ what: String, _ samples: [Sample], _ kind: Kind = .rate, name: String? = nil) {
        func middle(_ value: (Sample) -> Double?) -> Double? { median(samples.compactMap(value)) }
        let count = samples.first?.count ?? 0
        let seconds = middle { $0.seconds > 0 ? $0.seconds : nil }
        let perSecond = kind == .rate || kind == .otherRate ? middle { Double($0.count) / $0.seconds } : nil
        if let name, let perSecond { rates[name] = perSecond }
        let ratio = kind == .rate ? perSecond.flatMap { rate in rates[Self.reference].map { rate / $0 } } : nil
        let cells: [String?] = [
            what, count > 0 ? Wording.grouped(Double(count)) : nil, seconds.map { Wording.time(seconds: $0) },
            perSecond.map { Wording.rate($0) }, ratio.map { Wording.ratio($0) },
            middle(\.p50).map { Wording.time(seconds: $0) }, middle(\.p99).map { Wording.time(seconds: $0) },
            middle { $0.peakMemoryBytes.map(Double.init) }.map { Wording.bytes(Int($0)) },
            middle { $0.bytesOnDisk.map(Double.init) }.map { Wording.bytes(Int($0)) },
        ]
        table.lines.append(.cells(cells.map { $0 ?? "" }))
    }

    /// Remembers the median time of samples, for a ratio.
    func set(_ samples: [Sample], of name: String) { rates[name] = median(samples.map(\.seconds)).map { 1 / $0 } }

    /// A ratio to be printed below the table, if both are known.
    ///
    /// - Parameter ofTimes: the names stand for times, of which rates are the reciprocals.
    func addRatio(_ label: String, _ above: String, _ below: String, ofTimes: Bool = false) {
        let (above, below) = ofTimes ? (below, above) : (above, below)
        if let above = rates[above], let below = rates[below] {
            ratios.append("\(label) \(Wording.ratio(above / below))")
        }
    }

    var text: String {
        var text = table.text + "\n"
        if !ratios.isEmpty { text += "ratios: " + ratios.joined(separator: "   ") + "\n\n" }
        for note in notes { text += "- \(note)\n" }
        for failure in failures { text += "FAILED: \(failure)\n" }
        return text
    }
}
