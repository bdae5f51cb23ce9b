// What watches the daemon from inside: the watchdog's food, the writer's failure, signals.

import Foundation
import Logging
import ServiceLifecycle
import Systemd
import UnixSignals
import Writer

/// Tells the service manager that the daemon lives, each time only after a commit has gone all the way to the disk.
struct Watchdog: Service {
    let writer: LedgerWriter
    let manager: ServiceManager

    /// A probe that takes longer is not waited for: then there is nothing to tell.
    private static let patienceSeconds = 300.0

    func run() async throws {
        guard let interval = manager.watchdogInterval else { return try await gracefulShutdown() }
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    await feed()
                    try await Task.sleep(for: interval)
                }
            }
        } catch is CancellationError {
            // Asked to stop.
        }
    }

    private func feed() async {
        do {
            guard try await writer.probe(within: Self.patienceSeconds) else { return }
        } catch WriterError.diskFull, WriterError.busy, WriterError.logHeld {
            // It has answered, and a restart would make no room. The writer has logged it.
        } catch {
            return
        }
        manager.watchdog()
    }
}

/// Ends the daemon when its disk has failed: what reached it only opening the file anew can tell.
struct FailureWatch: Service {
    let writer: LedgerWriter
    let logger: Logger

    func run() async throws {
        try await withGracefulShutdownHandler {
            for await failure in writer.failures {
                logger.critical("stopping", metadata: ["error": "\(failure)"])
                throw failure
            }
        } onGracefulShutdown: {
            writer.endFailures()
        }
    }
}

/// Says that the daemon has been told to stop, and ends a rating that would hold it up; the next one goes on.
struct StopSignal: Service {
    let writer: LedgerWriter
    let manager: ServiceManager
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        manager.stopping()
        logger.notice("stopping")
        writer.endOperations()
    }
}

/// Answers the signals that other daemons take as a request to reload or to open their logs again, and whose default is
/// to end a process without a word.
struct OtherSignals: Service {
    let logger: Logger

    /// From the start on, also while the daemon opens its ledger: then a signal is passed over.
    static func ignore() { for number in numbers { signal(number, SIG_IGN) } }

    private static let numbers = [SIGHUP, SIGUSR1, SIGUSR2]

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigusr1, .sigusr2)
        // One that is ignored comes to nobody.
        for number in Self.numbers { signal(number, SIG_DFL) }
        defer { Self.ignore() }
        do {
            try await cancelWhenGracefulShutdown {
                for await signal in signals {
                    logger.notice(
                        "nothing to reload; restart the daemon to have its settings read again",
                        metadata: ["signal": "\(signal)"])
                }
                // The sequence ends when this task is cancelled.
                try await Task.sleep(for: .seconds(365 * 86_400))
            }
        } catch is CancellationError {
            // Asked to stop.
        }
    }
}
