// kill -9 at chosen points: before one write or sync of a run after another, each named by what the run was doing.

import Foundation
import GRDB
import Interposing
import LedgerFixture
import TestSupport
import Testing

/// METERD_KILL_POINTS chooses at how many points each kind of run is killed; `scripts/kill-rounds` sets it.
private let pointsPerRun = ProcessInfo.processInfo.environment["METERD_KILL_POINTS"].flatMap { Int($0) } ?? 12

/// Whether a point's ledger is verified too: a few of them are, but where points are chosen all.
private func isVerified(_ point: Int) -> Bool { pointsPerRun > 12 || point.isMultiple(of: 3) }

@Suite("A run that is killed at any of its writes and syncs is finished by the next", .serialized, .inTurn)
struct NamedPointTests {
    /// What a run does, in order: something that grows or shrinks to its last value. The first that is not there yet
    /// when the run is killed says what it was doing.
    private struct Stage {
        let name: String
        let query: String
        let isHit: Hit

        /// What some kill must have come upon, so that the name is not an empty word.
        enum Hit {
            /// A part of it done.
            case inParts
            /// All before it done, and nothing of it: it is one transaction.
            case notBegun
            /// It is done in the transaction of the stage before.
            case withTheLast
        }
    }

    /// A write or sync of a run.
    private struct Point {
        let calls: Fault.Calls
        /// Only files whose names end so are counted.
        var suffix = ""
        /// Among the calls of its kind.
        let number: Int
        let file: String
    }

    private static let scale = CrashScene.Scale(events: 1_500, files: 3, devices: 1_200)

