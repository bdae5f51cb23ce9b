// A ledger in a folder of its own, the real meterd that works on it, and daemons that serve it.

import BuiltProgram
import Foundation
import GRDB
import LedgerFixture
import Storage
import Synchronization
import TestSupport

struct CommandOutcome: Equatable {
    let end: ChildProcess.End?
    let output: String
    let errors: String
}

struct SceneError: Error, CustomStringConvertible {
    let description: String
}

/// Waits until something is so.
///
/// - Throws: ``SceneError`` when it takes too long.
func eventually(
    _ what: String, withinSeconds seconds: Double = Patience.seconds, _ isSo: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw SceneError(description: "not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A ledger with a test clock. Everything that is started for it knows no setting from outside.
final class DaemonScene: Sendable {
    let folder: ScratchFolder
    let ledger: String
    /// Of every process that is started for it.
    private let environment: [String: String]
    private let started = Atomic(0)

    /// The time at which the ledger is made, and at which events arrive unless a test says otherwise.
    static let now = "2027-01-10T12:00:00Z"

    private init(_ environment: [String: String]) throws {
        folder = try ScratchFolder()
        self.environment = environment
        ledger = folder.path("meterd.db")
        // A configuration of the machine's must not matter either.
        try "log_level: info\n".write(toFile: folder.path("meterd.yaml"), atomically: false, encoding: .utf8)
    }

    /// - Parameters:
    ///   - now: nil makes a ledger that goes by the system's clock.
    ///   - apps: of the tenant `acme`.
    ///   - environment: of every process that is started for it.
    static func make(
        now: String? = now, timeZone: String = "UTC", apps: [String] = ["shop", "kiosk"],
        environment: [String: String] = [:]
    ) async throws -> DaemonScene {
        let scene = try DaemonScene(environment)
        let time = now.map { ["--now", $0] } ?? []
        try await scene.run(["init", "--time-zone", timeZone] + (now == nil ? [] : ["--test-clock"]) + time)
        try await scene.run(["tenant", "add", "acme"] + time)
        for app in apps { try await scene.run(["app", "add", app, "--tenant", "acme"] + time) }
        return scene
    }

    /// A ledger of the same bytes in another folder; nobody writes this one just now.
    func copy() throws -> DaemonScene {
        let copy = try DaemonScene(environment)
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: ledger + suffix) {
            try FileManager.default.copyItem(atPath: ledger + suffix, toPath: copy.ledger + suffix)
        }
        return copy
    }

    private func environment(_ settings: [String: String]) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("METERD_") && !["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "TZ"].contains(name)
        }
        environment["LC_ALL"] = "C"
        environment["METERD_CONFIG"] = folder.path("meterd.yaml")
        environment["METERD_DB"] = ledger
        environment["METERD_LISTEN"] = "127.0.0.1:0"
        // A busy machine leaves requests incomplete and connections idle for longer than senders should.
        environment["METERD_REQUEST_TIMEOUT_SECONDS"] = "\(Patience.wholeSeconds)"
        return environment.merging(self.environment) { $1 }.merging(settings) { $1 }
    }

    /// - Parameter limits: what a shell does before it becomes the program.
    private func start(
        _ arguments: [String], _ settings: [String: String], limits: String? = nil
    ) throws -> (ChildProcess, [String]) {
        let number = started.add(1, ordering: .relaxed).newValue
        let files = ["output", "errors"].map { folder.path("\($0)-\(number)") }
        let meterd = BuiltProgram.path(of: "meterd")
        let shell = limits.map { ["/bin/sh", "-c", "\($0) && exec \"$0\" \"$@\"", meterd] } ?? [meterd]
        let process = try ChildProcess(
            shell[0], shell.dropFirst() + arguments, environment: environment(settings), output: files[0],
            errors: files[1])
        return (process, files)
    }

    // MARK: Commands

    /// Starts a command and goes on.
    func begin(_ arguments: [String], settings: [String: String] = [:]) throws -> RunningCommand {
        let (process, files) = try start(arguments, settings)
        return RunningCommand(process: process, output: files[0], errors: files[1])
    }

    /// Runs a command to its end, whatever that is.
    func outcome(_ arguments: [String]) async throws -> CommandOutcome {
        try await begin(arguments).outcome()
    }

    /// Runs a command that must succeed.
    ///
    /// - Returns: its standard output.
    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        let outcome = try await outcome(arguments)
        guard outcome.end == .exited(0) else {
            throw SceneError(description: "meterd \(arguments.joined(separator: " ")): \(outcome)")
        }
        return outcome.output
    }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: folder.path(name), atomically: false, encoding: .utf8)
        return folder.path(name)
    }

    // MARK: The daemon

    /// - Parameter limits: what a shell does before it becomes the daemon, as `ulimit -n 80`.
    func serve(
        _ arguments: [String] = [], settings: [String: String] = [:], limits: String? = nil
    ) throws -> ServingDaemon {
        let (process, files) = try start(["serve"] + arguments, settings, limits: limits)
        return ServingDaemon(process: process, log: files[1])
    }

    /// How long it takes, here and now, to stop a daemon that nothing hinders.
    static func timeOfStopping() async throws -> Duration {
        let scene = try await make(apps: [])
        let daemon = try scene.serve()
        _ = try await daemon.port()
        let (end, time) = try await daemon.stop()
        withExtendedLifetime(scene) {}
        guard end == .exited(0) else { throw SceneError(description: "\(String(describing: end)): \(daemon.log)") }
        return time
    }

    // MARK: The ledger

    func rows(_ query: String) throws -> [String] {
        try LedgerFile.openForReading(at: ledger).read { try LedgerFixture.rows($0, query) }
    }

    func contents() throws -> [String: [String]] { try LedgerContents.read(at: ledger) }

    /// The size of a file beside the ledger; nil where there is none.
    func size(of suffix: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: ledger + suffix))?[.size] as? Int
    }
}

