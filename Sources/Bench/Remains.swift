// Everything that the benchmark has started and made, so that it ends with the benchmark, however that ends.

import CEpoll  // whose header brings the set of signals
import Foundation
import Synchronization

/// The processes that run and the folders that go. One for the program: signals know no other.
enum Remains {
    private struct State {
        var processes: Set<pid_t> = []
        var folders: Set<String> = []
    }

    private static let state = Mutex(State())

    static func add(process: pid_t) { state.withLock { _ = $0.processes.insert(process) } }
    static func remove(process: pid_t) { state.withLock { _ = $0.processes.remove(process) } }
    static func add(folder: String) { state.withLock { _ = $0.folders.insert(folder) } }

    /// Ends what runs and removes what lies around.
    static func clearAway() {
        let (processes, folders) = state.withLock { state in
            defer { state = State() }
            return (state.processes, state.folders)
        }
        for process in processes { kill(process, SIGKILL) }
        for process in processes {
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
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
            clearAway()
            _exit(128 + number)
        }
        thread.start()
    }
}
