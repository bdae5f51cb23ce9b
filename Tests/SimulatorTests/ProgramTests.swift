// What the simulator as a program says: of a law that is broken, and when the engine ends the process.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A simulation that finds something", .serialized, .ownThread)
struct FindingTests {
    @Test("names the seed, the step and the law, shows the shortest history, and says how to see it again")
    func namesItsSeed() async throws {
        let folder = try ScratchFolder()
        let (output, errors) = (folder.path("output"), folder.path("errors"))
        var environment = ProcessInfo.processInfo.environment
        environment["METERD_SIMULATE_IN"] = folder.url.path
        environment["METERD_SIMULATE_FAULT"] = "loses_log"
        let process = try ChildProcess(
            BuiltProgram.path(of: "meterd-simulate"), ["600", "1"], environment: environment, output: output,
            errors: errors)
        #expect(try await process.end() == .exited(1))
        let said = try String(contentsOfFile: output, encoding: .utf8)
        let failure = try #require(
            said.firstMatch(of: Regex("FAILED: seed ([0-9]+), step [0-9]+: ", as: (Substring, Substring).self)),
            "\(said)")
        #expect(said.contains("looking for a shorter one …\n"))
        #expect(said.hasSuffix("again: scripts/simulate --seed \(failure.1)\n"))
    }
}

@Suite("A simulation that dies", .serialized, .ownThread)
struct DyingTests {
    @Test("names the seeds that it was running", arguments: [SIGILL, SIGTRAP, SIGSEGV, SIGBUS])
    func namesItsSeeds(signal: Int32) async throws {
        let folder = try ScratchFolder()
        let (output, errors) = (folder.path("output"), folder.path("errors"))
        var environment = ProcessInfo.processInfo.environment
        // That of the runtime takes seconds, and comes after.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        environment["METERD_SIMULATE_IN"] = folder.url.path
        let process = try ChildProcess(
            BuiltProgram.path(of: "meterd-simulate"), ["36000", "4711"], environment: environment, output: output,
            errors: errors)
        let deadline = ContinuousClock.now + Patience.duration
        func said(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        while !said(output).contains("from seed 4711"), process.end == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        process.send(signal: signal)
        #expect(try await process.end() == .killed(signal: signal))
        let words = said(errors)
        #expect(words.contains("dies of signal \(signal) while it runs seed "), "\(words)")
        // Other tests may have kept this one waiting for long: they are not the first any more.
        let seeds = words.split(separator: "seed ").dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }
        #expect(!seeds.isEmpty && seeds.allSatisfy { $0 >= 4711 }, "\(words)")
    }
}
