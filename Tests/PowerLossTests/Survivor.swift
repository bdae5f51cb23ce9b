// A folder as a power loss has left it: opened by the real code, looked through, and carried on to the end.

import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import Synchronization
import Verification

/// What was found in a folder.
struct Survey: Sendable {
    /// What is wrong, whatever was acknowledged.
    var problems: [String] = []
    /// What was found of what was sent.
    var evidence: Set<String> = []
    var entryCount = 0
    /// Devices that a rating has filed, and rows of evidence that it has sealed.
    var (filedCount, sealedCount) = (0, 0)

    /// What was acknowledged and is not there.
    func missing(of acknowledged: Acknowledged) -> [String] {
        var missing = acknowledged.evidence.subtracting(evidence).sorted()
        if entryCount < acknowledged.entryCount {
            missing.append("\(acknowledged.entryCount - entryCount) of \(acknowledged.entryCount) entries")
        }
        return missing
    }
}

/// What marks of a journal say up to a point.
struct Acknowledged: Sendable {
    private(set) var evidence: Set<String> = []
    private(set) var entryCount = 0

    mutating func take(_ mark: String) {
        for line in mark.split(separator: "\n") where !Evidence.isNote(line) {
            if line.hasPrefix("entries ") {
                entryCount = max(entryCount, Int(line.dropFirst("entries ".count)) ?? .max)
            } else {
                evidence.insert(String(line))
            }
        }
    }
}

struct Survivor: Sendable {
    let history: History
    /// What the uninterrupted ledger holds.
    let whole: Holdings
    /// If the schema was being brought up: the name of the file that keeps the ledger as it was before, and what that says.
    var kept: (name: String, contents: [String: [String]])?
    /// All that the history's events can leave.
    private let sent: Set<String>
    private let soundCopies = SoundCopies()

    init(history: History, whole: Holdings) {
        self.history = history
        self.whole = whole
        sent = Set(whole.evidence)
    }

    /// Memory, where there is such a folder: what is checked here needs no disk.
    private static let room: URL = {
        let memory = URL(filePath: "/dev/shm")
        return FileManager.default.isWritableFile(atPath: memory.path)
            ? memory : FileManager.default.temporaryDirectory
    }()

