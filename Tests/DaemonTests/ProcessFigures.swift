// What the system tells of a running process.

import BuiltProgram
import Foundation
import Testing

extension ChildProcess {
    /// Bytes by their name in the process's status, as `VmRSS`.
    func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }

    /// Whether all its threads are stopped (SIGSTOP): one that was just in a call to the system ends that first.
    func isStopped() throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task").allSatisfy { thread in
            let text = try String(contentsOfFile: "/proc/\(id)/task/\(thread)/stat", encoding: .utf8)
            return text.split(separator: ")").last?.split(separator: " ").first == "T"
        }
    }

    /// Seconds of processor time that it has had.
    func processorSeconds() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        // After the name, which may have spaces: the 12th and 13th are the ticks in the program and in the system.
        let fields = try #require(text.split(separator: ")").last).split(separator: " ")
        return try Double(#require(Int(fields[11])) + #require(Int(fields[12]))) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Whether it has, before long, hardly any processor time while this thread computes for half a second of it. A process
    /// that turns in circles always has as much of a busy machine as this thread.
    func isAtRest() throws -> Bool {
        for _ in 0..<10 {
            if try processorShare() < 0.3 { return true }
        }
        return false
    }

    private func processorShare() throws -> Double {
        func own() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let (before, start) = (try processorSeconds(), own())
        while own() - start < 0.5 {}
        return try (processorSeconds() - before) / (own() - start)
    }

    /// The number that the next file would have that it opens.
    func nextFile() throws -> Int {
        let open = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd"))
        return (0...).first { !open.contains("\($0)") } ?? 0
    }
}
