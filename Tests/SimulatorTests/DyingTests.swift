// The simulator's program, when the engine ends the process.

import BuiltProgram
import Foundation
import LedgerFixture
import Testing

@Suite("A simulation that dies", .serialized)
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
        let deadline = ContinuousClock.now + .seconds(120)
        func said(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        while !said(output).contains("from seed 4711"), process.end == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        process.send(signal: signal)
        #expect(try await process.end(withinSeconds: 120) == .killed(signal: signal))
        let words = said(errors)
        #expect(words.contains("dies of signal \(signal) while it runs seed "), "\(words)")
        // Other tests may have kept this one waiting for long: they are not the first any more.
        let seeds = words.split(separator: "seed ").dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }
        #expect(!seeds.isEmpty && seeds.allSatisfy { $0 >= 4711 }, "\(words)")
    }
}
