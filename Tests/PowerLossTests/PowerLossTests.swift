// The power fails at any moment: what was acknowledged is there, the file is sound, and the rest can be done again.

import Foundation
import GRDB
import Interposing
import LedgerFixture
import PowerLoss
import Seeded
import Storage
import Synchronization
import TestSupport
import Testing

/// METERD_POWER_ROUNDS and METERD_POWER_SEED choose how many cuts, and which; `scripts/power-loss` sets them.
private let rounds = ProcessInfo.processInfo.environment["METERD_POWER_ROUNDS"].flatMap { Int($0) } ?? 340
private let seed = ProcessInfo.processInfo.environment["METERD_POWER_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("When the power fails", .serialized, .inTurn)
struct PowerLossTests {
    /// A week of the real daemon, on record.
    private struct Week: Sendable {
        let recording: Recording
        let journal: [JournalRecord]
        /// What it left in the folder.
        let files: [String: Data]
        let survivor: Survivor

        var trial: Trial { trial(of: journal) }

        func trial(of journal: [JournalRecord]) -> Trial {
            Trial(journal: journal) { [survivor] in try survivor.survey($0) }
        }
    }

    private static let week = Task(executorPreference: OwnThread.executor()) {
        let history = History(seed: seed)
        let recording = try Recording()
        try await recording.take(history)
        return Week(
            recording: recording, journal: try recording.records(), files: try recording.files(),
            survivor: Survivor(history: history, whole: try Holdings(of: recording.ledger)))
    }

    @Test("every acknowledged event is in the file once, the file verifies, and carried on it is as uninterrupted")
    func everything() async throws {
        let week = try await Self.week.value
        let cuts = Cut.choose(rounds, in: week.journal, seed: seed)
        let verdict = try week.trial.run(cuts)
        report("a week of the daemon", week.journal, verdict)
        #expect(cuts.count { $0.loss != .none } >= min(500, rounds + 160))
        #expect(verdict.distinctCount * 5 > verdict.cutCount * 3)
        #expect(verdict.failures.prefix(8).map(\.description) == [])
    }

    @Test(
        "while the schema is brought up, the file is as before or as after, and what was before is kept",
        arguments: [(Program.command, false), (.command, true), (.daemon, false)])
    func migration(by program: Program, isSecondAttempt: Bool) async throws {
        let week = try await Self.week.value
        let step = "0003-views"
        let kept = "meterd.db.before-\(step)"
        let recording = try Recording()
        let before = try recording.begin(with: week.recording.ledger, withoutStep: step)
        if isSecondAttempt {
            // The first one dies when the file that it keeps has its name, and before that is on the disk.
            try await recording.run("rate", "--date", "2027-02-02", killedBeforeSync: 3)
            #expect(try recording.records().last == .rename(from: "\(kept).making", to: kept))
        }
        switch program {
        case .command: try await recording.run("rate", "--date", "2027-02-02")
        case .daemon: try await recording.serve([])
        }
        try recording.acknowledge([Evidence.entries(week.survivor.whole.entries.count)])
        let journal = try recording.records()
        var survivor = week.survivor
        survivor.kept = (kept, survivor.whole.contents)
        let trial = Trial(journal: journal, before: before) { [survivor] in try survivor.survey($0) }
        let cuts = Cut.everywhere(in: journal) + Cut.choose(rounds / 6, in: journal, seed: seed)
        let verdict = try trial.run(cuts.sorted { $0.position < $1.position })
        report("a step of the schema, by the \(program), attempt \(isSecondAttempt ? 2 : 1)", journal, verdict)
        #expect(verdict.failures.prefix(8).map(\.description) == [])
    }

    /// Who brings up a ledger.
    enum Program: CaseIterable, Sendable { case command, daemon }

    @Test(
        "The same while it is brought up from its first step, by a command or a starting daemon",
        arguments: Program.allCases)
    func migrationFromFirst(by program: Program) async throws {
        let history = History(seed: seed).prefix(3)
        let recording = try Recording()
        let before = try recording.beginWithFirstSchema()
        var survivor = try Survivor.uninterrupted(history)
        survivor.kept = ("meterd.db.before-0002-usage", try Survivor.uninterrupted(history.prefix(0)).whole.contents)
        switch program {
        case .command: try await recording.run("rate", "--date", "2027-01-27", "--now", "2027-01-27T12:00:00Z")
        case .daemon: try await recording.serve(history.steps.prefix(1))
        }
        let apps = History.accounts.flatMap(\.1).map(Evidence.app)
        try recording.acknowledge(apps)
        let journal = try recording.records()
        let trial = Trial(journal: journal, before: before) { [survivor] in try survivor.survey($0) }
        let cuts = Cut.everywhere(in: journal) + Cut.choose(rounds / 6, in: journal, seed: seed)
        let verdict = try trial.run(cuts.sorted { $0.position < $1.position })
        report("all steps of the schema, by the \(program)", journal, verdict)
        #expect(verdict.failures.prefix(8).map(\.description) == [])
        #expect(verdict.distinctCount >= 10)
    }

    // MARK: What the week has

    @Test("Its journal lacks nothing: followed to its end, it makes the folder that the programs left")
    func isWhole() async throws {
        let week = try await Self.week.value
        var disk = RecordedDisk()
        for record in week.journal { try disk.apply(record) }
        var chance = SeededGenerator(seed: seed)
        let (made, unknown) = disk.files(after: .none, &chance)
        // Memory that the programs share is written through a mapping.
        #expect(unknown.allSatisfy { $0.hasSuffix("-shm") })
        for (name, data) in made where !unknown.contains(name) {
            #expect(
                week.files[name] == data, "\(name): \(data.count) B, in the folder \(week.files[name]?.count ?? -1)")
        }
        #expect(Set(week.files.keys).subtracting(unknown) == Set(made.keys).subtracting(unknown))
    }

    @Test("The serving daemon moves the log into the file, and goes on to commit")
    func movesLog() async throws {
        let journal = try await Self.week.value.journal
        let (moves, commits) = (journal.writes(to: "meterd.db"), journal.syncs(of: "meterd.db-wal"))
        let commitsAfter = journal.spans(from: Evidence.serving, to: Evidence.ending).compactMap { span in
            moves.first(where: span.contains).map { moved in commits.count { $0 > moved && $0 < span.upperBound } }
        }
        #expect(commitsAfter.contains { $0 > 0 })
    }

    @Test("Days are settled, and bills final")
    func settles() async throws {
        let file = try LedgerFile.openForReading(at: try await Self.week.value.recording.ledger)
        try file.read { database throws in
            #expect(
                try LedgerFixture.rows(database, "SELECT date(settled_through * 86400, 'unixepoch') FROM ledger_state")
                    == ["2027-01-31"])
            #expect(try LedgerFixture.rows(database, "SELECT count(*) > 10 FROM bill WHERE status = 'final'") == ["1"])
        }
    }

    /// What was found at each state that a rating leaves on the disk, down to its answer.
    private func surveys(ofRating day: String, before next: String) async throws -> [Survey] {
        let week = try await Self.week.value
        let rated = try #require(
            week.journal.spans(from: Evidence.rating(day), to: Evidence.rating(next)).first)
        let entriesMark = try #require(
            week.journal[rated].firstIndex { record in
                guard case .mark(let text) = record else { return false }
                return text.hasPrefix("entries ")
            })
        let cuts = week.journal.syncs(of: "meterd.db-wal").filter { (rated.lowerBound..<entriesMark).contains($0) }
            .map { Cut(position: $0 + 1, loss: .unsynced, seed: 0) }
        let surveys = Mutex<[Survey]>([])
        let verdict = try Trial(journal: week.journal) { [survivor = week.survivor] files in
            let survey = try survivor.survey(files)
            surveys.withLock { $0.append(survey) }
            return survey
        }.run(cuts)
        #expect(verdict.failures.map(\.description) == [])
        return surveys.withLock { $0 }
    }

    @Test("A rating is cut between its tenants, with events that came meanwhile, and between the devices that it files")
    func ratesInParts() async throws {
        let surveys = try await surveys(ofRating: "2027-01-29", before: "2027-01-30")
        let counts = Set(surveys.map(\.entryCount))
        let last = try #require(counts.max())
        // Before the first part, after some, after the last; 500 go into one, or a few more.
        #expect(counts.count >= 3)
        #expect(last - (counts.min() ?? last) > 500)
        // 2,000 go into one.
        let filed = Set(surveys.map(\.filedCount))
        #expect(filed.count >= 3)
        #expect(filed.isSuperset(of: [0, 2_000]))
        let meanwhile = Evidence.call(ofMidnight: "2027-01-30")
        #expect(surveys.contains { $0.entryCount < last && $0.evidence.contains(where: { $0.contains(meanwhile) }) })
    }

    @Test("Sealing is cut between the parts of a day")
    func sealsInParts() async throws {
        let counts = Set(try await surveys(ofRating: "2027-01-31", before: "2027-02-01").map(\.sealedCount))
        let (first, last) = (try #require(counts.min()), try #require(counts.max()))
        // 2,000 go into one.
        #expect(counts.isSuperset(of: [first, first + 2_000]))
        #expect(last > first + 2_000)
    }

    @Test("Events are committed while a copy is made", arguments: ["copy-2.db", "copy-4.db"])
    func copiesWhileServing(name: String) async throws {
        let journal = try await Self.week.value.journal
        let copied = journal.writes(to: "\(name).making")
        let (first, last) = (try #require(copied.first), try #require(copied.last))
        #expect(journal.syncs(of: "meterd.db-wal").contains { (first..<last).contains($0) })
        #expect(
            journal[first..<last].contains { record in
                guard case .mark(let text) = record else { return false }
                return text.contains("device ") || text.contains("call ")
            })
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
