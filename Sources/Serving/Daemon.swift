// The daemon: one ledger open for writing, its HTTP address, its socket for commands, its nightly job.

import Forwarding
import Foundation
import HTTPAPI
import Hummingbird
package import LedgerStore
package import Logging
import NIOCore
import Operations
import ServiceLifecycle
package import Settings
import Storage
import Systemd
import UnixSignals
import Writer

package enum DaemonStartError: Error, CustomStringConvertible {
    case alreadyServed(ledger: String, holder: String)
    case cannotListen(address: String, reason: String)

    package var description: String {
        switch self {
        case .alreadyServed(let ledger, let holder):
            "\(ledger) is open in \(holder), perhaps another daemon; a ledger has one: stop that one first"
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason); is another program there? Choose another address with --listen"
        }
    }
}

/// Serves a ledger until it is told to stop.
package struct Daemon: Sendable {
    private let settings: Settings
    private let clock: LedgerClock
    private let logger: Logger

    /// How long stopping may take, from the signal on: connections that are still at work then are cut.
    private static let drainSeconds = 3
    /// How long to wait for a command that writes the ledger just now.
    private static let lockSeconds = 20

    /// - Parameter clock: the daemon's own.
    package init(settings: Settings, clock: LedgerClock, logger: Logger) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// Returns after a signal to stop, when all that was acknowledged is in the file.
    ///
    /// - Throws: ``DaemonStartError``, `StorageError`, `LedgerError` at the start; `WriterError` when the disk fails.
    package func run() async throws {
        let path = settings.database
        let manager = ServiceManager(logger: logger)
        let ledger = try open(path)
        let properties = ledger.properties
        let writer = LedgerWriter(ledger: ledger, bounds: writerBounds, logger: logger)
        do {
            let listener = try CommandListener(ledger: path, writer: writer)
            defer { listener.finish() }
            let reader = try LedgerReader(path: path)
            let router = Self.router(path, writer, reader, clock)
            let (nightlyStart, nightlyStarts) = AsyncStream<Never>.makeStream()
            let (watchStart, watchStarts) = AsyncStream<Never>.makeStream()
            let nightly = NightlyRating(
                writer: writer, clock: clock, reader: reader, timeZone: properties.timeZone, rateAt: settings.rateAt,
                listening: nightlyStart, logger: logger)
            let clockWatch = ClockWatch(
                writer: writer, clock: clock, reader: reader, hasTestClock: properties.hasTestClock,
                listening: watchStart, logger: logger)
            do {
                // Before the writer frees the ledger's lock: the next daemon makes a socket of the same name.
                defer { listener.stopListening() }
                try await serve(
                    router, [nightly, clockWatch, Watchdog(writer: writer, manager: manager)], writer, manager,
                    onListening: {
                        nightlyStarts.finish()
                        watchStarts.finish()
                    })
            }
            await writer.stop()
            logger.notice("stopped")
        } catch {
            await writer.stop()
            throw error
        }
    }

    private func open(_ path: String) throws -> sending OpenLedger {
        let file: LedgerFile
        do {
            file = try LedgerFile.openForWriting(
                at: path, waitSeconds: Self.lockSeconds, mostLogBytes: settings.maxWALBytes,
                onWait: { logger.notice("waiting for the writer of the ledger", metadata: ["holder": "\($0)"]) },
                onUpgrade: {
                    logger.notice("bringing the ledger up to this version", metadata: ["kept_as_it_was": "\($0)"])
                })
        } catch StorageError.locked(let path, let holder) {
            throw DaemonStartError.alreadyServed(ledger: path, holder: holder)
        }
        let ledger = try OpenLedger(file: file)
        do {
            try ledger.makeReady(clock: clock)
        } catch let error as LedgerError where error.isOfMachineClock {
            // Reading goes on, and everything else once the clock is right; the clock's watch tells of it.
        } catch LedgerError.testClockNotSet {
            // Each request says what time it is.
        }
        return ledger
    }

    private var writerBounds: LedgerWriter.Bounds {
        var bounds = LedgerWriter.Bounds()
        bounds.queuedBytes = settings.maxQueueBytes
        bounds.queuedRequests = settings.maxQueueRequests
        return bounds
    }

    private func door(_ writer: LedgerWriter) -> EventDoor {
        var bounds = EventDoor.Bounds()
        bounds.bodyBytes = settings.maxBodyBytes
        bounds.expandedBytes = settings.maxExpandedBytes
        bounds.allBytes = settings.maxQueueBytes
        bounds.seconds = settings.requestTimeoutSeconds
        return EventDoor(writer: writer, clock: clock, bounds: bounds)
    }

    /// Every route of the daemon but that of events, which the door takes.
    private static func router(
        _ path: String, _ writer: LedgerWriter, _ reader: LedgerReader, _ clock: LedgerClock
    ) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        StateRoutes(ledger: path, writer: writer, reader: reader, clock: clock).add(to: router)
        ReadRoutes(reader: reader).add(to: router)
        return router
    }

    private func serve(
        _ router: Router<BasicRequestContext>, _ services: [any Service], _ writer: LedgerWriter,
        _ manager: ServiceManager, onListening: @escaping @Sendable () -> Void
    ) async throws {
        let address: BindAddress =
            switch settings.listen {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        ProcessLimits.tellOfMemory(logger)
        let application = Application(
            router: router,
            server: ServedConnection.builder(door(writer)),
            configuration: ApplicationConfiguration(
                address: address, serverName: ServedConnection.serverName,
                availableConnectionsDelegate: .maximum(
                    ProcessLimits.makeRoom(forConnections: settings.maxConnections, logger), logger: logger)),
            onServerRunning: { channel in
                let address = channel.localAddress.map { Self.text($0) } ?? "\(settings.listen)"
                logger.notice(
                    "serving", metadata: ["ledger": "\(settings.database)", "address": "\(address)"])
                manager.ready(status: "serving \(settings.database) on \(address)")
                onListening()
            }, logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }
                + [
                    .init(service: application),
                    .init(service: StopSignal(writer: writer, manager: manager, logger: logger)),
                    .init(
                        service: FailureWatch(writer: writer, logger: logger),
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Duration.seconds(Self.drainSeconds)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError {
            throw DaemonStartError.cannotListen(
                address: "\(settings.listen)", reason: String(cString: strerror(error.errnoCode)))
        } catch is CancellationError {
            // Asked to stop; connections that were still at work after the drain have been cut.
        }
    }

    private static func text(_ address: SocketAddress) -> String {
        if let path = address.pathname, !path.isEmpty { return "unix:\(path)" }
        let host = address.ipAddress ?? "?"
        return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
    }
}
