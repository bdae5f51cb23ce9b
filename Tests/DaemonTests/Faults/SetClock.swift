// A wall clock that a test sets while programs run.

import EventCodec
import Foundation
import Interposing
import LedgerFixture

/// Shown to every program that is started with its environment; from where it is set it goes on.
final class SetClock {
    private let folder: ScratchFolder
    private let path: String

    /// - Parameter time: RFC 3339.
    init(_ time: String) throws {
        folder = try ScratchFolder()
        path = folder.path("offset")
        try set(to: time)
    }

    var environment: [String: String] {
        var interposition = Interposition(folder: folder.url.path)
        interposition.clock = path
        return interposition.environment
    }

    /// Sets it ahead or back.
    func set(to time: String) throws {
        guard let micros = RFC3339.parse(time) else { throw SceneError(description: "'\(time)' is no time") }
        let offset = Double(micros) / 1e6 - Date().timeIntervalSince1970
        try "\(offset)\n".write(toFile: path, atomically: true, encoding: .utf8)
    }
}
