// kill -9 in the middle of making a copy: there is a whole one under its name, or none.

import Foundation
import GRDB
import Interposing
import LedgerFixture
import Migrations
import Seeded
import Storage
import TestSupport
import Testing

/// METERD_CRASH_ROUNDS and METERD_CRASH_SEED choose how many rounds, and which.
private let rounds = ProcessInfo.processInfo.environment["METERD_CRASH_ROUNDS"].flatMap { Int($0) } ?? 8
private let seed = ProcessInfo.processInfo.environment["METERD_CRASH_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("A backup, a restoration and an upgrade that are killed", .serialized, .inTurn)
struct BackupKillTests {
    private let folder: ScratchFolder
    private let ledger: Program

    /// A ledger of the schema's first step, of some 20 MiB: so that there is time to kill what copies it.
    init() throws {
        folder = try ScratchFolder()
        ledger = Program(ledger: folder.path("meterd.db"))
        let first = Array(Migrations.all.prefix(1))
        _ = try EarlierLedger.create(at: ledger.ledger, steps: first) { database in
            try database.execute(
                sql: """
                    INSERT INTO tenant (code, name, legacy)
                    SELECT 't' || value, hex(zeroblob(500000)), 0
                    FROM (WITH RECURSIVE row (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM row WHERE value < 20)
                        SELECT value FROM row)
                    """)
        }
    }

    private func names(_ part: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { $0.contains(part) }.sorted()
    }

    private func tenants(_ path: String, _ migrations: [Migration] = Migrations.all) throws -> [String] {
        try LedgerFile.openForReading(at: path, migrations: migrations).read {
            try LedgerFixture.rows($0, "SELECT count(*), sum(length(name)) FROM tenant")
        }
    }

    /// Runs a command, killed at random moments, again and again.
    ///
    /// - Parameters:
    ///   - prepare: called before each round.
    ///   - look: called after each kill.
    private func kill(
        _ work: [String], on program: Program, _ what: String, prepare: () throws -> Void = {}, look: () throws -> Void
    ) throws {
        try prepare()
        let start = ContinuousClock.now
        try program.run(work)
        var aim = KillAim(whole: ContinuousClock.now - start)
        var chance = SeededGenerator(seed: seed)
        var (round, hits) = (0, 0)
        // The aim follows a machine that others use too; where it takes longer to settle there are more rounds.
        while round < rounds || round < rounds * 10 && hits * 4 < rounds {
            round += 1
            try prepare()
            if try aim.isHit(work, of: program, &chance) { hits += 1 }
            try look()
        }
        print("\(what), seed \(seed): \(round) kills, \(hits) while it ran")
        #expect(hits * 4 >= rounds, "a good part of the kills should hit: \(hits) of \(round) did")
    }

    @Test("A backup that is killed leaves no file of its name, or a whole one; the next one is made all the same")
    func backup() throws {
        let copy = folder.path("copy.db")
        try ledger.run(["tenant", "add", "bolt", "--now", "2027-01-10T12:00:00Z"])
        try kill(
            ["backup", copy], on: ledger, "backup", prepare: { try? FileManager.default.removeItem(atPath: copy) },
            look: {
                #expect(try names("copy.db").allSatisfy { $0 == "copy.db" || $0.hasPrefix("copy.db.making") })
                guard FileManager.default.fileExists(atPath: copy) else { return }
                try Program(ledger: copy).run(["verify"])
            })
        try? FileManager.default.removeItem(atPath: copy)
        try ledger.run(["backup", copy])
        #expect(try names("copy.db") == ["copy.db"])
        #expect(try tenants(copy) == tenants(ledger.ledger))
    }

    @Test("A restoration that is killed leaves no ledger, or a whole one; the next one is done all the same")
    func restoration() throws {
        let restored = Program(ledger: folder.path("restored.db"))
        // The backup is of the first step's schema, so this brings it up too.
        func clear() throws {
            for name in try names("restored.db") where !name.contains("making") {
                try FileManager.default.removeItem(atPath: folder.path(name))
            }
        }
        try kill(
            ["restore", ledger.ledger], on: restored, "restore", prepare: clear,
            look: {
                #expect(
                    try names("restored.db").allSatisfy {
                        ["restored.db", "restored.db.lock"].contains($0) || $0.hasPrefix("restored.db.making")
                    })
                guard FileManager.default.fileExists(atPath: restored.ledger) else { return }
                try restored.run(["verify"])
            })
        try clear()
        try restored.run(["restore", ledger.ledger])
        #expect(try names("restored.db") == ["restored.db", "restored.db.lock"])
        let first = Array(Migrations.all.prefix(1))
        #expect(try tenants(restored.ledger) == tenants(ledger.ledger, first))
    }

    @Test("An upgrade that is killed is done by the next command; the file is kept as it was, once and whole")
    func upgrade() throws {
        let first = Array(Migrations.all.prefix(1))
        let old = folder.path("old.db")
        try FileManager.default.copyItem(atPath: ledger.ledger, toPath: old)
        let expected = try tenants(old, first)
        let kept = "meterd.db.before-\(Migrations.all[1].name)"
        func isOld() -> Bool { (try? tenants(ledger.ledger, first)) != nil }
        func startAnew() throws {
            for name in try names("meterd.db") { try FileManager.default.removeItem(atPath: folder.path(name)) }
            try FileManager.default.copyItem(atPath: old, toPath: ledger.ledger)
        }
        var halfway = 0
        func look() throws {
            let isKept = FileManager.default.fileExists(atPath: folder.path(kept))
            if isOld(), isKept { halfway += 1 }
            #expect(isOld() || isKept)
            guard isKept else { return }
            let found = try tenants(folder.path(kept), first)
            #expect(found == expected)
        }
        try kill(
            ["tenant", "add", "bolt", "--now", "2027-01-10T12:00:00Z"], on: ledger, "upgrade",
            // Every other time the command that comes after a killed one is killed too.
            prepare: { if !isOld() { try startAnew() } }, look: look)
        // Between keeping and changing there is little time: a kill before the first change is sure to come then.
        try startAnew()
        var interposition = Interposition(folder: folder.url.path)
        interposition.faults = [Fault(.write, of: "meterd.db-wal", at: 1, .kill)]
        let earlier = halfway
        #expect(try ledger.isKilled(["tenant", "add", "bolt", "--now", "2027-01-10T12:00:00Z"], under: interposition))
        try look()
        #expect(halfway == earlier + 1, "no kill came between keeping and changing")
        print("upgrade: \(halfway) between keeping and changing")
        try ledger.run(["tenant", "add", "bolt", "--now", "2027-01-10T12:00:00Z"])
        #expect(try names("before") == [kept])
        #expect(try tenants(folder.path(kept), first) == expected)
        try ledger.run(["verify"])
        try ledger.run(["tenant", "add", "bolt", "--now", "2027-01-10T12:00:00Z"])
    }
}
