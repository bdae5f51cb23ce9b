// Runs the simulator for as long as one likes, on all processors: scripts/simulate.

import Dispatch
import Foundation
import Simulator
import Synchronization

@main
enum Simulate {
    private struct Failed: Sendable {
        let seed: UInt64
        let failure: Simulation.Failure
    }

    private struct State: Sendable {
        var next: UInt64
        var done = 0
        var failed: Failed?
    }

    /// A fault of the engine's to be found, for who wants to see what is said then: METERD_SIMULATE_FAULT=loses_log.
    private static var sabotage: Simulation.Sabotage {
        var sabotage = Simulation.Sabotage()
        sabotage.losesLog = ProcessInfo.processInfo.environment["METERD_SIMULATE_FAULT"] == "loses_log"
        return sabotage
    }

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let isOne = arguments.first == "--seed"
        if isOne { arguments.removeFirst() }
        let numbers = arguments.compactMap { UInt64($0) }
        guard numbers.count == arguments.count, numbers.count == (isOne ? 1 : 2) else {
            say("usage: meterd-simulate SECONDS FIRST_SEED\n       meterd-simulate --seed SEED")
            exit(64)
        }
        SeedsUnderWay.tellWhenDying()
        if isOne {
            one(seed: numbers[0])
        } else {
            many(seconds: numbers[0], from: numbers[1])
        }
    }

    /// At once: lines are read while it runs.
    private static func say(_ text: some CustomStringConvertible) {
        FileHandle.standardOutput.write(Data("\(text)\n".utf8))
    }

    private static func one(seed: UInt64) {
        SeedsUnderWay.begin(seed, worker: 0)
        let plan = Plan.random(seed: seed)
        say(plan)
        guard let failure = Simulation.failure(of: plan, sabotage: sabotage) else {
            say("seed \(seed): all laws hold after each of \(plan.steps.count) steps")
            return
        }
        report(Failed(seed: seed, failure: failure))
    }

    private static func many(seconds: UInt64, from first: UInt64) {
        let start = ContinuousClock.now
        let end = start + .seconds(Int(seconds))
        let state = Mutex(State(next: first))
        let cores = ProcessInfo.processInfo.activeProcessorCount
        SeedsUnderWay.begin(first, worker: 0)
        say("histories from seed \(first) on, for \(seconds) seconds, \(cores) at a time")
        let progress = DispatchSource.makeTimerSource(queue: .global())
        progress.schedule(deadline: .now() + 10, repeating: 10)
        progress.setEventHandler {
            say(summary(state.withLock { $0 }, first, since: start))
            let hanging = SeedsUnderWay.hanging()
            guard let seed = hanging.first, state.withLock({ $0.failed == nil }) else { return }
            say("FAILED: running for over \(SeedsUnderWay.longestSeconds) s: seed \(hanging)")
            say("again: scripts/simulate --seed \(seed)")
            exit(1)
        }
        progress.resume()
        DispatchQueue.concurrentPerform(iterations: cores) { worker in
            while ContinuousClock.now < end {
                let seed: UInt64? = state.withLock { state in
                    guard state.failed == nil else { return nil }
                    defer { state.next += 1 }
                    return state.next
                }
                guard let seed else { return }
                SeedsUnderWay.begin(seed, worker: worker)
                let failure = Simulation.failure(
                    of: Plan.random(seed: seed), sabotage: sabotage, isVerified: seed % 4 == 0)
                state.withLock { state in
                    state.done += 1
                    if let failure, state.failed == nil { state.failed = Failed(seed: seed, failure: failure) }
                }
            }
        }
        progress.cancel()
        let final = state.withLock { $0 }
        say(summary(final, first, since: start))
        if let failed = final.failed { report(failed) }
        say("all laws hold")
    }

    private static func summary(_ state: State, _ first: UInt64, since start: ContinuousClock.Instant) -> String {
        let seconds = max(1, (ContinuousClock.now - start).components.seconds)
        return "\(state.done) histories in \(seconds) s, \(Int64(state.done) / seconds) a second; "
            + "the next seed is \(state.next)"
    }

    private static func report(_ failed: Failed) -> Never {
        say("FAILED: seed \(failed.seed), step \(failed.failure.step): \(failed.failure.law)")
        for detail in failed.failure.details { say("  \(detail)") }
        say("looking for a shorter one …")
        let shortest = Shrinking.shrink(Plan.random(seed: failed.seed), failing: failed.failure.law) {
            Simulation.failure(of: $0, sabotage: sabotage)
        }
        say(shortest)
        if let failure = Simulation.failure(of: shortest, sabotage: sabotage) {
            say("fails at step \(failure.step): \(failure.law)")
            for detail in failure.details { say("  \(detail)") }
        }
        say("again: scripts/simulate --seed \(failed.seed)")
        exit(1)
    }
}
