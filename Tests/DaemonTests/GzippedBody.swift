// Bodies as a client packs them: by the gzip program, which is not meterd's own.

import BuiltProgram
import Foundation
import LedgerFixture
import Testing

extension DaemonScene {
    func gzipped(_ bytes: [UInt8]) async throws -> [UInt8] {
        let (plain, packed) = (folder.path("plain"), folder.path("packed"))
        try Data(bytes).write(to: URL(filePath: plain))
        let process = try ChildProcess(
            "/bin/gzip", ["-c"], environment: [:], input: plain, output: packed, errors: folder.path("errors"))
        #expect(try await process.end() == .exited(0))
        return Array(try Data(contentsOf: URL(filePath: packed)))
    }
}
