// A program that is run and measured: its time, its end, the most memory that it held.

import CEpoll  // whose header brings the set of signals
import Foundation

/// What a process took, once it has ended.
struct ProcessMeasure {
    let seconds: Double
    let status: Int32
    let peakMemoryBytes: Int

    var isSuccess: Bool { status == 0 }
}

/// A child process. Its output goes to files, so that no pipe fills up while nobody reads it.
final class Program {
    let name: String
    let id: pid_t
    let outputFile: String
    let errorFile: String
    private let endSignal: Int32
    private let watch = Stopwatch()
    /// The child holds the other end of this pipe: its end can be waited for with a deadline.
    private let endOfChild: Int32
    private(set) var measure: ProcessMeasure?
    private var peakMemoryBytes = 0

    /// How often memory is looked at. What wait4(2) tells instead begins with the memory of whoever started the process.
    private static let lookEveryMilliseconds: Int32 = 20

    /// What the child reads.
    enum Input {
        case nothing
        case file(String)
        /// A descriptor that is this program's to close once the child runs.
        case descriptor(Int32)
    }

    /// - Parameters:
    ///   - environment: what is set besides that of this process, without anything of meterd's.
    ///   - endSignal: what ends it at once without leaving anything.
    ///   - scratch: the path, without a suffix, of the files that take output and errors.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: Input = .nothing,
        endSignal: Int32 = SIGKILL, scratch: String
    ) throws {
        name = URL(filePath: path).lastPathComponent
        self.endSignal = endSignal
        outputFile = scratch + ".out"
        errorFile = scratch + ".err"
        guard access(path, X_OK) == 0 else { throw BenchFailure(system: "cannot run \(path)") }
        let (readEnd, writeEnd) = try Self.pipe()
        endOfChild = readEnd
        defer { close(writeEnd) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        switch input {
        case .nothing: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        case .file(let path): posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, writeEnd, Self.pipeInChild)
        var attributes = Self.plainSignals()
        defer { posix_spawnattr_destroy(&attributes) }

        var argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = Self.environment(environment).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process = pid_t()
        let status = posix_spawn(&process, path, &actions, &attributes, &argumentPointers, &environmentPointers)
        guard status == 0 else { throw BenchFailure("cannot run \(path): \(String(cString: strerror(status)))") }
        id = process
        Remains.add(process: id, endedBy: endSignal)
    }

    deinit {
        if measure == nil {
            kill(id, endSignal)
            _ = try? end(withinSeconds: 10)
        }
        close(endOfChild)
    }

    /// A pipe that no child inherits unless it is given an end.
    static func pipe() throws -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { throw BenchFailure(system: "a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// A descriptor that no program takes for one of its own.
    private static let pipeInChild: Int32 = 19

    /// This process blocks and ignores signals; its children are to have them as usual.
    private static func plainSignals() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var ignored = sigset_t()
        sigemptyset(&ignored)
        sigaddset(&ignored, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &ignored)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    private static func environment(_ more: [String: String]) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("METERD_") && !name.hasPrefix("PG")
                && !["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "TZ"].contains(name)
        }
        environment["LC_ALL"] = "C"
        return environment.merging(more) { $1 }
    }

    func send(signal: Int32) {
        if measure == nil { kill(id, signal) }
    }

    var isRunning: Bool {
        var state = pollfd(fd: endOfChild, events: Int16(POLLIN), revents: 0)
        return measure == nil && poll(&state, 1, 0) == 0
    }

    /// - Throws: when it still runs by then; it is killed.
    @discardableResult
    func end(withinSeconds seconds: Double) throws -> ProcessMeasure {
        if let measure { return measure }
        var state = pollfd(fd: endOfChild, events: Int16(POLLIN), revents: 0)
        let deadline = Stopwatch()
        var isInTime = false
        while !isInTime, deadline.seconds < seconds {
            peakMemoryBytes = memoryBytes("VmHWM") ?? peakMemoryBytes
            isInTime = poll(&state, 1, Self.lookEveryMilliseconds) > 0
        }
        if !isInTime { kill(id, endSignal) }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let time = watch.seconds
        Remains.remove(process: id)
        let signal = status & 0x7F
        let measure = ProcessMeasure(
            seconds: time, status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal,
            peakMemoryBytes: peakMemoryBytes)
        self.measure = measure
        guard isInTime else { throw BenchFailure("\(name) did not end within \(Int(seconds)) s\(lastWords)") }
        return measure
    }

    /// Waits for a good end.
    @discardableResult
    func success(withinSeconds seconds: Double) throws -> ProcessMeasure {
        let measure = try end(withinSeconds: seconds)
        guard measure.isSuccess else {
            throw BenchFailure("\(name) ended with status \(measure.status)\(lastWords)")
        }
        return measure
    }

    var output: String { Self.text(outputFile) }
    var errors: String { Self.text(errorFile) }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// Takes away the files of a program whose words are no longer of interest.
    func removeFiles() {
        unlink(outputFile)
        unlink(errorFile)
    }

    /// The end of what it said, for messages.
    var lastWords: String {
        let text = errors.isEmpty ? output : errors
        return text.isEmpty ? "" : ":\n" + String(text.suffix(1_500))
    }

    /// A number of the process's state in /proc, in bytes: `VmRSS`, `VmHWM`. Nil once it has ended.
    func memoryBytes(_ name: String) -> Int? {
        let status = Self.text("/proc/\(id)/status")
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }) else { return nil }
        return line.split(separator: " ", omittingEmptySubsequences: true).compactMap { Int($0) }.first.map { $0 << 10 }
    }
}
