// A child process that a test starts, signals and waits for; it never outlives the test.

import Foundation
import Synchronization
import TestSupport

/// Its output goes to files: no pipe fills up while nobody reads it, also when it is stopped or killed.
package final class ChildProcess: Sendable {
    package enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    package struct CannotStart: Error {
        let program: String
        let reason: String
    }

    package let id: Int32
    private let ended = Mutex<End?>(nil)

    /// - Parameters:
    ///   - environment: all of it.
    ///   - output: a file's path, and the same for `errors`; made anew.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String], input: String = "/dev/null",
        output: String, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // What other tests have open, a pipe's end above all, would stay open for as long as this process lives.
        for number in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(number), descriptor > 2 {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        var argumentPointers = ([program] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process = pid_t()
        let status = posix_spawn(&process, program, &actions, nil, &argumentPointers, &environmentPointers)
        guard status == 0 else { throw CannotStart(program: program, reason: String(cString: strerror(status))) }
        id = process
    }

    deinit {
        guard end == nil else { return }
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// How it ended; nil while it runs.
    package var end: End? {
        ended.withLock { ended in
            if ended != nil { return ended }
            var status: Int32 = 0
            guard waitpid(id, &status, WNOHANG) == id else { return nil }
            let signal = status & 0x7F
            ended = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
            return ended
        }
    }

    package func send(signal: Int32) {
        // A process that has been waited for may have left its number to another.
        ended.withLock { ended in
            if ended == nil { kill(id, signal) }
        }
    }

    package enum Limit: String, Sendable {
        /// In bytes.
        case fileSize = "fsize"
        case openFiles = "nofile"
        /// In bytes.
        case memory = "data"

        fileprivate var resource: __rlimit_resource {
            switch self {
            case .fileSize: RLIMIT_FSIZE
            case .openFiles: RLIMIT_NOFILE
            case .memory: RLIMIT_DATA
            }
        }
    }

    package struct CannotLimit: Error {
        let limit: String
        let status: Int32
    }

    /// Sets a limit of the running process that it may raise again itself; nil takes it back as far as this process goes.
    package func limit(_ limit: Limit, to value: Int?) throws {
        var own = rlimit()
        getrlimit(__rlimit_resource_t(limit.resource.rawValue), &own)
        let text = value.map { "\($0)" } ?? (own.rlim_max == .max ? "unlimited" : "\(own.rlim_max)")
        // The C library's function is not for Swift.
        let prlimit = Process()
        prlimit.executableURL = URL(filePath: "/usr/bin/prlimit")
        prlimit.arguments = ["--pid", "\(id)", "--\(limit.rawValue)=\(text):"]
        try prlimit.run()
        prlimit.waitUntilExit()
        guard prlimit.terminationStatus == 0 else {
            throw CannotLimit(limit: "\(limit.rawValue)=\(text)", status: prlimit.terminationStatus)
        }
    }

    /// - Returns: nil when it still runs by then.
    package func end(withinSeconds seconds: Double = Patience.seconds) async throws -> End? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let end { return end }
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
