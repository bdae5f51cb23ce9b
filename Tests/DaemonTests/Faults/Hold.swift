// Commits that wait for as long as a test wants: what comes meanwhile comes in an order that no busy machine changes.

import Foundation
import Interposing
import LedgerFixture

/// Keeps the commits of a program waiting at their sync, from ``begin()`` to ``end()``. SQLite's own wait for a locked file
/// ends after ten seconds; this one does not.
final class Hold {
    private let folder: ScratchFolder
    private let path: String
    private let met: String
    private var metBefore = 0

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("hold")
        met = folder.path("met")
    }

    /// What to add to the environment of a program on the files of a scene.
    ///
    /// - Parameter calls: which calls wait.
    func environment(_ scene: DaemonScene, _ calls: Fault = Fault(.sync, of: "-wal", from: 1..., .hold)) -> [String:
        String]
    {
        var interposition = Interposition(folder: scene.folder.url.path)
        interposition.faults = [calls]
        interposition.hold = path
        interposition.met = met
        return interposition.environment
    }

    func begin() throws {
        try Data().write(to: URL(filePath: path))
        metBefore = try MetFault.read(met).count
    }

    /// Whether a call waits. One that came just as the hold began may be counted, and has gone on.
    func isHolding() throws -> Bool { try MetFault.read(met).count > metBefore }

    func end() throws { try FileManager.default.removeItem(atPath: path) }
}
