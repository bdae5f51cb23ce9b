// What became of an event, and of a batch: the answer to whoever sent it.

package import EventCodec
package import Quantities

/// The four ways an event can end; disjoint (Billing rules, section 2 and 4).
package enum Outcome: Codable, Sendable, Equatable {
    case accepted
    /// Late usage that was taken: it is posted on a later day than its own.
    case correction(usageDay: Day, postingDay: Day)
    /// A sum event that is stored already, with the same content.
    case duplicate
    case refused(RefusalCode, String)

    package var status: String {
        switch self {
        case .accepted: "accepted"
        case .correction: "correction"
        case .duplicate: "duplicate"
        case .refused: "refused"
        }
    }
}

/// An event that was not simply accepted.
package struct EventResult: Codable, Sendable {
    /// Its place in the batch, from 0.
    package let index: Int
    package let source: String?
    package let id: String?
    package let outcome: Outcome
}

package struct BatchReport: Codable, Sendable {
    package var accepted = 0
    package var corrections = 0
    package var duplicates = 0
    package var refused: [RefusalCode: Int] = [:]
    /// Those of the refused that were no JSON object, so no event at all.
    package var unreadable = 0
    /// Those of the refused that were events and are not in quarantine: it is full, or they are too large for it.
    package var notKept = 0
    package var results: [EventResult] = []

    package init() {}

    package var refusedCount: Int { refused.values.reduce(0, +) }
    package var received: Int { accepted + corrections + duplicates + refusedCount }

    mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .accepted: accepted += 1
        case .correction: corrections += 1
        case .duplicate: duplicates += 1
        case .refused(let code, _): refused[code, default: 0] += 1
        }
    }

    /// Appends the batch that followed this one: its results go on counting where this one ended.
    package mutating func append(_ next: BatchReport) {
        let offset = received
        results += next.results.map {
            EventResult(index: $0.index + offset, source: $0.source, id: $0.id, outcome: $0.outcome)
        }
        add(next)
    }

    /// Adds the counts of another batch; the results stay those of this one.
    package mutating func add(_ other: BatchReport) {
        accepted += other.accepted
        corrections += other.corrections
        duplicates += other.duplicates
        refused.merge(other.refused, uniquingKeysWith: +)
        unreadable += other.unreadable
        notKept += other.notKept
    }

    /// The same counts with the results of the first few refused events only: what a command shows. The results of all
    /// would be many times as long as the events.
    package var withExamples: BatchReport {
        var report = self
        report.results = Array(
            results.lazy.filter { if case .refused = $0.outcome { true } else { false } }.prefix(20))
        return report
    }
}
