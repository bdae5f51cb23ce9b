// A machine whose clocks a plan sets: its wall clock, its clock since boot, and its kernel's word.

import LedgerStore
import Oracle
import Quantities
import Synchronization

final class SimulatedMachine: Sendable {
    private struct State {
        var wall: Int64 = 0
        var sinceBoot: Int64 = 0
        var isSynchronized = false
    }

    private let state = Mutex(State())

    /// The machine's clock for a process that begins.
    func clock() -> MachineClock {
        MachineClock(
            read: { [self] in
                state.withLock { MachineClock.Reading(wall: Instant(micros: $0.wall), sinceBoot: $0.sinceBoot) }
            }, kernel: { [self] in state.withLock { $0.isSynchronized ? .synchronized : .unsynchronized } })
    }

    func set(wall: Int64, trust: History.Trust) {
        state.withLock { state in
            if trust == .seen { state.sinceBoot += max(0, wall - state.wall) }
            state.wall = wall
            state.isSynchronized = trust == .kernel
        }
    }
}

extension LedgerError {
    /// Whether the clock was not believed, or a test clock does not go where it was told.
    var isOfTheClock: Bool {
        switch self {
        case .testClockFarAhead, .clockGoesBack: true
        default: isOfMachineClock
        }
    }
}
