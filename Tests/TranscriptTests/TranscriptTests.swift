// Golden transcripts: each file in Transcripts is a story told with real commands, run and compared to the letter.
//
// METERD_TRANSCRIPTS=record swift test --filter TranscriptTests   writes the files anew; read the diff before you commit.

import Foundation
import Testing

@Suite("Transcripts of the command line")
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
        let binaries = try #require(Self.binaries, "there is no meterd beside the test executable; build it first")
        let file = Self.folder.appending(path: "\(name).transcript")
        let transcript = Transcript(try String(contentsOf: file, encoding: .utf8))
        let shell = try Shell(binaries: binaries)
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

    @Test("there are transcripts to compare with")
    func transcriptsAreFound() { #expect(!Self.names.isEmpty) }
}
