// Runs commands with `sh` in a fresh folder, the tested meterd first in PATH.

import Foundation
import TestSupport

struct CommandOutcome {
    enum End: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
        case timedOut(seconds: Int)
    }

    let output: String
    let errors: String
    let end: End
}

struct ShellError: Error, CustomStringConvertible {
    let description: String
}

/// A temporary folder and the commands that run in it, one after the other.
final class Shell {
    private let scratch: URL
    private let folder: URL
    private let environment: [String]

    /// - Parameters:
    ///   - binaries: the folder of the tested meterd.
    ///   - serving: whether a daemon is to have each ledger open.
    init(binaries: URL, serving: Bool = false) throws {
        scratch = FileManager.default.temporaryDirectory.appending(path: "meterd-transcript-\(UUID().uuidString)")
        folder = scratch.appending(path: "work")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var variables = ProcessInfo.processInfo.environment
        for name in ["METERD_DB", "METERD_CONFIG", "TZ", "LANG", "LANGUAGE"] { variables[name] = nil }
        variables["PATH"] = "\(binaries.path):\(variables["PATH"] ?? "/usr/bin:/bin")"
        if serving {
            let own = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Serving")
            variables["PATH"] = "\(own.path):\(variables["PATH"] ?? "")"
            variables["METERD_TEST_BINARY"] = binaries.appending(path: "meterd").path
            variables["METERD_TEST_LOG"] = scratch.appending(path: "daemon.log").path
        }
        variables["LC_ALL"] = "C"
        variables["COLUMNS"] = "100"
        environment = variables.map { "\($0.key)=\($0.value)" }
    }

    deinit {
        let pids = (try? String(contentsOf: scratch.appending(path: "daemon.log.pids"), encoding: .utf8)) ?? ""
        for pid in pids.split(separator: "\n").compactMap({ pid_t($0) }) { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(at: scratch)
    }

    /// How many daemons were started.
    var daemonCount: Int {
        let pids = try? String(contentsOf: scratch.appending(path: "daemon.log.pids"), encoding: .utf8)
        return pids?.split(separator: "\n").count ?? 0
    }

    func run(_ command: String) throws -> CommandOutcome {
        let output = scratch.appending(path: "output")
        let errors = scratch.appending(path: "errors")
        let end = try wait(for: spawn(command, output: output.path, errors: errors.path))
        return CommandOutcome(output: try text(output), errors: try text(errors), end: end)
    }

    /// What was printed; the folder, which has another name each time, is `$PWD`.
    private func text(_ file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self).replacing(folder.path, with: "$PWD")
    }

    /// Output goes to files: no pipe can fill up while nobody reads it.
    private func spawn(_ command: String, output: String, errors: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // A process group of its own, so that a command that hangs can be ended with what it started.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let arguments = ["sh", "-c", "cd \"$0\" || exit 126\n\(command)", folder.path]
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process = pid_t()
        let status = posix_spawn(
            &process, "/bin/sh", &actions, &attributes, &argumentPointers, &environmentPointers)
        guard status == 0 else { throw ShellError(description: "cannot run sh: \(String(cString: strerror(status)))") }
        return process
    }

    private func wait(for process: pid_t) throws -> CommandOutcome.End {
        let deadline = ContinuousClock.now + Patience.duration
        var status: Int32 = 0
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { break }
            guard ended == 0 || errno == EINTR else {
                throw ShellError(description: "waitpid: \(String(cString: strerror(errno)))")
            }
            if ContinuousClock.now > deadline {
                kill(-process, SIGKILL)
                waitpid(process, &status, 0)
                return .timedOut(seconds: Patience.wholeSeconds)
            }
            usleep(2_000)
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }
}
