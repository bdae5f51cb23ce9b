// Suites that start daemons, kill, or measure memory and time: one test of theirs at a time, each on a thread of its own.

import Dispatch
import Synchronization
package import Testing

/// A thread for each test: it waits for processes, and other tests compute on all the threads that tasks share.
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
        await Turns.take()
        defer { Turns.pass() }
        try await withTaskExecutorPreference(OwnThread.executor()) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    package static var ownThread: Self { OwnThread() }
}

extension Trait where Self == InTurn {
    package static var inTurn: Self { InTurn() }
}

private enum Turns {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private static let state = Mutex(State())

    static func take() async {
        await withCheckedContinuation { continuation in
            let isMine = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
    }

    static func pass() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
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
