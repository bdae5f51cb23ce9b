// A journal, cut at many points: what is left is surveyed, and held against what was acknowledged by then.

import Foundation
import Interposing
import PowerLoss
import Seeded
import Synchronization

/// What a trial found.
struct Verdict: Sendable {
    struct Failure: Sendable, CustomStringConvertible {
        let cut: Cut
        let isLoss: Bool
        let what: String

        var description: String { "\(cut): \(what)" }
    }

    var cutCount = 0
    /// How many different folders the cuts left.
    var distinctCount = 0
    var failures: [Failure] = []

    var losses: [Failure] { failures.filter(\.isLoss) }
    var damages: [Failure] { failures.filter { !$0.isLoss } }
}

struct Trial {
    let journal: [JournalRecord]
    /// What the folder held before.
    var before: [String: Data] = [:]
    let survey: @Sendable ([String: Data]) throws -> Survey

    /// How many folders are held in memory and surveyed beside each other.
    private static let atOnce = 16

    func run(_ cuts: some Collection<Cut>) throws -> Verdict {
        var verdict = Verdict()
        var disk = RecordedDisk(files: before)
        var acknowledged = Acknowledged()
        var position = 0
        var fingerprints: Set<Int> = []
        // Of the last folders only: equal ones are left by cuts that are near each other.
        var known: [Int: Survey] = [:]
        var rest = Array(cuts)[...]
        while !rest.isEmpty {
            var scenes: [Scene] = []
            for cut in rest.prefix(Self.atOnce) {
                while position < cut.position {
                    try disk.apply(journal[position])
                    if case .mark(let text) = journal[position] { acknowledged.take(text) }
                    position += 1
                }
                scenes.append(Scene(cut, disk, acknowledged))
            }
            rest = rest.dropFirst(scenes.count)
            known.merge(try surveys(of: scenes, known)) { $1 }
            let present = Set(scenes.map(\.fingerprint))
            known = known.filter { present.contains($0.key) }
            fingerprints.formUnion(present)
            for scene in scenes {
                verdict.cutCount += 1
                guard let survey = known[scene.fingerprint] else { continue }
                if !survey.problems.isEmpty {
                    let what = survey.problems.prefix(4).joined(separator: "; ")
                    verdict.failures.append(.init(cut: scene.cut, isLoss: false, what: what))
                }
                let missing = survey.missing(of: scene.acknowledged)
                if !missing.isEmpty {
                    verdict.failures.append(
                        .init(cut: scene.cut, isLoss: true, what: "acknowledged, and lost: \(missing.prefix(4))"))
                }
            }
        }
        verdict.distinctCount = fingerprints.count
        return verdict
    }

    private struct Scene: Sendable {
        let cut: Cut
        let files: [String: Data]
        let acknowledged: Acknowledged
        /// Equal for equal folders.
        let fingerprint: Int

        init(_ cut: Cut, _ disk: RecordedDisk, _ acknowledged: Acknowledged) {
            self.cut = cut
            self.acknowledged = acknowledged
            var chance = SeededGenerator(seed: cut.seed)
            let (files, unknown) = disk.files(after: cut.loss, &chance)
            self.files = files
            var hasher = Hasher()
            for name in files.keys.sorted() {
                hasher.combine(name)
                if let data = files[name], !unknown.contains(name) {
                    data.withUnsafeBytes { hasher.combine(bytes: $0) }
                }
            }
            fingerprint = hasher.finalize()
        }
    }

    private func surveys(of scenes: [Scene], _ known: [Int: Survey]) throws -> [Int: Survey] {
        var fresh: [Int: Scene] = [:]
        for scene in scenes where known[scene.fingerprint] == nil { fresh[scene.fingerprint] = scene }
        let new = Array(fresh.values)
        let results = Mutex<[Int: Result<Survey, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: new.count) { index in
            let result = Result { try survey(new[index].files) }
            results.withLock { $0[new[index].fingerprint] = result }
        }
        return try results.withLock { $0 }.mapValues { try $0.get() }
    }
}
