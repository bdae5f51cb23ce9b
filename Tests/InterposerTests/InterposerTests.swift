// Whether the interposer does what tests of power loss, failing disks and wrong clocks rely on.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import TestSupport
import Testing

@Suite("The interposer", .computing)
struct InterposerTests {
    private struct Outcome {
        let status: Int32
        let wasKilled: Bool
        let lines: [String]
    }

    private func probe(_ arguments: [String], _ interposition: Interposition) throws -> Outcome {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: BuiltProgram.path(of: "InterposerProbe"))
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: interposition.folder)
        process.environment = ProcessInfo.processInfo.environment.merging(interposition.environment) { $1 }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            lines: text.split(separator: "\n").map { String($0) })
    }

    private struct Scene {
        let scratch: ScratchFolder
        var interposition: Interposition

        init() throws {
            scratch = try ScratchFolder()
            let folder = scratch.path("folder")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            interposition = Interposition(folder: folder)
            interposition.journal = scratch.path("journal")
            interposition.met = scratch.path("met")
        }

        /// The journal, a line a record, files by the letters in which they first appear.
        func journal() throws -> [String] {
            var letters: [UInt64: String] = [:]
            func file(_ inode: UInt64) -> String {
                letters[inode, default: "file \(letters.count + 1)"]
            }
            return try Journal.read(interposition.journal ?? "").map { record in
                switch record {
                case .open(let inode, let name), .create(let inode, let name):
                    letters[inode] = file(inode)
                    if case .open = record { return "open \(name): \(file(inode))" }
                    // The C library chooses how such a name ends.
                    let known = name.hasPrefix("made-") ? "made-…" : name
                    return "create \(known): \(file(inode))"
                case .write(let inode, let offset, let data):
                    return "write \(file(inode)) at \(offset): \(String(decoding: data, as: UTF8.self))"
                case .truncate(let inode, let length): return "truncate \(file(inode)) to \(length)"
                case .extend(let inode, let length): return "extend \(file(inode)) to \(length)"
                case .sync(let inode, let name): return "sync \(file(inode)), \(name)"
                case .syncFolder(let name): return "sync folder '\(name)'"
                case .rename(let from, let to): return "rename \(from ?? "-") to \(to ?? "-")"
                case .link(let from, let to): return "link \(from) as \(to)"
                case .unlink(let name): return "unlink \(name)"
                case .map(let inode, let name): return "map \(file(inode)), \(name)"
                case .mark(let text): return "mark \(text)"
                }
            }
        }
    }

    @Test("The journal has every change of the folder's files, in order, with its data, and marks from outside")
    func journal() throws {
        let scene = try Scene()
        try Journal.mark("before", in: scene.interposition.journal ?? "")
        let outcome = try probe(["files"], scene.interposition)
        #expect(outcome.lines == [])
        #expect(outcome.status == 0)
        try Journal.mark("after", in: scene.interposition.journal ?? "")
        let expected = [
            "mark before",
            "create a: file 1",
            "write file 1 at 0: hello",
            "write file 1 at 0: HE",
            "write file 1 at 5:  again",
            "sync file 1, a",
            "truncate file 1 to 3",
            "extend file 1 to 10",
            "sync file 1, a",
            "create log: file 2",
            "write file 2 at 0: one",
            "write file 2 at 3: twothree",
            "rename a to b",
            "link b as c",
            "unlink b",
            "sync folder ''",
            "open c: file 1",
            "truncate file 1 to 0",
            "map file 1, c",
            // Ways that are gone less often.
            "open c: file 1",
            "write file 1 at 0: whole",
            "write file 1 at 5: and part",
            "open c: file 1",
            "truncate file 1 to 9",
            "create copied: file 3",
            "write file 3 at 0: whole",
            "write file 3 at 5: and ",
            "rename copied to moved",
            "rename moved to again",
            "create made-…: file 4",
            "write file 4 at 0: own name",
            "mark after",
        ]
        #expect(try scene.journal() == expected)
    }

    @Test(
        "Calls fail, are cut short, wait, or kill the program, counted from 1, each kind for itself",
        arguments: [
            (
                [Fault(.write, at: 2, .fail("ENOSPC"))],
                ["write 4, sync ok", "write ENOSPC, sync ok", "write 4, sync ok"]
            ),
            ([Fault(.sync, from: 2..., .fail("EIO"))], ["write 4, sync ok", "write 4, sync EIO", "write 4, sync EIO"]),
            ([Fault(.write, at: 1...2, .short)], ["write 2, sync ok", "write 2, sync ok", "write 4, sync ok"]),
            (
                [Fault(.sync, at: 1, .delay(milliseconds: 1_500))],
                ["write 4, sync ok, slow", "write 4, sync ok", "write 4, sync ok"]
            ),
            ([Fault(.sync, at: 2, .kill)], ["write 4, sync ok"]),
            // Opening the file is the first of all calls.
            ([Fault(.any, at: 4, .kill)], ["write 4, sync ok"]),
            ([Fault(.open, at: 1, .fail("EIO"))], ["open EIO"]),
            (
                [Fault(.write, of: "data", at: 1, .fail("EIO")), Fault(.write, of: "-wal", at: 2, .fail("EIO"))],
                ["write EIO, sync ok", "write 4, sync ok", "write 4, sync ok"]
            ),
        ])
    func faults(faults: [Fault], expected: [String]) throws {
        var scene = try Scene()
        scene.interposition.faults = faults
        let outcome = try probe(["appends", "3"], scene.interposition)
        // A busy machine may be slow by itself; which calls were made to wait, the record of the calls that were met tells.
        let slow = Set(expected.indices.filter { expected[$0].hasSuffix(", slow") })
        let lines = outcome.lines.enumerated().map { slow.contains($0) ? $1 : $1.replacing(", slow", with: "") }
        #expect(lines == expected)
        let met = try MetFault.read(try #require(scene.interposition.met))
        #expect(slow.isEmpty || met.map { $0.call - 1 } == slow.sorted())
        let kills = faults.contains { if case .kill = $0.action { true } else { false } }
        #expect(outcome.wasKilled == kills)
        #expect(outcome.status == (kills ? SIGKILL : 0))
    }

    @Test("Calls wait for as long as a file is there, and go on when it is removed")
    func holds() throws {
        var scene = try Scene()
        scene.interposition.faults = [Fault(.sync, at: 2, .hold)]
        let hold = scene.scratch.path("hold")
        scene.interposition.hold = hold
        #expect(try probe(["appends", "3"], scene.interposition).lines.count == 3)

        try "".write(toFile: hold, atomically: false, encoding: .utf8)
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(filePath: BuiltProgram.path(of: "InterposerProbe"))
        process.arguments = ["appends", "3"]
        process.currentDirectoryURL = URL(filePath: scene.interposition.folder)
        process.environment = ProcessInfo.processInfo.environment.merging(scene.interposition.environment) { $1 }
        process.standardOutput = output
        try process.run()
        defer { process.terminate() }
        let met = try #require(scene.interposition.met)
        while try MetFault.read(met).count < 2 { usleep(2_000) }
        usleep(200_000)
        #expect(process.isRunning)
        let before = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(before.split(separator: "\n").count == 1, "\(before)")
        try FileManager.default.removeItem(atPath: hold)
        let after = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(after.split(separator: "\n").count == 2, "\(after)")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("Reads fail, and are none of the other calls")
    func reads() throws {
        var scene = try Scene()
        scene.interposition.faults = [Fault(.read, of: "data", at: 3...4, .fail("EIO")), Fault(.any, at: 3, .kill)]
        // At the end of the file there is nothing left for the second.
        #expect(try probe(["reads", "3"], scene.interposition).lines == ["1, 0", "EIO, EIO", "1, 0"])
    }

    @Test("What failed is not in the journal, and of a short write only what was written")
    func journalOfFaults() throws {
        var scene = try Scene()
        scene.interposition.faults = [
            Fault(.write, at: 1, .fail("EIO")), Fault(.write, at: 2, .short), Fault(.sync, at: 2, .fail("EIO")),
            Fault(.write, at: 3, .kill),
        ]
        _ = try probe(["appends", "4"], scene.interposition)
        #expect(try scene.journal() == ["create data: file 1", "sync file 1, data", "write file 1 at 0: ab"])
    }

    @Test("What a fault met is on record: which fault, which call, which file; what none met is not")
    func metFaults() throws {
        var scene = try Scene()
        scene.interposition.faults = [
            Fault(.write, of: "-wal", at: 1, .fail("EIO")), Fault(.write, at: 2...3, .short),
            Fault(.sync, at: 9, .fail("EIO")), Fault(.sync, of: "data", at: 4, .kill),
        ]
        let met = try #require(scene.interposition.met)
        #expect(try MetFault.read(met) == [])
        #expect(try probe(["appends", "5"], scene.interposition).wasKilled)
        let words = try MetFault.read(met).map { "fault \($0.fault), call \($0.call) of \($0.name)" }
        #expect(words == ["fault 1, call 2 of data", "fault 1, call 3 of data", "fault 3, call 4 of data"])
    }

    @Test("A setting that says nothing known is an error, not a test that proves nothing")
    func wrongSettings() throws {
        let scene = try Scene()
        var interposition = scene.interposition
        interposition.faults = [Fault(.write, at: 1, .fail("EWHAT"))]
        let outcome = try probe(["appends", "1"], interposition)
        let form = "KIND[@SUFFIX]:FROM[-[TO]]:ACTION"
        #expect(outcome.lines == ["interposer: INTERPOSER_FAULT has 'write:1-1:EWHAT', which is not \(form)"])
        #expect(outcome.status == 70)
    }

    @Test("The clock since boot goes ahead, and the kernel says what it is told to say of its clock")
    func kernel() throws {
        var scene = try Scene()
        let path = scene.scratch.path("clock")
        scene.interposition.clock = path
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: BuiltProgram.path(of: "InterposerProbe"))
        process.arguments = ["kernel"]
        process.environment = ProcessInfo.processInfo.environment.merging(scene.interposition.environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer { process.terminate() }
        let timeError = "5"
        for (text, seconds, answer) in [
            ("100", 0, timeError), ("0 2592000", 2_592_000, timeError), ("0 10 synchronised", 10, "0"),
            ("-5 -10 unsynchronised", -10, timeError), ("0 0 EPERM", 0, "error \(EPERM)"),
        ] {
            try "\(text)\n".write(toFile: path, atomically: false, encoding: .utf8)
            try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            var now = timespec()
            clock_gettime(CLOCK_BOOTTIME, &now)
            let words = line.split(maxSplits: 1) { $0.isWhitespace }
            let shown = try #require(words.first.flatMap { Int($0) }, "\(line)")
            #expect(abs(shown - Int(now.tv_sec) - seconds) < 10, "\(text): \(line)")
            #expect(words.last?.trimmingCharacters(in: .newlines) == "\(answer) \(answer)", "\(text): \(line)")
        }
    }

    @Test("A clock is set ahead and back while a program runs; what it waits for takes as long as ever")
    func clock() throws {
        var scene = try Scene()
        let offset = scene.scratch.path("offset")
        scene.interposition.clock = offset
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: BuiltProgram.path(of: "InterposerProbe"))
        process.arguments = ["clock"]
        process.environment = ProcessInfo.processInfo.environment.merging(scene.interposition.environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer { process.terminate() }
        for seconds in [0, 172_800, -172_800, 31_622_400] {
            try "\(seconds)\n".write(toFile: offset, atomically: false, encoding: .utf8)
            try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            try #require(numbers.count == 5, "\(line)")
            let expected = Int(Date().timeIntervalSince1970) + seconds
            for time in numbers.prefix(4) {
                #expect(abs(time - expected) < Patience.wholeSeconds, "\(seconds): \(line)")
            }
            #expect((95..<Patience.milliseconds).contains(numbers[4]), "\(seconds): \(line)")
        }
    }
}
