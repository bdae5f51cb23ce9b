// Which tests run at once: those that compute take turns at the cores, those that start daemons at the machine.
//
// Swift Testing starts every test at once, on as many threads as there are cores. A test that computes for a minute keeps one
// of them that long, and a hundred of these keep all others from going on, those too that wait with a limit.

import Dispatch
import Foundation
import Synchronization
package import Testing

/// A thread for each test, which may wait for a process without keeping others from a thread that tasks share.
package struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Self.executor()) { try await function() }
    }

    /// A thread, for what several tests wait for.
    package static func executor() -> some TaskExecutor { QueueExecutor() }
}

/// A thread for each test, and a turn: in the whole process no two tests with this trait run at once. Otherwise dozens of
/// daemons would start together, and each test would measure the others.
package struct InTurn: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Turns.machine.take()
        defer { Turns.machine.pass() }
        try await withTaskExecutorPreference(OwnThread.executor()) { try await function() }
    }
}

/// A thread and a turn for each test that computes for more than a moment: as many run at once as the machine has cores, and
/// the threads that tasks share stay free for the tests that wait.
package struct Computing: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Turns.cores.take()
        defer { Turns.cores.pass() }
        try await withTaskExecutorPreference(OwnThread.executor()) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    package static var ownThread: Self { OwnThread() }
}

extension Trait where Self == InTurn {
    package static var inTurn: Self { InTurn() }
}

extension Trait where Self == Computing {
    package static var computing: Self { Computing() }
}

/// So many turns at once; whoever waits longest comes next.
private final class Turns: Sendable {
    static let machine = Turns(1)
    static let cores = Turns(ProcessInfo.processInfo.activeProcessorCount)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    private init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func pass() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// Runs a task's jobs on a serial queue, which has a thread as soon as there is work.
private final class QueueExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "test")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
