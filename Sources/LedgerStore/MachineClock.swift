// The machine's clock, and whether an instant that it shows is believed (Billing rules, section 4).

import CClock
import Foundation
package import Quantities
import Synchronization

/// The wall clock, the clock since boot, which nobody sets, and the kernel's word on the wall clock.
///
/// Remembers when it last showed a believed instant: a process that runs on sees the time pass.
package final class MachineClock: Sendable {
    /// The clock of this machine, for this process.
    package static let system = MachineClock(
        read: { Reading(wall: systemWall(), sinceBoot: meterd_microseconds_since_boot()) },
        kernel: { Kernel(meterd_kernel_says_synchronized()) })

    /// Both clocks at one moment.
    package struct Reading: Sendable {
        package let wall: Instant
        /// Microseconds, the time that the machine slept included.
        package let sinceBoot: Int64

        package init(wall: Instant, sinceBoot: Int64) {
            self.wall = wall
            self.sinceBoot = sinceBoot
        }
    }

    /// What the kernel says of its wall clock.
    package enum Kernel: Codable, Hashable, Sendable {
        case synchronized, unsynchronized
        /// The call failed with this error, as it does where it is forbidden.
        case silent(errno: Int32)

        fileprivate init(_ answer: Int32) {
            self = answer < 0 ? .silent(errno: -answer) : answer == 0 ? .unsynchronized : .synchronized
        }
    }

    /// Why an instant is believed, or that it is not.
    package enum Belief: String, Codable, Sendable {
        case noInstantRecorded = "no_instant_recorded"
        /// Not more than ``farSeconds`` after the latest recorded instant.
        case near
        /// This process has seen the time pass, by the clock since boot.
        case timePassed = "time_passed"
        case kernelSynchronized = "kernel_synchronized"
        case confirmed
        case notBelieved = "not_believed"
    }

    /// An instant that is further than this after the latest recorded one needs a reason to be believed.
    package static let farSeconds = 10 * 86_400
    /// How much further the wall clock may have gone than the clock since boot: small corrections are no jump.
    private static let toleranceMicros: Int64 = 3_600_000_000

    private let readClocks: @Sendable () -> Reading
    private let askKernel: @Sendable () -> Kernel
    /// A believed reading. It stays the same while the clocks agree, so that many small steps don't become a large one.
    private let believed = Mutex<Reading?>(nil)

    package init(read: @escaping @Sendable () -> Reading, kernel: @escaping @Sendable () -> Kernel) {
        readClocks = read
        askKernel = kernel
    }

    /// What the wall clock shows, believed or not.
    package var wall: Instant { readClocks().wall }

    package var kernel: Kernel { askKernel() }

    /// Reads the clock and judges what it shows.
    ///
    /// - Parameters:
    ///   - latest: the latest instant that the ledger has recorded.
    ///   - isConfirmed: whether a person says that the clock is right.
    package func read(after latest: Instant?, isConfirmed: Bool) -> (now: Instant, belief: Belief) {
        let reading = readClocks()
        let belief = believed.withLock { believed in
            let jump = believed.map { Self.jump(from: $0, to: reading) }
            let hasPassed = jump.map { $0 <= Self.toleranceMicros } ?? false
            let belief = judge(reading, after: latest, timePassed: hasPassed, isConfirmed)
            let isKept = jump.map { abs($0) <= Self.toleranceMicros } ?? false
            if belief != .notBelieved, !isKept { believed = reading }
            return belief
        }
        return (reading.wall, belief)
    }

    private func judge(
        _ reading: Reading, after latest: Instant?, timePassed: Bool, _ isConfirmed: Bool
    ) -> Belief {
        guard let latest else { return .noInstantRecorded }
        if !reading.wall.isMore(thanSeconds: Self.farSeconds, after: latest) { return .near }
        if timePassed { return .timePassed }
        if isConfirmed { return .confirmed }
        return askKernel() == .synchronized ? .kernelSynchronized : .notBelieved
    }

    /// How much further the wall clock has gone than the clock since boot, in microseconds.
    private static func jump(from earlier: Reading, to later: Reading) -> Int64 {
        (later.wall.micros - earlier.wall.micros) - (later.sinceBoot - earlier.sinceBoot)
    }

    /// What this machine's wall clock shows, believed or not: for what is only told.
    package static func systemWall() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(micros: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

extension Instant {
    /// Whether this one is more than so many seconds after another; of any two, also of a damaged ledger.
    package func isMore(thanSeconds seconds: Int, after other: Instant) -> Bool {
        let (passed, overflows) = micros.subtractingReportingOverflow(other.micros)
        return overflows ? self > other : passed > Int64(seconds) * 1_000_000
    }
}

extension MachineClock: Hashable {
    package static func == (left: MachineClock, right: MachineClock) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
