// What watches the daemon from inside: the watchdog's food, the writer's failure, the signal to stop.

import Foundation
import Logging
import ServiceLifecycle
import Systemd
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
        } catch WriterError.diskFull, WriterError.busy, WriterError.logHeld, WriterError.alteredSchema {
            // It has answered, and a restart would make no room, nor open such a file. The writer has logged it.
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
