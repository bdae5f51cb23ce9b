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
    /// - `process`: that of the daemon.
    case alreadyServed(ledger: String, process: Int32)
    case stillWritten(ledger: String, holder: String, seconds: Int)
    case cannotListen(address: String, reason: String)

    package var description: String {
        switch self {
        case .alreadyServed(let ledger, let process):
            "another daemon, process \(process), serves \(ledger) already, and a ledger has only one. Stop that daemon "
                + "first, or name another ledger with --db or METERD_DB"
        case .stillWritten(let ledger, let holder, let seconds):
            "\(ledger) is still open for writing in \(holder) after \(seconds) s. Wait until that process is done, or "
                + "stop it, and start the daemon again; or name another ledger with --db or METERD_DB"
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason); choose another address with --listen"
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
        OtherSignals.tell(logger)
        let path = settings.database
        let manager = ServiceManager(logger: logger)
        let ledger = try open(path)
        let properties = ledger.properties
        let writer = LedgerWriter(ledger: ledger, bounds: writerBounds, logger: logger)
        do {
            let listener = try CommandListener(ledger: path, writer: writer)
            defer { listener.finish() }
            let reader = try LedgerReader(path: path)
            let door = door(writer)
            let router = router(path, writer, reader, door)
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
                    router, door, [nightly, clockWatch, Watchdog(writer: writer, manager: manager)], writer, manager,
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
        try refuseSecond(path)
        let file: LedgerFile
        do {
            file = try LedgerFile.openForWriting(
                at: path, waitSeconds: Self.lockSeconds, mostLogBytes: settings.maxWALBytes,
                onWait: { holder in
                    logger.notice(
                        "waiting for the process that writes the ledger",
                        metadata: [
                            "ledger": "\(LedgerFile.resolved(path))", "holder": "\(holder)",
                            "at_most_seconds": "\(Self.lockSeconds)",
                        ])
                },
                onUpgrade: {
                    logger.notice("bringing the ledger up to this version", metadata: ["kept_as_it_was": "\($0)"])
                })
        } catch StorageError.locked(_, let holder) {
            // It may have been starting all that time.
            try refuseSecond(path)
            throw DaemonStartError.stillWritten(
                ledger: LedgerFile.resolved(path), holder: holder, seconds: Self.lockSeconds)
        }
        if let permissions = file.tooWidePermissions {
            logger.warning(
                "its permissions are wider than the 640 that meterd gives it; unless you mean that, run chmod 640",
                metadata: ["ledger": "\(LedgerFile.resolved(path))", "permissions": "\(permissions)"])
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

    /// A daemon that is being stopped no longer listens; that one is waited for.
    ///
    /// - Throws: ``DaemonStartError/alreadyServed(ledger:process:)``, ``DaemonError``.
    private func refuseSecond(_ path: String) throws {
        guard let other = try DaemonConnection(ledger: path, patienceSeconds: 1) else { return }
        throw DaemonStartError.alreadyServed(ledger: LedgerFile.resolved(path), process: other.process)
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
    private func router(
        _ path: String, _ writer: LedgerWriter, _ reader: LedgerReader, _ door: EventDoor
    ) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        StateRoutes(ledger: path, writer: writer, reader: reader, door: door).add(to: router)
        ReadRoutes(reader: reader, budget: door.budget, clock: clock).add(to: router)
        return router
    }

    private func serve(
        _ router: Router<BasicRequestContext>, _ door: EventDoor, _ services: [any Service], _ writer: LedgerWriter,
        _ manager: ServiceManager, onListening: @escaping @Sendable () -> Void
    ) async throws {
        let address = try bindAddress()
        ProcessLimits.tellOfMemory(logger)
        let application = Application(
            router: router,
            server: ServedConnection.builder(door),
            configuration: ApplicationConfiguration(
                address: address, serverName: ServedConnection.serverName,
                availableConnectionsDelegate: .maximum(
                    ProcessLimits.makeRoom(forConnections: settings.maxConnections, logger), logger: logger)),
            onServerRunning: { channel in
                limitSocket()
                // It fails only where the channel has been closed already.
                try? await AcceptPause.add(to: channel)
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
            let reason = String(cString: strerror(error.errnoCode))
            throw DaemonStartError.cannotListen(
                address: "\(settings.listen)",
                reason: error.errnoCode == EADDRINUSE ? "\(reason), another program listens there" : reason)
        } catch is CancellationError {
            // Asked to stop; connections that were still at work after the drain have been cut.
        }
    }

    /// Takes from the socket's permissions what the process's mask leaves beyond those for its user and group.
    private func limitSocket() {
        guard case .unixSocket(let path) = settings.listen, let file = FileStatus(of: path, followingLinks: false),
            file.isSocket
        else { return }
        fchmodat(AT_FDCWD, path, file.permissions & 0o660, AT_SYMLINK_NOFOLLOW)
    }

    /// - Throws: ``DaemonStartError/cannotListen(address:reason:)`` where somebody listens: what binds a Unix socket removes
    ///   the one that has the name, also when it is in use.
    private func bindAddress() throws -> BindAddress {
        switch settings.listen {
        case .tcp(let host, let port): return .hostname(host, port: port)
        case .unixSocket(let path):
            if let objection = SocketName.objection(to: path) {
                throw DaemonStartError.cannotListen(address: "\(settings.listen)", reason: objection)
            }
            return .unixDomainSocket(path: path)
        }
    }

    private static func text(_ address: SocketAddress) -> String {
        if let path = address.pathname, !path.isEmpty { return "unix:\(path)" }
        let host = address.ipAddress ?? "?"
        return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
    }
}
