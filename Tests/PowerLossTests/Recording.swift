// The real meterd at work on a ledger, its calls to the system on record.

import BuiltProgram
import Foundation
import GRDB
import Interposing
import LedgerFixture
import LedgerStore
import Migrations
import Storage
import Synchronization
import TestSupport

struct RecordingError: Error, CustomStringConvertible {
    let description: String
}

/// What a ledger holds, in the forms in which survivors are compared with it.
struct Holdings: Sendable {
    /// By view, without the numbers and times of runs.
    let contents: [String: [String]]
    /// The ledger, every column of every row.
    let entries: [String]
    let evidence: [String]

    init(of ledger: String) throws {
        contents = try LedgerContents.read(at: ledger)
        let file = try LedgerFile.openForReading(at: ledger)
        entries = try file.read { try LedgerFixture.rows($0, Self.entriesQuery) }
        evidence = try file.read { try LedgerFixture.rows($0, Evidence.query) }
    }

    static let entriesQuery = "SELECT * FROM ledger ORDER BY entry_id"
}

/// A folder with a ledger. Marks in its journal say what was acknowledged, a line each: evidence, or the like.
final class Recording: Sendable {
    private let scratch: ScratchFolder
    let folder: String
    let ledger: String
    private let journal: String
    private let started = Atomic(0)
    /// All evidence that was acknowledged so far.
    private let evidence = Mutex<Set<String>>([])

    init() throws {
        scratch = try ScratchFolder()
        folder = scratch.path("ledger")
        ledger = folder + "/meterd.db"
        journal = scratch.path("journal")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try "rate_at: off\n".write(toFile: scratch.path("meterd.yaml"), atomically: false, encoding: .utf8)
    }

    func records() throws -> [JournalRecord] { try Journal.read(journal) }

    func acknowledge(_ lines: [String]) throws {
        try Journal.mark(lines.joined(separator: "\n"), in: journal)
        evidence.withLock { $0.formUnion(lines) }
    }

    func note(_ text: String) throws { try Journal.mark(Evidence.note(text), in: journal) }

    // MARK: Programs

