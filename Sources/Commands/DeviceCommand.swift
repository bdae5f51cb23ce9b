// meterd device: erases a device's id, which is personal data.

import ArgumentParser
import Forwarding
import Operations
import Quantities

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Erase device ids.", subcommands: [Erase.self])

    struct Erase: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a device's id; what it counted stays, and if it returns it does not count twice.",
            discussion: """
                The text of the id is removed from the ledger; a keyed fingerprint stays in its place. Refused events in \
                quarantine may still name the device: see 'meterd quarantine drop'. Backups keep what they hold.
                """)

        @OptionGroup var options: ChangeOptions

        @Argument(help: "The device's id, as its events name it.")
        var device: String

        @Option(help: "The app that has the device.", transform: Arguments.code)
        var app: Code

        func run() throws {
            _ = try options.openForWriting().perform(EraseDevice(device: device, app: app), clock: options.clock)
            Terminal.print("device erased from app \(app)")
        }
    }
}
