// A throw-away PostgreSQL cluster on a Unix socket, with durable commits: made, started, stopped.

import Foundation

/// Why there is no comparison with PostgreSQL.
struct NoPostgres: Error {
    let reason: String
}

final class PostgresCluster {
    private let bench: Bench
    private let programs: String
    private let sockets: String
    /// What a command begins with to run as a user that is not root.
    private let prefix: [String]
    private var server: Program?
    let version: String

    private static let user = "bench"
    private static let settings = [
        "listen_addresses=", "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=1GB",
        "maintenance_work_mem=512MB", "work_mem=64MB", "wal_buffers=64MB", "max_wal_size=8GB",
        "checkpoint_timeout=30min",
        "max_connections=8", "jit=off", "dynamic_shared_memory_type=mmap",
    ]

    /// - Throws: ``NoPostgres`` where it is not installed or may not run here.
    init(_ bench: Bench) throws {
        self.bench = bench
        programs = try Self.newestPrograms()
        let isRoot = geteuid() == 0
        let account = isRoot ? getpwnam("postgres") ?? getpwnam("nobody") : nil
        if isRoot, account == nil { throw NoPostgres(reason: "root may not run it, and there is no user for it") }
        // A path of a socket is short.
        var template = Array((NSTemporaryDirectory() + "/meterd-bench-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw NoPostgres(reason: "no folder for its socket") }
        sockets = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        Remains.add(folder: sockets)
        let data = bench.path("postgres")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
        if let account {
            for folder in [sockets, data] { chown(folder, account.pointee.pw_uid, account.pointee.pw_gid) }
            prefix = [
                "/usr/bin/setpriv", "--reuid", "\(account.pointee.pw_uid)", "--regid", "\(account.pointee.pw_gid)",
                "--clear-groups", "--",
            ]
        } else {
            prefix = []
        }
        let made = try Self.begin(
            bench,
            prefix + [programs + "/initdb", "-D", data, "-A", "trust", "-U", Self.user, "-E", "UTF8", "--locale=C"])
        guard try made.end(withinSeconds: 120).isSuccess else {
            throw NoPostgres(reason: "initdb failed: \(made.lastLine)")
        }
        version = "PostgreSQL " + made.version(of: data)
        let arguments = [programs + "/postgres", "-D", data, "-k", sockets] + Self.settings.flatMap { ["-c", $0] }
        server = try Self.begin(bench, prefix + arguments, endSignal: SIGQUIT)
        try waitUntilReady()
    }

    private static func newestPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .compactMap { name in Int(name).map { ($0, "\(root)/\(name)/bin") } }
            .filter { access($0.1 + "/initdb", X_OK) == 0 && access($0.1 + "/psql", X_OK) == 0 }
        guard let newest = versions.max(by: { $0.0 < $1.0 }) else {
            throw NoPostgres(reason: "it is not installed (Debian: postgresql)")
        }
        return newest.1
    }

    private static func begin(
        _ bench: Bench, _ command: [String], input: Program.Input = .nothing, endSignal: Int32 = SIGKILL
    ) throws -> Program {
        try Program(
            command[0], Array(command.dropFirst()), input: input, endSignal: endSignal,
            scratch: bench.scratch(URL(filePath: command[0]).lastPathComponent))
    }

    private func waitUntilReady() throws {
        let watch = Stopwatch()
        while true {
            let question = try psql("postgres", ["-c", "SELECT 1"])
            if try question.end(withinSeconds: 30).isSuccess { return question.removeFiles() }
            guard let server, server.isRunning, watch.seconds < 60 else {
                throw NoPostgres(reason: "it did not start: \(server?.lastLine ?? "")")
            }
            question.removeFiles()
            usleep(50_000)
        }
    }

    func stop() throws {
        server?.send(signal: SIGINT)
        try server?.success(withinSeconds: 120)
        server = nil
    }

    // MARK: Statements

    private func psql(_ database: String, _ arguments: [String], input: Program.Input = .nothing) throws -> Program {
        try Self.begin(
            bench,
            [
                programs + "/psql", "-h", sockets, "-U", Self.user, "-d", database, "-X", "-q", "-A", "-t", "-v",
                "ON_ERROR_STOP=1",
            ]
                + arguments,
            input: input)
    }

    /// Runs statements, each in a transaction of its own.
    ///
    /// - Returns: what they print.
    @discardableResult
    func run(_ statements: String..., in database: String) throws -> String {
        let program = try psql(database, statements.flatMap { ["-c", $0] })
        try program.success(withinSeconds: Bench.commandSeconds)
        defer { program.removeFiles() }
        return program.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs a file of statements, from the start of the client to its end.
    func run(file: String, in database: String) throws -> ProcessMeasure {
        let program = try psql(database, ["-f", file])
        defer { program.removeFiles() }
        return try program.success(withinSeconds: Bench.commandSeconds)
    }

    /// Copies lines into a table.
    func copy(_ lines: inout some EventLines, into table: String, in database: String) throws {
        let pipe = try EventPipe()
        let program = try psql(database, ["-c", "COPY \(table) FROM STDIN"], input: .descriptor(pipe.readEnd))
        _ = try pipe.feed(&lines)
        try program.success(withinSeconds: Bench.commandSeconds)
        program.removeFiles()
    }
}

extension Program {
    fileprivate var lastLine: String { errors.split(separator: "\n").last.map(String.init) ?? "it said nothing" }

    /// The major version in a cluster's folder.
    fileprivate func version(of data: String) -> String {
        let text = FileManager.default.contents(atPath: data + "/PG_VERSION") ?? Data()
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
