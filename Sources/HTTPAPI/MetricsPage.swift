// The text that Prometheus reads.

import Writer

/// Metrics in the text format 0.0.4, in the order in which they are added.
struct MetricsPage {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [([(String, String)], Double)]) {
        head(name, kind, help)
        for (labels, value) in samples { sample(name, labels, value) }
    }

    /// - Parameter value: left out while there is none.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        head(name, kind, help)
        if let value { sample(name, [], value) }
    }

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, .histogram, help)
        var count = 0
        for (bound, more) in zip(histogram.bounds, histogram.counts) {
            count += more
            sample(name + "_bucket", [("le", Self.number(bound))], Double(count))
        }
        count += histogram.counts.last ?? 0
        sample(name + "_bucket", [("le", "+Inf")], Double(count))
        sample(name + "_sum", [], histogram.sum)
        sample(name + "_count", [], Double(count))
    }

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Label values are meterd's own words: none needs to be escaped.
    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        let list = labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        Int64(exactly: value).map(String.init) ?? "\(value)"
    }
}