    func survey(_ files: [String: Data]) throws -> Survey {
        let folder = Self.room.appending(path: "meterd-survivor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, data) in files { try data.write(to: folder.appending(path: name)) }
        let path = folder.appending(path: "meterd.db").path
        var survey = Survey()
        do {
            if files["meterd.db"] == nil {
                try Self.begin(at: path)
            } else {
                survey.evidence.insert("ledger")
                for (name, data) in files where name.hasPrefix("copy-") && name.hasSuffix(".db") {
                    try lookAtCopy(folder.appending(path: name).path, name, data, &survey)
                }
                if let kept { try lookAtKept(folder, kept, path, &survey) }
                try look(at: path, &survey)
                // Nobody goes on with a file that is known to be damaged.
                guard survey.problems.isEmpty else { return survey }
            }
            try Self.carryOn(path, history)
            try compare(path, "carried on", whole.contents, &survey)
        } catch {
            survey.problems.append("\(error)")
        }
        return survey
    }

    private func look(at path: String, _ survey: inout Survey) throws {
        let file = try LedgerFile.openForWriting(at: path)
        let (evidence, entryCount) = try verify(file, &survey)
        survey.evidence.formUnion(evidence)
        survey.entryCount = entryCount
        try file.read { database in
            survey.filedCount = try Int.fetchOne(database, sql: "SELECT count(*) FROM device") ?? 0
            survey.sealedCount = try Int.fetchOne(database, sql: "SELECT count(*) FROM sealed_device") ?? 0
        }
    }

    /// A copy has its name only once it is whole.
    private func lookAtCopy(_ path: String, _ name: String, _ data: Data, _ survey: inout Survey) throws {
        if let evidence = soundCopies.evidence.withLock({ $0[data] }) {
            survey.evidence.formUnion(evidence)
            return
        }
        let problemCount = survey.problems.count
        let (rows, _) = try verify(try LedgerFile.openForReading(at: path), &survey)
        let evidence = (rows + ["ledger"]).map { Evidence.copied($0, to: name) }
        survey.evidence.formUnion(evidence)
        if survey.problems.count == problemCount { soundCopies.evidence.withLock { $0[data] = evidence } }
    }

    /// Copies that were looked at: most folders hold the same ones.
    private final class SoundCopies: Sendable {
        let evidence = Mutex<[Data: [String]]>([:])
    }

    /// - Returns: the evidence that the file holds, and how many entries.
    private func verify(_ file: LedgerFile, _ survey: inout Survey) throws -> ([String], Int) {
        let report = try Verification(file: file).run { _ in }
        survey.problems += report.findings.map { "verify: \($0.check): \($0.sentence)" }
        let evidence = try file.read { try LedgerFixture.rows($0, Evidence.query) }
        if Set(evidence).count != evidence.count { survey.problems.append("something is there twice") }
        let unknown = Set(evidence).subtracting(sent)
        if !unknown.isEmpty { survey.problems.append("never sent: \(unknown.sorted().prefix(4))") }
        let entries = try file.read { try LedgerFixture.rows($0, Holdings.entriesQuery) }
        if entries != Array(whole.entries.prefix(entries.count)) {
            survey.problems.append("the ledger is no prefix of the uninterrupted one")
        }
        return (evidence, entries.count)
    }

    private func compare(
        _ path: String, _ what: String, _ expected: [String: [String]], _ survey: inout Survey
    ) throws {
        let found = try LedgerContents.read(at: path)
        for (view, rows) in expected where found[view] != rows {
            let differences = Set(rows).symmetricDifference(found[view] ?? []).sorted().prefix(4)
            survey.problems.append("\(what), \(view) differs: \(differences)")
        }
    }

    /// A ledger whose schema was brought up has beside it the file as it was, whole.
    private func lookAtKept(
        _ folder: URL, _ before: (name: String, contents: [String: [String]]), _ path: String, _ survey: inout Survey
    ) throws {
        do {
            _ = try LedgerFile.openForReading(at: path)
        } catch StorageError.olderSchema {
            return
        }
        let kept = folder.appending(path: before.name).path
        guard FileManager.default.fileExists(atPath: kept) else {
            survey.problems.append("the schema was brought up, and \(before.name) is not there")
            return
        }
        let copy = folder.appending(path: "kept.db").path
        try FileManager.default.copyItem(atPath: kept, toPath: copy)
        _ = try LedgerFile.openForWriting(at: copy)
        try compare(copy, "brought up again, \(before.name)", before.contents, &survey)
    }

    // MARK: Carrying on

    /// For a ledger on which the history is done by the same code, and nothing comes in between.
    static func uninterrupted(_ history: History) throws -> Survivor {
        let folder = try ScratchFolder()
        let path = folder.path("meterd.db")
        try begin(at: path)
        try carryOn(path, history)
        return Survivor(history: history, whole: try Holdings(of: path))
    }

    private static func begin(at path: String) throws {
        var creation = LedgerCreation()
        creation.timeZone = "UTC"
        creation.hasTestClock = true
        _ = try creation.create(at: path)
    }

    /// Sends everything again and takes all steps that are still to be taken.
    private static func carryOn(_ path: String, _ history: History) throws {
        let ledger = try OpenLedger(file: LedgerFile.openForWriting(at: path))
        defer { try? ledger.close() }
        let known = Set(try ledger.file.read { try LedgerFixture.rows($0, "SELECT code FROM app") })
        func latestInstant() throws -> Instant? { try ledger.file.read { try LedgerState.read($0) }.latestInstant }
        let setUp = LedgerClock(given: try latestInstant() ?? LedgerFixture.instant(History.begin))
        for (tenant, apps) in History.accounts {
            let code = LedgerFixture.code(tenant)
            _ = try ledger.addTenant(code, name: tenant, isLegacy: false, clock: setUp)
            for app in apps where !known.contains(app) {
                _ = try ledger.addApp(LedgerFixture.code(app), tenant: code, name: app, clock: setUp)
            }
        }
        let latest = try latestInstant()
        // They are long, and nothing depends on them.
        let hasRefused =
            try ledger.file.read { try LedgerFixture.rows($0, "SELECT count(*) > 0 FROM quarantine") } == ["1"]
        var again: [SentEvent] = []
        func sendAgain() throws {
            guard let latest, !again.isEmpty else { return }
            try ingest([again], into: ledger, at: latest)
            again = []
        }
        for step in history.steps {
            let at = try LedgerFixture.instant(step.at)
            let isPast = latest.map { at < $0 } ?? false
            if !isPast { try sendAgain() }
            switch step.action {
            case .events(let batches) where hasRefused && batches.joined().allSatisfy(\.isRefused): continue
            case .events(let batches):
                if isPast { again += batches.joined() } else { try ingest(batches, into: ledger, at: at) }
            case .rate(let text, let meanwhile):
                guard !isPast, let day = Day(text) else {
                    again += meanwhile.joined()
                    continue
                }
                _ = try ledger.rate(day, clock: LedgerClock(given: at))
                try ingest(meanwhile, into: ledger, at: at)
            case .addGrant:
                let order = GrantOrder(
                    code: LedgerFixture.code(History.grant.code), tenant: LedgerFixture.code(History.grant.tenant),
                    terms: .resourcePackage(
                        item: LedgerFixture.code(History.grant.item), quantity: Quantity(Int64(History.grant.quantity))),
                    purchasedAt: at, price: nil)
                _ = try ledger.recordGrant(order, clock: LedgerClock(given: latest.map { max($0, at) } ?? at))
            case .backup, .restart: continue
            }
        }
        try sendAgain()
    }

    private static func ingest(_ batches: [[SentEvent]], into ledger: OpenLedger, at now: Instant) throws {
        _ = try ledger.ingest(group: batches.map { $0.map(\.line) }, clock: LedgerClock(given: now))
    }
}
