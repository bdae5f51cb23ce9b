// What the killed commands work on: seeded events of several tenants around the end of a month, and a ledger for them.

import Foundation
import GRDB
import LedgerFixture
import Seeded
import Storage

/// A prepared ledger that every round starts from a copy of, and the files that are fed to it.
final class CrashScene {
    let folder: ScratchFolder
    private let base: String
    /// Events of the first arrival day, stored in the base: some of them come again in `files`.
    private let earlier: String
    /// The files that the killed `ingest` is given.
    let files: [String]
    /// Late events that arrive after the killed `rate`, and some that were stored before it: their identities must be
    /// known still.
    let later: String

    static let arrival = "2027-01-31T12:00:00Z"
    static let rating = "2027-02-03T12:00:00Z"

    private static let apps = [("acme", "shop"), ("acme", "kiosk"), ("bolt", "rides"), ("cafe", "orders")]
    /// Seldom used: so that a rating has more entries than go into one transaction.
    private static let smallApps = (0..<60).map { (["acme", "bolt", "cafe"][$0 % 3], "small-\($0)") }

    struct Scale {
        /// Of each file.
        var events = 5_000
        var files = 8
        var devices = 4_000
    }

    init(seed: UInt64, scale: Scale = Scale()) throws {
        folder = try ScratchFolder()
        base = folder.path("base.db")
        earlier = folder.path("earlier.ndjson")
        later = folder.path("later.ndjson")
        files = (1...scale.files).map { [folder] in folder.path("events-\($0).ndjson") }
        var chance = SeededGenerator(seed: seed)
        let first = Self.lines(scale.events * 6 / 5, days: 26...30, ids: 0..<6_000, scale, &chance)
        try Self.write(first, to: earlier)
        var known = Self.some(of: first)
        for (index, file) in files.enumerated() {
            let ids = 5_000 + index * 3_500..<10_000 + index * 3_500
            let lines = Self.lines(scale.events, days: 28...31, ids: ids, scale, &chance)
            try Self.write(lines, to: file)
            known += Self.some(of: lines)
        }
        let late = Self.lines(scale.events * 2 / 5, days: 25...31, ids: 50_000..<52_000, scale, &chance)
        try Self.write(late + known, to: later)

        let program = Program(ledger: base)
        let begin = "2027-01-30T12:00:00Z"
        try program.run(["init", "--test-clock", "--time-zone", "UTC"])
        for tenant in ["acme", "bolt", "cafe"] { try program.run(["tenant", "add", tenant, "--now", begin]) }
        for (tenant, app) in Self.apps + Self.smallApps { try program.run(["app", "add", app, "--tenant", tenant]) }
        try program.run(
            [
                "grant", "add", "pack", "--tenant", "acme", "--offer", "resource_package", "--item", "basic_analysis",
                "--quantity", "700", "--purchased-at", "2027-01-27T00:00:00Z", "--now", begin,
            ])
        try program.run(["ingest", earlier, "--now", begin])
    }

    /// Events that repeat: few devices, few ids, so that devices count, move and come again.
    private static func lines(
        _ count: Int, days: ClosedRange<Int>, ids: Range<Int>, _ scale: Scale,
        _ chance: inout SeededGenerator
    ) -> [String] {
        (0..<count).map { _ in
            let isSmall = Int.random(in: 0..<4, using: &chance) == 0
            let (_, app) = (isSmall ? smallApps : apps).randomElement(using: &chance) ?? apps[0]
            let time =
                "2027-01-\(Int.random(in: days, using: &chance))T0\(Int.random(in: 0...9, using: &chance)):00:00Z"
            if Int.random(in: 0..<100, using: &chance) == 0 {
                return EventLine.calls(1, id: "stray-\(Int.random(in: 0..<500, using: &chance))", app: "nowhere").text
            }
            if Int.random(in: 0..<3, using: &chance) == 0 {
                // The content follows from the id, so that a repeated id is a duplicate.
                let id = Int.random(in: ids, using: &chance)
                return EventLine.calls(
                    Int64(id % 90 + 1), id: "\(id)", at: "2027-01-\(28 + id % 3)T10:00:00Z",
                    app: apps[id % apps.count].1
                ).text
            }
            let feature = ["basic_analysis", "mini_program_analysis", "message_push"].randomElement(using: &chance)
            let device = "device-\(Int.random(in: 0..<scale.devices, using: &chance))"
            return EventLine.device(device, of: feature ?? "", at: time, app: app).text
        }
    }

    /// Some of the events that have an identity.
    private static func some(of lines: [String]) -> [String] {
        let calls = lines.filter { $0.contains("gateway_call") }
        return stride(from: 0, to: calls.count, by: 6).map { calls[$0] }
    }

    private static func write(_ lines: [String], to path: String) throws {
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// A copy of the base for one round, as its file and WAL stand on the disk.
    func copy(named name: String) throws -> Program {
        try copy(of: base, named: name)
    }

    func copy(of path: String, named name: String) throws -> Program {
        let target = folder.path("\(name).db")
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: target + suffix)
        }
        return Program(ledger: target)
    }

    func remove(_ program: Program) {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            try? FileManager.default.removeItem(atPath: program.ledger + suffix)
        }
    }

    static func rows(of program: Program, _ query: String) throws -> [String] {
        try LedgerFile.openForReading(at: program.ledger).read { try LedgerFixture.rows($0, query) }
    }

    static func contents(of program: Program) throws -> [String: [String]] {
        try LedgerContents.read(at: program.ledger)
    }
}
