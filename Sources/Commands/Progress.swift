// How far a long command has come, on a terminal only.

import Foundation
import Quantities

/// Prints events, rate and share done on standard error, a few times a second.
struct Progress {
    private let totalBytes: Int?
    private let start = ContinuousClock.now
    private var lastShown = ContinuousClock.now
    private var isShown = false

    /// - Parameter totalBytes: what there is to read, where it is known.
    init(totalBytes: Int?) { self.totalBytes = totalBytes }

    mutating func show(events: Int, bytes: Int) {
        guard Terminal.errorIsTerminal, ContinuousClock.now - lastShown > .milliseconds(200) else { return }
        lastShown = ContinuousClock.now
        isShown = true
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let rate = grouped(Int(Double(events) / max(elapsed, 0.001)))
        var text = "\(counted(events, "event")), \(rate) a second"
        if let totalBytes, totalBytes > 0 { text += ", \(min(100, bytes * 100 / totalBytes)) %" }
        Terminal.progress(text)
    }

    mutating func show(_ text: String) {
        guard Terminal.errorIsTerminal, ContinuousClock.now - lastShown > .milliseconds(200) else { return }
        lastShown = ContinuousClock.now
        isShown = true
        Terminal.progress(text)
    }

    /// Clears the line.
    func end() {
        if isShown { Terminal.progress("") }
    }
}
