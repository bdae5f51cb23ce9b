// meterd serve: the daemon.

import ArgumentParser
import Foundation
import LedgerStore
import Logging
import Serving
import Settings
import Systemd

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a ledger: take events over HTTP, rate every night.",
        discussion: """
            Settings are read from the configuration file (--config, otherwise METERD_CONFIG, otherwise \
            \(Settings.standardFile) if it exists). METERD_ variables override the file, and options override both. While \
            the daemon runs, commands that write send their work to it. SIGTERM stops it once everything acknowledged is in \
            the file.

            With --now its own clock, a test clock, stands at that time, or at the latest instant recorded if that is later.
            """)

    @OptionGroup var options: LedgerOptions

    @Option(help: ArgumentHelp("The configuration file, YAML.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("HOST:PORT or unix:/PATH (default: 127.0.0.1:8620).", valueName: "address"))
    var listen: String?

    func run() async throws {
        var given: [String: (name: String, text: String)] = [:]
        if let database = options.file.database { given["database"] = ("--db", database) }
        if let listen { given["listen"] = ("--listen", listen) }
        let settings = try Settings.load(
            file: config, environment: ProcessInfo.processInfo.environment, options: given)
        let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        LoggingSystem.bootstrap { [output = LogOutput()] _ in
            var handler = JournalLogHandler(output)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "meterd")
        let clock = LedgerClock(given: options.now, isFrozen: options.now != nil)
        try await Daemon(settings: settings, clock: clock, logger: logger).run()
    }
}
