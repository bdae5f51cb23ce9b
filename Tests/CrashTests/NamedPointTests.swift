// kill -9 at chosen points: before one write or sync of a run after another, each named by what the run was doing.

import Foundation
import GRDB
import Interposing
import LedgerFixture
import Testing

/// METERD_KILL_POINTS chooses at how many points each kind of run is killed; `scripts/kill-rounds` sets it.
private let pointsPerRun = ProcessInfo.processInfo.environment["METERD_KILL_POINTS"].flatMap { Int($0) } ?? 12

@Suite("A run that is killed at any of its writes and syncs is finished by the next", .serialized)
struct NamedPointTests {
    /// What a run does, in order: something that grows or shrinks to its last value. The first that is not there yet
    /// when the run is killed says what it was doing.
    private struct Stage {
        let name: String
        let query: String
    }

    /// A write or sync of a run.
    private struct Point {
        let calls: Fault.Calls
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
                    query: "SELECT sum(events) FROM outcome_counter WHERE outcome = 'received'")
            ])
    }

    @Test("rate: between tenants, in sealing, in identity runs")
    func rate() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        let base = try scene.copy(named: "base-of-rate")
        try base.run(["ingest"] + scene.files + ["--now", CrashScene.arrival])
        try survive(
            scene, base: base, name: "rate", points: pointsPerRun * 2,
            work: ["rate", "--date", "2027-02-02", "--now", CrashScene.rating],
            stages: [
                Stage(name: "rating tenant after tenant, entries", query: "SELECT count(*) FROM ledger_entry"),
                Stage(name: "sealing, devices sealed", query: "SELECT count(*) FROM sealed_device"),
                Stage(name: "clearing what is sealed, touches left", query: "SELECT count(*) FROM touch"),
                Stage(name: "building identity runs, identities", query: "SELECT count(*) FROM identity_run"),
                Stage(name: "finishing identity runs, days", query: "SELECT count(*) FROM identity_run_day"),
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
                    query: "SELECT count(*) FROM schema_migration"),
                Stage(name: "rating tenant after tenant, entries", query: "SELECT count(*) FROM ledger_entry"),
            ])
    }

    @Test("backup: there is a whole copy of its name, or none")
    func backup() throws {
        let scene = try CrashScene(seed: 1, scale: Self.scale)
        let copy = scene.folder.path("copy.db")
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
        let last = try stages.map { try whole.rawRows($0.query) }
        interposition.journal = nil

        let points = Self.points(try Journal.read(journal), count)
        for (index, point) in points.enumerated() {
            let program = try scene.copy(of: base.ledger, named: "point-\(index)")
            if let made { try FileManager.default.removeItem(atPath: made) }
            interposition.faults = [Fault(point.calls, at: point.number, .kill)]
            let wasKilled = try program.isKilled(work, under: interposition)
            #expect(wasKilled, "\(name) has no \(point.calls) \(point.number)")
            let stage = try zip(stages, last).lazy.map { ($0, try program.rawRows($0.query)[0], $1[0]) }
                .first { $0.1 != $0.2 }
            let isMade = made.map { FileManager.default.fileExists(atPath: $0) }
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
                Issue.record("\(place): \(view) differs: \(differences)")
            }
            scene.remove(program)
        }
    }

    /// So many writes and syncs of a run, half of them of each kind, spread evenly.
    private static func points(_ journal: [JournalRecord], _ count: Int) -> [Point] {
        var names: [UInt64: String] = [:]
        var writes: [Point] = []
        var syncs: [Point] = []
        for record in journal {
            switch record {
            case .create(let inode, let name), .open(let inode, let name): names[inode] = name
            case .write(let inode, _, _), .truncate(let inode, _), .extend(let inode, _):
                writes.append(Point(calls: .write, number: writes.count + 1, file: names[inode] ?? ""))
            case .sync(_, let name), .syncFolder(let name):
                let file = name.isEmpty ? "the folder" : name
                syncs.append(Point(calls: .sync, number: syncs.count + 1, file: file))
            default: continue
            }
        }
        return [writes, syncs].flatMap { all in
            let chosen = min(all.count, count / 2)
            return (0..<chosen).map { all[$0 * all.count / chosen] }
        }
    }
}
