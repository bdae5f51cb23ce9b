// What stops the benchmark, said for whoever started it; and the clock that all figures are taken with.

import Foundation

struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A call to the system that failed, by its `errno`.
    init(system what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
}

/// A steady clock.
struct Stopwatch {
    private let start = Self.nanoseconds()

    static func nanoseconds() -> UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    /// How long this thread has worked.
    static func threadSeconds() -> Double { Double(nanoseconds(of: CLOCK_THREAD_CPUTIME_ID)) / 1e9 }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    var seconds: Double { Double(Self.nanoseconds() - start) / 1e9 }
}