    private func start(
        _ arguments: [String], faults: [Fault] = []
    ) throws -> (process: ChildProcess, errors: String) {
        let number = started.add(1, ordering: .relaxed).newValue
        var interposition = Interposition(folder: folder)
        interposition.journal = journal
        interposition.faults = faults
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("METERD_") && !["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "TZ"].contains(name)
        }
        environment["METERD_CONFIG"] = scratch.path("meterd.yaml")
        environment["METERD_DB"] = ledger
        environment["METERD_LISTEN"] = "127.0.0.1:0"
        let errors = scratch.path("errors-\(number)")
        environment.merge(interposition.environment) { $1 }
        let process = try ChildProcess(
            BuiltProgram.path(of: "meterd"), arguments, environment: environment,
            output: scratch.path("output-\(number)"), errors: errors)
        return (process, errors)
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    /// Runs a command to its end.
    func run(_ arguments: String...) async throws { try await end(try start(arguments), arguments) }

    /// Runs a command that is killed before one of its syncs.
    func run(_ arguments: String..., killedBeforeSync number: Int) async throws {
        let process = try start(arguments, faults: [Fault(.sync, at: number, .kill)]).process
        guard try await process.end() == .killed(signal: SIGKILL) else {
            throw RecordingError(description: "meterd \(arguments.joined(separator: " ")) has no sync \(number)")
        }
    }

    private func end(_ running: (process: ChildProcess, errors: String), _ arguments: [String]) async throws {
        let (process, errors) = running
        guard try await process.end() == .exited(0) else {
            throw RecordingError(description: "meterd \(arguments.joined(separator: " ")): \(Self.text(errors))")
        }
    }

    private struct Daemon {
        let process: ChildProcess
        let port: Int
    }

    private func serve() async throws -> Daemon {
        // Copies take so long that events come meanwhile, and so does what a rating reads.
        let (process, log) = try start(
            ["serve"],
            faults: [
                Fault(.write, of: ".db.making", at: 1...100, .delay(milliseconds: 10)),
                Fault(.read, of: "meterd.db-wal", from: 1..., .delay(milliseconds: 2)),
            ])
        let deadline = ContinuousClock.now + Patience.duration
        while ContinuousClock.now < deadline, process.end == nil {
            let digits = Self.text(log).split(separator: "address=127.0.0.1:").dropFirst().first?.prefix { $0.isNumber }
            if let port = digits.flatMap({ Int($0) }) {
                try note(Evidence.serving)
                return Daemon(process: process, port: port)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw RecordingError(description: "the daemon does not serve: \(Self.text(log))")
    }

    // MARK: An older ledger

    /// Puts another ledger into the folder, as a build before the last step of the schema would have left it.
    ///
    /// - Returns: the files, all of which are on the disk when the recording begins.
    func begin(with other: String, withoutStep step: String) throws -> [String: Data] {
        try FileManager.default.copyItem(atPath: other, toPath: ledger)
        try EarlierLedger.forget(step: step, at: ledger)
        return try files()
    }

    /// Makes a ledger of the schema's first step, with the history's tenants and apps.
    func beginWithFirstSchema() throws -> [String: Data] {
        let file = try EarlierLedger.create(at: ledger, steps: Array(Migrations.all.prefix(1))) { database in
            for (tenant, apps) in History.accounts {
                let code = LedgerFixture.code(tenant)
                _ = try Accounts.addTenant(code, name: tenant, isLegacy: false, database)
                for app in apps {
                    _ = try Accounts.addApp(LedgerFixture.code(app), tenant: code, name: app, database)
                }
            }
        }
        try file.close()
        return try files()
    }

    /// What the folder holds now.
    func files() throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) { files, name in
            files[name] = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        }
    }

    // MARK: A history

    /// Makes a ledger and takes every step of a history, through a daemon.
    func take(_ history: History) async throws {
        try await run("init", "--test-clock", "--time-zone", "UTC")
        try acknowledge(["ledger"])
        for (tenant, apps) in History.accounts {
            try await run("tenant", "add", tenant, "--now", History.begin)
            try await add(apps.filter(History.mainApps.contains), to: tenant)
        }
        var daemon = try await serve()
        for (tenant, apps) in History.accounts {
            try await add(apps.filter { !History.mainApps.contains($0) }, to: tenant)
        }
        var backup: Backup?
        for step in history.steps {
            switch step.action {
            case .events(let batches): try post(batches, to: daemon.port, at: step.at)
            case .rate(let day, let meanwhile):
                let arguments = ["rate", "--date", day, "--now", step.at]
                let before = try count("rating_run")
                try note(Evidence.rating(day))
                let rating = try start(arguments)
                while try count("rating_run") == before, rating.process.end == nil {
                    try await Task.sleep(for: .milliseconds(2))
                }
                try post(meanwhile, to: daemon.port, at: step.at)
                try await end(rating, arguments)
                try acknowledge([Evidence.entries(try count("ledger"))])
            case .addGrant:
                let grant = History.grant
                try await run(
                    "grant", "add", grant.code, "--tenant", grant.tenant, "--offer", "resource_package", "--item",
                    grant.item, "--quantity", "\(grant.quantity)", "--purchased-at", step.at, "--now", step.at)
                try acknowledge([Evidence.grant(grant.code)])
            case .backup(let name):
                let held = evidence.withLock { $0.filter { !Evidence.isOfCopyOrCount($0) } }
                let running = try start(["backup", "\(folder)/\(name)"])
                // The events of the next step come while the copy is made.
                while !FileManager.default.fileExists(atPath: "\(folder)/\(name).making"), running.process.end == nil {
                    try await Task.sleep(for: .milliseconds(2))
                }
                backup = Backup(name: name, evidence: held, running: running)
                continue
            case .restart(let isKilled):
                try await end(daemon, by: isKilled ? SIGKILL : SIGTERM)
                daemon = try await serve()
            }
            if let made = backup {
                try await end(made.running, ["backup"])
                try acknowledge(made.evidence.map { Evidence.copied($0, to: made.name) })
                backup = nil
            }
        }
        try await end(daemon, by: SIGTERM)
    }

    /// Starts a daemon that takes the events of some steps, and ends.
    func serve(_ steps: some Sequence<History.Step>) async throws {
        let daemon = try await serve()
        for step in steps {
            if case .events(let batches) = step.action { try post(batches, to: daemon.port, at: step.at) }
        }
        try await end(daemon, by: SIGTERM)
    }

    private func end(_ daemon: Daemon, by signal: Int32) async throws {
        try note(Evidence.ending)
        daemon.process.send(signal: signal)
        _ = try await daemon.process.end()
    }

    private func add(_ apps: [String], to tenant: String) async throws {
        for app in apps { try await run("app", "add", app, "--tenant", tenant) }
        try acknowledge(apps.map(Evidence.app))
    }

    private struct Backup {
        let name: String
        /// What was acknowledged before it was begun.
        let evidence: Set<String>
        let running: (process: ChildProcess, errors: String)
    }

    private func count(_ table: String) throws -> Int {
        try LedgerFile.openForReading(at: ledger).read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0
        }
    }

    private func post(_ batches: [[SentEvent]], to port: Int, at now: String) throws {
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: batches.count) { index in
            do {
                let refused = batches[index].count(where: \.isRefused)
                let answer = try EventPost.send(batches[index].map(\.line), port: port, now: now)
                guard answer.hasPrefix("HTTP/1.1 200 "), answer.contains("\"refused\":\(refused)") else {
                    throw RecordingError(description: answer)
                }
                try acknowledge(batches[index].flatMap(\.evidence))
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// A request with events on a connection of its own.
private enum EventPost {
    /// - Returns: the whole answer.
    static func send(_ lines: [String], port: Int, now: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw RecordingError(description: "no connection: \(errno)") }
        let body = lines.joined(separator: "\n")
        let request = """
            POST /v1/events HTTP/1.1\r
            Host: 127.0.0.1\r
            Connection: close\r
            Content-Type: application/x-ndjson\r
            Content-Length: \(body.utf8.count)\r
            Meterd-Now: \(now)\r
            \r
            \(body)
            """
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw RecordingError(description: "not sent: \(errno)") }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += part[..<count]
        }
    }
}
