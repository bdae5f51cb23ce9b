// The real program as a child process: run to its end, or killed on the way.

import BuiltProgram
import Foundation
import GRDB
import Interposing
import LedgerFixture

/// The debug binary `meterd`, which the package's tests are built together with.
struct Program {
    let ledger: String

    struct Failed: Error {
        let arguments: [String]
        let status: Int32
        let output: String
    }

    private static let path = BuiltProgram.path(of: "meterd")

    private func process(_ arguments: [String], _ interposition: Interposition?) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: Self.path)
        process.arguments = arguments + ["--db", ledger]
        if let interposition {
            process.environment = ProcessInfo.processInfo.environment.merging(interposition.environment) { $1 }
        }
        return process
    }

    /// Runs a command to its end.
    ///
    /// - Throws: ``Failed`` when its exit status is not 0.
    func run(_ arguments: [String], under interposition: Interposition? = nil) throws {
        let process = process(arguments, interposition)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failed(arguments: arguments, status: process.terminationStatus, output: text)
        }
    }

    /// Runs a command and kills it (SIGKILL) so long after its start.
    ///
    /// - Returns: nil, or how long it took, if it ended before the kill.
    func runAndKill(_ arguments: [String], after delay: Duration) throws -> Duration? {
        let process = process(arguments, nil)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        while process.isRunning, ContinuousClock.now - start < delay { usleep(500) }
        let took = ContinuousClock.now - start
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        let isKilled = process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
        return isKilled ? nil : took
    }

    /// Runs a command that the interposer kills.
    ///
    /// - Returns: whether it did.
    func isKilled(_ arguments: [String], under interposition: Interposition) throws -> Bool {
        let process = process(arguments, interposition)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    }

    /// Rows of a file that may have an older schema.
    func rawRows(_ query: String) throws -> [String] {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: ledger, configuration: configuration).read { try LedgerFixture.rows($0, query) }
    }
}

/// Kills are aimed at the time up to slightly after the end of a run; a machine that grows faster or slower is followed.
struct KillAim {
    private var latest: Duration

    /// - Parameter whole: how long a run took that was not killed.
    init(whole: Duration) { latest = whole * 1.05 }

    /// Runs a command and kills it.
    ///
    /// - Returns: whether the kill came before the end.
    mutating func isHit(
        _ arguments: [String], of program: Program, _ chance: inout some RandomNumberGenerator
    ) throws -> Bool {
        let took = try program.runAndKill(arguments, after: latest * Double.random(in: 0...1, using: &chance))
        latest = took.map { $0 * 1.05 } ?? latest * 1.02
        return took == nil
    }
}
