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
    private var notes: [String] = []

    /// The name of the reference in ``rates``.
    static let reference = "R"

    func section(_ title: String) { table.lines.append(.section(title)) }

    func note(_ text: String) { notes.append(text) }

    func rate(_ name: String) -> Double? { rates[name] }

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

    /// The ratios that the project is judged by, of what was measured.
    private var ratios: String {
        let pairs: [(String, String, String)] = [
            ("D/R", "D", "R"), ("E/R", "E", "R"), ("N/R", "N", "R"), ("G/R", "G", "R"),
            ("HTTP/R", "http-1000x8", "R"), ("D/P", "D", "P D"), ("N/P", "N", "P N"),
            ("30 M/1 M", "D at 30 M", "D at 1 M"),
        ]
        let known = pairs.compactMap { label, above, below in
            rates[above].flatMap { above in rates[below].map { "\(label) \(Wording.ratio(above / $0))" } }
        }
        return known.isEmpty ? "" : "ratios: " + known.joined(separator: "   ") + "\n"
    }

    var text: String {
        var text = table.text + "\n"
        text += ratios
        for note in notes { text += "- \(note)\n" }
        return text
    }
}
