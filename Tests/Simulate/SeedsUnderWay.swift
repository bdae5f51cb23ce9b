// Which seeds are being run: told by a process that dies, or that runs one of them for far too long.

import Foundation
import Synchronization

/// A trap in the engine ends the process before anything could be reported, and what a seed was would be lost.
enum SeedsUnderWay {
    private struct Place: ~Copyable {
        let seed = Atomic<UInt64>(0)
        /// In seconds of the steady clock; 0 while there was none.
        let since = Atomic<Int>(0)
    }

    private static let most = 256
    /// A place for each worker, read by a signal handler: which may neither lock nor allocate.
    nonisolated(unsafe) private static let places = {
        let places = UnsafeMutablePointer<Place>.allocate(capacity: most)
        for index in 0..<most { (places + index).initialize(to: Place()) }
        return places
    }()

    /// Longer than any history takes, on a busy machine and in a debug build too.
    static let longestSeconds = 300

    private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE]
    /// What these signals did before, by their numbers.
    nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 64)

    /// Before any seed is run. Who dies then says so on the standard error.
    static func tellWhenDying() {
        begin(0, worker: 0)
        places.pointee.since.store(0, ordering: .relaxed)
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { SeedsUnderWay.die(of: $0) }
            sigaction(signal, &action, previous + Int(signal))
        }
    }

    static func begin(_ seed: UInt64, worker: Int) {
        places[worker % most].seed.store(seed, ordering: .relaxed)
        places[worker % most].since.store(now(), ordering: .relaxed)
    }

    /// Seeds that have been run for longer than any history takes.
    static func hanging() -> [UInt64] {
        (0..<most).compactMap { index in
            let since = places[index].since.load(ordering: .relaxed)
            return since > 0 && now() - since > longestSeconds ? places[index].seed.load(ordering: .relaxed) : nil
        }
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    private static func die(of signal: Int32) {
        write("FAILED: the process dies of signal ")
        write(UInt64(signal))
        write(" while it runs")
        for index in 0..<most where places[index].since.load(ordering: .relaxed) > 0 {
            write(" seed ")
            write(places[index].seed.load(ordering: .relaxed))
        }
        write("\n")
        // As if there had been no handler: with a backtrace, where the runtime makes one.
        sigaction(signal, previous + Int(signal), nil)
        raise(signal)
    }

    private static func write(_ text: StaticString) { _ = Glibc.write(2, text.utf8Start, text.utf8CodeUnitCount) }

    private static func write(_ number: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            var rest = number
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            _ = Glibc.write(2, digits.baseAddress?.advanced(by: first), 20 - first)
        }
    }
}
