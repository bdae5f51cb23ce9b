// The power fails at any moment: what was acknowledged is there, the file is sound, and the rest can be done again.

import Foundation
import Interposing
import PowerLoss
import Testing

/// METERD_POWER_ROUNDS and METERD_POWER_SEED choose how many cuts, and which; `scripts/power-loss` sets them.
private let rounds = ProcessInfo.processInfo.environment["METERD_POWER_ROUNDS"].flatMap { Int($0) } ?? 450
private let seed = ProcessInfo.processInfo.environment["METERD_POWER_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("When the power fails", .serialized)
struct PowerLossTests {
    /// A week of the real daemon, on record.
    private struct Week: Sendable {
        let recording: Recording
        let journal: [JournalRecord]
        let survivor: Survivor

        var trial: Trial { trial(of: journal) }

        func trial(of journal: [JournalRecord]) -> Trial {
            Trial(journal: journal) { [survivor] in try survivor.survey($0) }
        }
    }

    private static let week = Task {
        let history = History(seed: seed)
        let recording = try Recording()
        try await recording.take(history)
        return Week(
            recording: recording, journal: try recording.records(),
            survivor: Survivor(history: history, whole: try Holdings(of: recording.ledger)))
    }

    @Test("every acknowledged event is in the file once, the file verifies, and carried on it is as uninterrupted")
    func everything() async throws {
        let week = try await Self.week.value
        let cuts = Cut.choose(rounds, in: week.journal, seed: seed)
        let verdict = try week.trial.run(cuts)
        report("a week of the daemon", week.journal, verdict)
        #expect(verdict.cutCount == cuts.count)
        #expect(verdict.failures.prefix(8).map(\.description) == [])
    }

    @Test(
        "while the schema is brought up, the file is as before or as after, and what was before is kept",
        arguments: [false, true])
    func migration(isSecondAttempt: Bool) async throws {
        let week = try await Self.week.value
        let step = "0003-views"
        let kept = "meterd.db.before-\(step)"
        let recording = try Recording()
        let before = try recording.begin(with: week.recording.ledger, withoutStep: step)
        if isSecondAttempt {
            // The first one dies when the file that it keeps has its name, and before that is on the disk.
            try await recording.run("rate", "--date", "2027-02-02", killedBeforeSync: 2)
            #expect(try recording.records().last == .rename(from: "\(kept).making", to: kept))
        }
        try await recording.run("rate", "--date", "2027-02-02")
        try recording.acknowledge([Evidence.entries(week.survivor.whole.entries.count)])
        let journal = try recording.records()
        var survivor = week.survivor
        survivor.keptBefore = kept
        let trial = Trial(journal: journal, before: before) { [survivor] in try survivor.survey($0) }
        let cuts = Cut.everywhere(in: journal) + Cut.choose(rounds / 6, in: journal, seed: seed)
        let verdict = try trial.run(cuts.sorted { $0.position < $1.position })
        report("a step of the schema, attempt \(isSecondAttempt ? 2 : 1)", journal, verdict)
        #expect(verdict.failures.prefix(8).map(\.description) == [])
    }

    // MARK: What must be found out

    @Test("With synchronous=NORMAL acknowledged events are lost, and this is noticed")
    func normal() async throws {
        let week = try await Self.week.value
        let journal = week.journal.withoutSyncs(ofCommitsIn: "meterd.db-wal", exceptBeforeWritesTo: "meterd.db")
        let verdict = try week.trial(of: journal).run(Cut.choose(0, in: journal, seed: seed))
        report("synchronous=NORMAL", journal, verdict)
        #expect(verdict.losses.count * 2 > verdict.cutCount)
        #expect(verdict.damages.map(\.description) == [])
    }

    @Test("With synchronous=OFF the file is damaged, and this is noticed")
    func off() async throws {
        let week = try await Self.week.value
        let journal = week.journal.withoutFileSyncs
        let verdict = try week.trial(of: journal).run(Cut.choose(60, in: journal, seed: seed))
        report("synchronous=OFF", journal, verdict)
        #expect(!verdict.losses.isEmpty)
        #expect(!verdict.damages.isEmpty)
    }

    @Test(
        "A ledger or a copy of it whose folder was not synced is gone, and this is noticed",
        arguments: ["meterd.db", "copy-2.db", "copy-4.db"])
    func unsyncedName(name: String) async throws {
        let week = try await Self.week.value
        let journal = week.journal.withoutFolderSync(afterRenameTo: name)
        #expect(journal.count == week.journal.count - 1)
        let marks = Cut.choose(0, in: journal, seed: seed).filter { cut in
            guard case .mark(let text) = journal[cut.position - 1] else { return false }
            return text == "ledger" || text.hasPrefix(name)
        }
        let verdict = try week.trial(of: journal).run(marks)
        report("no sync of the folder of \(name)", journal, verdict)
        #expect(verdict.losses.count == 1)
        #expect(verdict.damages.map(\.description) == [])
    }

    @Test("A log that is emptied though the file was not synced takes events with it, and this is noticed")
    func unsyncedFile() async throws {
        let week = try await Self.week.value
        let journal = week.journal.withoutSyncs(of: "meterd.db")
        let verdict = try week.trial(of: journal).run(Cut.choose(0, in: journal, seed: seed))
        report("no sync of the file", journal, verdict)
        #expect(!verdict.losses.isEmpty)
    }

    private func report(_ name: String, _ journal: [JournalRecord], _ verdict: Verdict) {
        print(
            "\(name), seed \(seed): \(journal.count) records, \(verdict.cutCount) cuts, "
                + "\(verdict.distinctCount) different folders, acknowledged and lost at \(verdict.losses.count) cuts, "
                + "damaged at \(verdict.damages.count)")
    }
}
