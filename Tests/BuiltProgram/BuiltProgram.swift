// The programs that the tests are built together with.

import Foundation

package enum BuiltProgram {
    /// Where a product of the package lies: beside the test bundle.
    package static func path(of name: String) -> String {
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        let here = FileManager.default.currentDirectoryPath
        let candidates = [bundle.appending(path: name).path, here + "/.build/debug/\(name)"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
    }
}
