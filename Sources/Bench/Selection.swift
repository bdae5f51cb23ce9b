// Which workloads are wanted, by the names that the command line knows.

/// A name that can be asked for.
struct WorkloadName {
    let name: String
    let meaning: String

    static let all: [WorkloadName] = [
        ("N", "new devices with three items each, from a file"),
        ("D", "a realistic day of devices, from a file"),
        ("E", "the same day again, from a file"),
        ("http", "D over HTTP; http-1000 or http-1000x8: only batches of 1,000, over 8 connections"),
        ("night", "latency while a rating seals a large day"),
        ("G", "gateway calls, from a file"),
        ("P", "D and N into PostgreSQL, the ratios to it"),
        ("rating", "rating of 10,000 apps with three open days"),
        ("small-day", "rating of a small day in a large file"),
        ("restart", "the start of the daemon"),
        ("memory", "memory a device"),
        ("replay", "a year of real events with its ratings"),
        ("verify", "all checks of a ledger of a million entries; not part of the quick form unless named"),
        ("size", "D into a small and a large ledger; not part of the quick form unless named"),
        ("soak", "a day of load in --minutes, and whether anything grows; only when named"),
    ].map { WorkloadName(name: $0.0, meaning: $0.1) }

    static var list: String {
        all.map { "  \($0.name)\(String(repeating: " ", count: 11 - $0.name.count))\($0.meaning)" }
            .joined(separator: "\n")
    }
}

struct Selection {
    /// Everything when empty.
    private let names: Set<String>

    /// - Throws: ``BenchFailure`` for a name that there is not.
    init(_ names: [String]) throws {
        for name in names {
            let isKnown =
                WorkloadName.all.contains { $0.name == name } || HTTPForm.all.contains { $0.isMeant(by: name) }
            guard isKnown else {
                throw BenchFailure("there is no workload '\(name)'; there are:\n\(WorkloadName.list)")
            }
        }
        self.names = Set(names)
    }

    func has(_ name: String, byDefault isUsual: Bool = true) -> Bool {
        names.isEmpty ? isUsual : names.contains(name)
    }

    func among(_ all: [String]) -> Set<String> { Set(all.filter { has($0) }) }

    /// The forms of posting that are wanted; in the quick form those that the project promises something of, unless
    /// others are named.
    func httpForms(_ scale: Scale) -> [HTTPForm] {
        HTTPForm.all.filter { form in
            let isUsual = scale.isFull || form.isOfQuickForm
            return has("http") && isUsual || names.contains(form.name)
                || names.contains { form.isMeant(by: $0) } && (isUsual || !HTTPForm.hasQuickForm(batch: form.batch))
        }
    }
}

extension HTTPForm {
    static let all = [1, 100, 1_000, 10_000].flatMap { batch in
        [1, 8, 64].map { HTTPForm(batch: batch, connections: $0) }
    }

    private static let ofQuickForm = [HTTPForm(batch: 1, connections: 64), HTTPForm(batch: 1_000, connections: 8)]

    var isOfQuickForm: Bool { Self.ofQuickForm.contains(self) }

    static func hasQuickForm(batch: Int) -> Bool { ofQuickForm.contains { $0.batch == batch } }

    /// `http-1000x8`, and `http-1000` for any number of connections.
    func isMeant(by name: String) -> Bool { name == self.name || name == "http-\(batch)" }
}