    @Test("ingest: in a batch")
    func ingest() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        try survive(
            scene, base: try scene.copy(named: "base-of-ingest"), name: "ingest",
            work: ["ingest"] + scene.files + ["--now", CrashScene.arrival],
            stages: [
                Stage(
                    name: "in a batch, events stored",
                    query: "SELECT sum(events) FROM outcome_counter WHERE outcome = 'received'", isHit: .inParts)
            ])
    }

    @Test("rate: between tenants, in sealing, in identity runs")
    func rate() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        let base = try scene.copy(named: "base-of-rate")
        try base.run(["ingest"] + scene.files + ["--now", CrashScene.arrival])
        try survive(
            scene, base: base, name: "rate", points: pointsPerRun * 3,
            work: ["rate", "--date", "2027-02-02", "--now", CrashScene.rating],
            stages: [
                Stage(
                    name: "rating tenant after tenant, entries", query: "SELECT count(*) FROM ledger_entry",
                    isHit: .inParts),
                Stage(
                    name: "sealing, devices sealed", query: "SELECT count(*) FROM sealed_device", isHit: .inParts),
                Stage(
                    name: "clearing what is sealed, touches left", query: "SELECT count(*) FROM touch",
                    isHit: .withTheLast),
                Stage(name: "filing, new devices left", query: "SELECT count(*) FROM new_device", isHit: .notBegun),
                Stage(
                    name: "building identity runs, identities", query: "SELECT count(*) FROM identity_run",
                    isHit: .notBegun),
                Stage(
                    name: "finishing identity runs, days", query: "SELECT count(*) FROM identity_run_day",
                    isHit: .withTheLast),
            ])
    }

    @Test("bringing the schema up: the file is kept as it was, then brought up")
    func migration() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        let base = try scene.copy(named: "base-of-migration")
        try EarlierLedger.forget(step: "0003-views", at: base.ledger)
        try survive(
            scene, base: base, name: "a step of the schema",
            work: ["rate", "--date", "2027-01-30", "--now", CrashScene.arrival],
            stages: [
                Stage(
                    name: "keeping the file as it was, then adding views, steps of the schema",
                    query: "SELECT count(*) FROM schema_migration", isHit: .notBegun),
                Stage(
                    name: "rating tenant after tenant, entries", query: "SELECT count(*) FROM ledger_entry",
                    isHit: .notBegun),
            ])
    }

    @Test("backup: there is a whole copy of its name, or none")
    func backup() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        // In a folder of its own, whose syncs can be told from those of the ledger's.
        try FileManager.default.createDirectory(
            atPath: scene.folder.path("copies"), withIntermediateDirectories: false)
        let copy = scene.folder.path("copies/copy.db")
        try survive(
            scene, base: try scene.copy(named: "base-of-backup"), name: "backup", work: ["backup", copy],
            stages: [], makes: copy)
    }

    // MARK: Killing

    /// - Parameter made: the file that the run makes; nil where it changes the ledger.
    private func survive(
        _ scene: CrashScene, base: Program, name: String, points count: Int = pointsPerRun, work: [String],
        stages: [Stage], makes made: String? = nil
    ) throws {
        let journal = scene.folder.path("journal")
        let whole = try scene.copy(of: base.ledger, named: "whole")
        var interposition = Interposition(folder: scene.folder.url.path)
        interposition.journal = journal
        try whole.run(work, under: interposition)
        let expected = try LedgerContents.read(at: made ?? whole.ledger)
        #expect(expected["integrity"] == ["ok"])
        let first = try stages.map { try base.rawRows($0.query)[0] }
        let last = try stages.map { try whole.rawRows($0.query) }
        interposition.journal = nil
        var hits: [String: Set<String>] = [:]
        var madeHits: Set<Bool> = []

        let points = Self.points(try Journal.read(journal), count)
        for (index, point) in points.enumerated() {
            let program = try scene.copy(of: base.ledger, named: "point-\(index)")
            if let made { try FileManager.default.removeItem(atPath: made) }
            interposition.faults = [Fault(point.calls, of: point.suffix, at: point.number, .kill)]
            let wasKilled = try program.isKilled(work, under: interposition)
            #expect(wasKilled, "\(name) has no \(point.calls) \(point.number) (\(point.file))")
            let stage = try zip(stages, last).lazy.map { ($0, try program.rawRows($0.query)[0], $1[0]) }
                .first { $0.1 != $0.2 }
            if let stage { hits[stage.0.name, default: []].insert(stage.1) }
            let isMade = made.map { FileManager.default.fileExists(atPath: $0) }
            if let isMade { madeHits.insert(isMade) }
            let doing =
                stage.map { "\($0.0.name) \($0.1) of \($0.2)" }
                ?? (isMade == false ? "there is no copy yet" : "all is done but for the end")
            let file = point.file.replacing("whole.db", with: "meterd.db")
            let place = "\(name), before \(point.calls) \(point.number) (\(file)): \(doing)"
            print(place)
            // What is made is made once, and whole.
            if isMade != true { try program.run(work) }
            let found = try LedgerContents.read(at: made ?? program.ledger)
            for (view, rows) in expected where found[view] != rows {
                let differences = Set(rows).symmetricDifference(found[view] ?? []).sorted().prefix(4)
                    .map { $0.prefix(300) }
                Issue.record("\(place): \(view) differs: \(differences)")
            }
            if isVerified(index) { try (made.map { Program(ledger: $0) } ?? program).run(["verify"]) }
            scene.remove(program)
        }
        // A few points can't come upon everything.
        guard pointsPerRun >= 12 else { return }
        for (stage, first) in zip(stages, first) {
            let found = hits[stage.name] ?? []
            switch stage.isHit {
            case .inParts: #expect(found.contains { $0 != first }, "\(name): no kill in the middle of \(stage.name)")
            case .notBegun: #expect(found.contains(first), "\(name): no kill before or in \(stage.name)")
            case .withTheLast: continue
            }
        }
        #expect(made == nil || madeHits == [true, false], "\(name): kills before and after it has its name")
    }

    /// So many writes and syncs of a run, half of them of each kind, spread evenly.
    ///
    /// How often a copy is synced while it is made depends on how long that takes: only the first of these syncs is a point,
    /// and those of other files are counted by their names from there on.
    private static func points(_ journal: [JournalRecord], _ count: Int) -> [Point] {
        var names: [UInt64: String] = [:]
        var writes: [Point] = []
        var syncs: [Point] = []
        var syncsOfFiles: [String: Int] = [:]
        let isOfMaking = { (name: String) in name.hasSuffix(".making") }
        for record in journal {
            switch record {
            case .create(let inode, let name), .open(let inode, let name): names[inode] = name
            case .write(let inode, _, _), .truncate(let inode, _), .extend(let inode, _):
                writes.append(Point(calls: .write, number: writes.count + 1, file: names[inode] ?? ""))
            case .sync(_, let name), .syncFolder(let name):
                let file = name.isEmpty ? "the folder" : name
                syncsOfFiles[name, default: 0] += 1
                let ofFile = syncsOfFiles[name] ?? 0
                guard syncsOfFiles.keys.contains(where: isOfMaking) else {
                    syncs.append(Point(calls: .sync, number: syncs.count + 1, file: file))
                    continue
                }
                guard !isOfMaking(name) || ofFile == 1 else { continue }
                let suffix = name.hasPrefix("whole") ? String(name.dropFirst("whole".count)) : name
                syncs.append(Point(calls: .sync, suffix: suffix, number: ofFile, file: file))
            default: continue
            }
        }
        return [writes, syncs].flatMap { all in
            let chosen = min(all.count, count / 2)
            return (0..<chosen).map { all[$0 * all.count / chosen] }
        }
    }
}
