// meterd restore: a ledger out of a backup, proven before it is one.

import ArgumentParser
import LedgerStore
import Storage

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Check a backup and make a ledger of it.",
        discussion: """
            The new ledger goes through all checks of 'meterd verify', is brought up to this version of meterd if the \
            backup is of an earlier one, and gets its name once it is on the disk. The head that is printed is the one that \
            'meterd backup' printed. The backup stays as it is.

            There must be no ledger of that name: stop the daemon, move the ledger away with its -wal and -shm, then restore \
            as the user who owns the ledger's folder.

            Everything that was recorded after the backup was made is missing. Send the events since then again, as far as \
            senders still have them; events that are in the backup are not counted twice. Record tenants, apps and purchases \
            again, and erase again the devices that were erased since. Chain heads that were noted after the backup are no \
            longer in the ledger: note a new one with 'meterd verify --head'.
            """)

    @OptionGroup var file: FileOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("The backup.", valueName: "backup"))
    var backup: String

    func run() throws {
        let path = try file.path()
        var proof: LedgerProof?
        try LedgerFile.restore(backup, as: path) { copy in
            proof = try LedgerProof(of: copy, machine: .system) {
                "\(backup) has \($0), so nothing was restored; restore another backup"
            }
        }
        proof?.print(output, "\(path) restored from \(backup)", file: path)
        guard output.format == .text else { return }
        Terminal.print("what was recorded after the backup was made is missing; see 'meterd restore --help'")
    }
}
