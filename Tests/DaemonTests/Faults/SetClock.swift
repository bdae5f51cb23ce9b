// A clock that a test sets while programs run.

import EventCodec
import Foundation
import Interposing
import LedgerFixture
import Synchronization

/// Shown to every program that is started with its environment; from where it is set it goes on.
final class SetClock: Sendable {
    /// What the kernel says of its clock.
    enum Kernel: String {
        case synchronised, unsynchronised
        /// The question is forbidden.
        case silent = "EPERM"
    }

    private struct State {
        /// Seconds to add.
        var wall = 0.0
        var sinceBoot = 0.0
        var kernel = Kernel.unsynchronised
    }

    private let folder: ScratchFolder
    private let path: String
    private let state = Mutex(State())

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

    /// Sets it ahead or back; the clock since boot goes on as before.
    func set(to time: String) throws {
        guard let micros = RFC3339.parse(time) else { throw SceneError(description: "'\(time)' is no time") }
        try change { $0.wall = Double(micros) / 1e6 - Date().timeIntervalSince1970 }
    }

    /// As when the machine has slept: the clock since boot knows it too.
    func sleep(days: Int) throws {
        try change {
            $0.wall += Double(days * 86_400)
            $0.sinceBoot += Double(days * 86_400)
        }
    }

    func say(_ kernel: Kernel) throws { try change { $0.kernel = kernel } }

    private func change(_ change: (inout State) -> Void) throws {
        let text = state.withLock { state in
            change(&state)
            return "\(state.wall) \(state.sinceBoot) \(state.kernel.rawValue)\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
