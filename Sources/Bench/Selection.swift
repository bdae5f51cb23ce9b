// Which workloads are wanted, by the names that the command line knows.

/// A name that can be asked for.
struct WorkloadName {
    let name: String
    let meaning: String

    static let all: [WorkloadName] = [
        WorkloadName(name: "N", meaning: "new devices, from a file"),
        WorkloadName(name: "D", meaning: "a realistic day, from a file"),
        WorkloadName(name: "E", meaning: "the same day again, from a file"),
        WorkloadName(name: "http", meaning: "D over HTTP, all forms; http-1000: those with batches of 1,000"),
    ]

    static var list: String {
        all.map { "  \($0.name)\(String(repeating: " ", count: max(1, 10 - $0.name.count)))\($0.meaning)" }
            .joined(separator: "\n")
    }
}

struct Selection {
    /// Everything when empty.
    private let names: Set<String>

    /// - Throws: ``BenchFailure`` for a name that there is not.
    init(_ names: [String]) throws {
        for name in names where !WorkloadName.all.contains(where: { $0.name == Self.root(name) }) {
            throw BenchFailure("there is no workload '\(name)'; there are:\n\(WorkloadName.list)")
        }
        self.names = Set(names)
    }

    /// `http-1000x8` and `http-1000` belong to `http`.
    private static func root(_ name: String) -> String { name.hasPrefix("http-") ? "http" : name }

    func has(_ name: String) -> Bool { names.isEmpty || names.contains(name) }

    func among(_ all: [String]) -> Set<String> { Set(all.filter(has)) }

    /// The forms of posting that are wanted: in the quick form those that the project promises something of; any that is
    /// named, `http-100` or `http-100x8`.
    func httpForms(_ scale: Scale) -> [HTTPForm] {
        let wanted = names.filter { Self.root($0) == "http" }
        let isForAll = names.isEmpty || wanted.contains("http")
        var forms: [HTTPForm] = []
        for batch in [1, 100, 1_000, 10_000] {
            for connections in [1, 8, 64] {
                let form = HTTPForm(batch: batch, connections: connections)
                let isUsual =
                    scale.isFull
                    || [HTTPForm(batch: 1, connections: 64), .init(batch: 1_000, connections: 8)].contains(form)
                let isNamed =
                    wanted.contains(form.name) || (wanted.contains("http-\(batch)") && (isUsual || scale.isFull))
                if isNamed || (isForAll && isUsual) { forms.append(form) }
            }
        }
        return forms
    }
}
