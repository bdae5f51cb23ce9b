// Everything that the benchmark has started and made, so that it ends with the benchmark, however that ends.

import CEpoll  // whose header brings the set of signals
import Foundation
import Synchronization

/// The processes that run and the folders that go. One for the program: signals know no other.
enum Remains {
    private struct State {
        /// Each with the signal that ends it without leaving anything.
        var processes: [pid_t: Int32] = [:]
        var folders: Set<String> = []
        /// A signal has come: what is started from now on ends at once.
        var isEnding = false
    }

    private static let state = Mutex(State())

    static func add(process: pid_t, endedBy signal: Int32) {
        state.withLock { state in
            if state.isEnding { kill(process, SIGKILL) }
            state.processes[process] = signal
        }
    }

    static func remove(process: pid_t) { state.withLock { _ = $0.processes.removeValue(forKey: process) } }
    static func add(folder: String) { state.withLock { _ = $0.folders.insert(folder) } }

    /// Ends what runs and removes what lies around. Whoever comes second waits until that is done.
    static func clearAway() {
        state.withLock { state in
            for (process, signal) in state.processes { kill(process, signal) }
            for process in state.processes.keys {
                var status: Int32 = 0
                waitpid(process, &status, 0)
            }
            for folder in state.folders { try? FileManager.default.removeItem(atPath: folder) }
            state.processes = [:]
            state.folders = []
        }
    }

    /// Never returns when a signal is ending the program: what then seems to fail are only the consequences.
    static func waitIfEnding() {
        while state.withLock({ $0.isEnding }) { sleep(1) }
    }

    /// From now on, SIGINT, SIGTERM and SIGHUP clear away and end the program. Called once, before any thread starts.
    static func endOnSignals() {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread { [signals] in
            var signals = signals
            var number: Int32 = 0
            while sigwait(&signals, &number) != 0 {}
            state.withLock { $0.isEnding = true }
            clearAway()
            _exit(128 + number)
        }
        thread.start()
    }
}
