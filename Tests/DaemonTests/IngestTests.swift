// `meterd ingest`, alone and beside a daemon: a pipe that stays open, and what an input of very many lines takes.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("Ingesting from pipes, and very many lines", .inTurn)
struct IngestTests {
    /// A pipe with a name. It has a reader and a writer from the start, so nobody waits for the other to open it.
    private final class NamedPipe {
        let path: String
        private var descriptor: Int32

        init(_ path: String) throws {
            self.path = path
            try #require(mkfifo(path, 0o600) == 0)
            descriptor = open(path, O_RDWR)
            try #require(descriptor >= 0)
        }

        func write(_ text: String) {
            var text = text
            text.withUTF8 { #expect(Foundation.write(descriptor, $0.baseAddress, $0.count) == $0.count) }
        }

        func close() {
            _ = Foundation.close(descriptor)
            descriptor = -1
        }

        deinit { if descriptor >= 0 { close() } }
    }

    private static func lines(_ range: Range<Int>) -> String {
        range.map { SumEvent(id: "live-\($0)", number: $0).line + "\n" }.joined()
    }

    private func stored(_ count: Int, in scene: DaemonScene) async throws {
        try await eventually("\(count) events are stored") {
            try scene.rows("SELECT count(*) FROM usage_event") == ["\(count)"]
        }
    }

    @Test(
        "Lines from a pipe that stays open are stored while it is silent, and other commands write the ledger meanwhile"
    )
    func livePipe() async throws {
        let scene = try await DaemonScene.make()
        let pipe = try NamedPipe(scene.folder.path("pipe"))
        let command = try scene.begin(["ingest", pipe.path, "--now", DaemonScene.now])
        // Nothing has come yet, and the ledger is free.
        try await scene.run(["tenant", "add", "first", "--now", DaemonScene.now])
        pipe.write(Self.lines(0..<3))
        try await stored(3, in: scene)
        try await scene.run(["rate", "--date", "2027-01-09", "--now", DaemonScene.now])
        // Half a line waits for its other half.
        let next = Self.lines(3..<5)
        pipe.write(String(next.prefix(next.count - 20)))
        try await stored(4, in: scene)
        pipe.write(String(next.suffix(20)))
        try await stored(5, in: scene)
        // One line after the other without a pause is no reason to wait.
        for number in 5..<25 {
            pipe.write(Self.lines(number..<number + 1))
            try await Task.sleep(for: .milliseconds(100))
        }
        try await stored(25, in: scene)
        // A daemon may take the ledger over while the pipe is silent, and leave it again.
        let daemon = try await served(scene)
        pipe.write(Self.lines(25..<30))
        try await stored(30, in: scene)
        #expect(try await daemon.stop().end == .exited(0))
        pipe.write(Self.lines(30..<31) + "{\n")
        try await stored(31, in: scene)
        #expect(command.process.end == nil)
        pipe.write(String(Self.lines(31..<32).dropLast()))
        pipe.close()
        let outcome = try await command.outcome(withinSeconds: Patience.seconds)
        #expect(outcome.end == .exited(0))
        #expect(
            outcome.output.hasPrefix("33 events: 32 accepted, 0 duplicates, 0 corrections, 1 refused\n"), "\(outcome)")
        try await stored(32, in: scene)
        try await scene.run(["rate", "--date", "2027-01-09", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    private func served(_ scene: DaemonScene) async throws -> ServingDaemon {
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        _ = try await daemon.port()
        return daemon
    }

    @Test("A replay from a pipe that stays open lets others write the ledger until the whole history has come")
    func liveReplay() async throws {
        let scene = try await DaemonScene.make()
        let pipe = try NamedPipe(scene.folder.path("pipe"))
        let command = try scene.begin(["replay", pipe.path])
        pipe.write(EventLine.calls(5, id: "1", at: "2027-01-11T10:00:00Z").text + "\n")
        try await Task.sleep(for: .milliseconds(300))
        try await scene.run(["tenant", "add", "first", "--now", DaemonScene.now])
        #expect(command.process.end == nil)
        pipe.close()
        let outcome = try await command.outcome(withinSeconds: Patience.seconds)
        #expect(outcome.output.hasPrefix("1 event: 1 accepted"), "\(outcome)")
    }

    // MARK: Very many lines

    /// The shortest lines that there are, a million of them.
    private static let manyLines = String(repeating: "0\n", count: 1_000_000)

    /// What a process takes at most, asked until it has ended.
    private func mostMemory(of process: ChildProcess) async throws -> Int {
        var most = 0
        let deadline = ContinuousClock.now + Patience.duration
        while process.end == nil, ContinuousClock.now < deadline {
            let status = (try? String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
            most = max(most, (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10)
            try await Task.sleep(for: .milliseconds(10))
        }
        return most
    }

    private func expectAllRefused(_ command: RunningCommand, at file: String) async throws {
        let outcome = try await command.outcome(withinSeconds: Patience.seconds)
        #expect(outcome.end == .exited(1))
        #expect(
            outcome.output.hasPrefix("1,000,000 events: 0 accepted, 0 duplicates, 0 corrections, 1,000,000 refused\n"))
        let errors = outcome.errors.split(separator: "\n")
        #expect(errors.count == 7, "\(errors.prefix(10))")
        #expect(errors.first == "\(file), line 1: malformed: an event must be a JSON object, not 0")
        #expect(errors.last?.hasPrefix("… 999,995 more refusals") == true)
    }

    private static let manyLinesFile = "many.ndjson"

    @Test("A million lines that are no events take little memory, and a few of them are shown")
    func manyLinesAlone() async throws {
        let scene = try await DaemonScene.make()
        let file = try scene.write(Self.manyLines, to: Self.manyLinesFile)
        let command = try scene.begin(["ingest", file, "--now", DaemonScene.now])
        let most = try await mostMemory(of: command.process)
        print("a million short lines: the command took \(most >> 20) MiB")
        #expect(most > 10 << 20 && most < 300 << 20)
        try await expectAllRefused(command, at: file)
    }

    @Test("Beside a daemon they take little memory of either, and others are served meanwhile")
    func manyLinesServed() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try await served(scene)
        let connection = try HTTPConnection(port: try await daemon.port())
        let file = try scene.write(Self.manyLines, to: Self.manyLinesFile)
        let before = try daemon.process.memory("VmRSS")
        let command = try scene.begin(["ingest", file, "--now", DaemonScene.now])
        async let most = mostMemory(of: command.process)
        for number in 0..<5 {
            #expect(try connection.post(lines: [SumEvent(id: "beside-\(number)", number: number).line]).status == 200)
        }
        let taken = try await most
        let grown = try daemon.process.memory("VmHWM") - before
        print("a million short lines: the command took \(taken >> 20) MiB, the daemon grew by \(grown >> 20) MiB")
        #expect(taken > 10 << 20 && taken < 300 << 20)
        #expect(grown < 200 << 20)
        try await expectAllRefused(command, at: file)
        #expect(try await daemon.stop().end == .exited(0))
    }
}
