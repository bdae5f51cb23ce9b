// The real program as a child process: run to its end, or killed on the way.

import BuiltProgram
import Foundation

/// The debug binary `meterd`, which the package's tests are built together with.
struct Program {
    let ledger: String

    struct Failed: Error {
        let arguments: [String]
        let status: Int32
        let output: String
    }

    private static let path = BuiltProgram.path(of: "meterd")

    /// Runs a command to its end.
    ///
    /// - Throws: ``Failed`` when its exit status is not 0.
    func run(_ arguments: [String]) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: Self.path)
        process.arguments = arguments + ["--db", ledger]
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
    /// - Returns: whether the kill came before the end.
    func runAndKill(_ arguments: [String], after delay: Duration) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: Self.path)
        process.arguments = arguments + ["--db", ledger]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: Double(delay.components.attoseconds) / 1e18 + Double(delay.components.seconds))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    }
}