struct RunningCommand {
    let process: ChildProcess
    let output: String
    let errors: String

    /// - Returns: what it has said so far, if it does not end in time.
    func outcome(withinSeconds seconds: Double = Patience.seconds) async throws -> CommandOutcome {
        let end = try await process.end(withinSeconds: seconds)
        return CommandOutcome(end: end, output: try ServingDaemon.text(output), errors: try ServingDaemon.text(errors))
    }
}

/// A daemon that was started; it ends with this value at the latest.
final class ServingDaemon: Sendable {
    let process: ChildProcess
    private let logFile: String

    init(process: ChildProcess, log: String) {
        self.process = process
        logFile = log
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    var log: String { (try? Self.text(logFile)) ?? "" }

    /// Waits until the log has a line with all of these words.
    ///
    /// - Throws: ``SceneError`` with the log, when the daemon ends before or it takes too long.
    @discardableResult
    func line(with words: String..., withinSeconds seconds: Double = Patience.seconds) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            // Whether it runs is asked first: what it says at its end must not be missed.
            let end = process.end
            let text = log
            let complete = text.lastIndex(of: "\n").map { text[...$0] } ?? ""
            for line in complete.split(separator: "\n") where words.allSatisfy({ line.contains($0) }) {
                return String(line)
            }
            guard end == nil, ContinuousClock.now < deadline else {
                throw SceneError(
                    description: "no line with \(words); it is \(end.map { "\($0)" } ?? "running"):\n\(text)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The port, once it serves.
    func port() async throws -> Int {
        let line = try await line(with: "serving", "address=127.0.0.1:")
        let digits = line.split(separator: "address=127.0.0.1:").last?.prefix { $0.isNumber } ?? ""
        guard let port = Int(digits) else { throw SceneError(description: "no port in '\(line)'") }
        return port
    }

    /// Stops it as a service manager does.
    ///
    /// - Returns: how it ended, and after how long.
    @discardableResult
    func stop(withinSeconds seconds: Double = Patience.seconds) async throws -> (end: ChildProcess.End?, time: Duration)
    {
        let start = ContinuousClock.now
        process.send(signal: SIGTERM)
        let end = try await process.end(withinSeconds: seconds)
        return (end, ContinuousClock.now - start)
    }

    /// Whether it was stopped in the 5 seconds that are promised, or on a busy machine in as many times longer as it takes to
    /// stop a daemon that nothing hinders.
    static func isInTime(_ time: Duration, unhindered: Duration) -> Bool {
        time < max(.seconds(5), .seconds(3) + unhindered * 10)
    }

    /// kill -9, waited for.
    func kill() async throws {
        process.send(signal: SIGKILL)
        _ = try await process.end()
    }
}
