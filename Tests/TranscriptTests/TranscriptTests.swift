// Golden transcripts: each file in Transcripts is a story told with real commands, run and compared to the letter.
//
// METERD_TRANSCRIPTS=record swift test --filter TranscriptTests   writes the files anew; read the diff before you commit.

import Foundation
import TestSupport
import Testing

@Suite("Transcripts of the command line", .computing)
struct TranscriptTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Transcripts")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".transcript") }.map { String($0.dropLast(".transcript".count)) }.sorted()
    }()

    private static let isRecording = ProcessInfo.processInfo.environment["METERD_TRANSCRIPTS"] == "record"

    /// The products' folder: that of the test executable, or the one that a test bundle lies in.
    private static let binaries: URL? = {
        let bundles = Bundle.allBundles.map(\.bundleURL).filter { $0.pathExtension == "xctest" }
        let candidates = [Bundle.main.executableURL].compactMap { $0 } + bundles
        return candidates.map { $0.resolvingSymlinksInPath().deletingLastPathComponent() }.first {
            FileManager.default.isExecutableFile(atPath: $0.appending(path: "meterd").path)
        }
    }()

    @Test("meterd prints what the transcript says", arguments: names)
    func transcript(name: String) throws {
        let (transcript, file) = try Self.read(name)
        let shell = try Shell(binaries: #require(Self.binaries, "there is no meterd beside the tests; build it first"))
        let replayed = try transcript.replayed { try shell.run($0) }
        if Self.isRecording {
            if replayed != transcript.text { try replayed.write(to: file, atomically: true, encoding: .utf8) }
            return
        }
        let difference = LineDiff.text(expected: transcript.text, actual: replayed)
        if !difference.isEmpty {
            Issue.record("\(name).transcript: - is what it says, + is what came\n\(difference)")
        }
    }

    private static func read(_ name: String) throws -> (Transcript, URL) {
        let file = folder.appending(path: "\(name).transcript")
        return (Transcript(try String(contentsOf: file, encoding: .utf8)), file)
    }

    /// Transcripts that can't be told beside a daemon, and why.
    private static let notServed = [
        "no-file": "puts files where a daemon has its own",
        "altered-schema": "copies the file of a ledger that is written, and compares what it says alone",
        "serve": "is about a daemon that does not start",
        "init": "lists the folder, where a daemon has its socket",
        "finding-the-ledger": "changes a ledger's schema behind the back of whoever has it open",
        "upgrade": "makes an earlier schema behind the back of whoever has the ledger open",
        "verify": "counts day starts, and a daemon stores those of the day on which it starts",
    ]

    @Test(
        "meterd prints the same while a daemon has the ledger open",
        arguments: names.filter { notServed[$0] == nil })
    func servedTranscript(name: String) throws {
        let (transcript, _) = try Self.read(name)
        let shell = try Shell(
            binaries: #require(Self.binaries, "there is no meterd beside the tests; build it first"), serving: true)
        let replayed = try transcript.replayed { try shell.run($0) }
        let difference = LineDiff.text(expected: transcript.text, actual: replayed)
        if !difference.isEmpty {
            Issue.record("\(name).transcript: - is what it says, + is what came beside a daemon\n\(difference)")
        }
        #expect(shell.daemonCount > 0 || !transcript.text.contains("\nledger "))
    }

    @Test("there are transcripts to compare with")
    func transcriptsAreFound() { #expect(!Self.names.isEmpty) }
}
