// The command `meterd`: its subcommands, and how an error becomes a message and an exit status.

package import ArgumentParser
import Foundation
import Settings
import Storage

/// Exit status: 0 done, 1 it failed or something is wrong, 3 the ledger needs a newer meterd, 64 wrong usage or configuration.
package struct Meterd: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "meterd",
        abstract: "Meters a mobile platform's usage and keeps its billing ledger.",
        discussion: """
            The ledger is one SQLite file: the one that --db names, otherwise METERD_DB, otherwise the configuration file, \
            otherwise ./meterd.db. You can read it with 'sqlite3 -readonly' at any time. To make a first ledger:

              meterd init
              meterd tenant add acme
              meterd app add shop --tenant acme
              meterd ingest events.ndjson
              meterd rate --date today
              meterd ledger

            'meterd help ingest' shows an event. Days are those of the ledger's time zone; write them as 2027-01-10, today \
            or yesterday.
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, TenantCommand.self, AppCommand.self, GrantCommand.self, PriceBookCommand.self,
            IngestCommand.self, ReplayCommand.self, RateCommand.self, UsageCommand.self, LedgerCommand.self,
            BillCommand.self, StatementCommand.self, VerifyCommand.self, BackupCommand.self, RestoreCommand.self,
            ClockCommand.self, QuarantineCommand.self, DeviceCommand.self, ServeCommand.self, GenerateCommand.self,
        ])

    package init() {}

    /// Runs the command line and ends the process.
    package static func run() async -> Never {
        // A file that is larger than the system allows (ulimit -f) is an error of writing, like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        // Nothing that is made is for users outside the group, whatever the user's own mask allows.
        umask(umask(0o077) | 0o007)
        if let unknown = UnknownCommand(CommandLine.arguments.dropFirst()) { unknown.exit() }
        do {
            var command = try parseAsRoot()
            if var daemon = command as? any AsyncParsableCommand {
                try await daemon.run()
            } else {
                try command.run()
            }
            exit()
        } catch let error as ExitCode {
            exit(withError: error)
        } catch let error where error is ValidationError || exitCode(for: error) == .validationFailure {
            // The parser's own message, which repeats arguments as they were given.
            let message = fullMessage(for: error)
            Terminal.error(UnknownOption(message)?.message ?? message)
            Foundation.exit(ExitCode.validationFailure.rawValue)
        } catch let error where exitCode(for: error) == .success {
            // Help and version.
            exit(withError: error)
        } catch {
            Terminal.error("meterd: \(error)")
            switch error {
            case is WrongUsage: Foundation.exit(ExitCode.validationFailure.rawValue)
            case let error as StorageError where error.isNewerSchema: Foundation.exit(3)
            // A configuration is usage too: a service that is restarted would only fail again.
            case is SettingsProblems: Foundation.exit(64)
            default: Foundation.exit(1)
            }
        }
    }
}

/// Options that are wrong together, which only the ledger could tell.
struct WrongUsage: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A command that ran and found, or met, something that is wrong; the message says what.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
