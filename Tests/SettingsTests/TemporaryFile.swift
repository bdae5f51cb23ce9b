// A configuration file of a test, gone with it.

import Foundation

final class TemporaryFile {
    let path: String

    init(_ content: Data) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "meterd-\(UUID().uuidString).yaml").path
        try content.write(to: URL(fileURLWithPath: path))
    }

    convenience init(_ yaml: String) throws { try self.init(Data(yaml.utf8)) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
