// meterd backup: a whole, proven copy of the ledger, made while it is written.

import ArgumentParser
import Forwarding
import LedgerStore
import Operations
import Storage

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the ledger, also while it is in use, and check the copy.",
        discussion: """
            The copy holds everything that was acknowledged before this command began. It is written as FILE.making, goes \
            through all checks of 'meterd verify', and is named FILE once it is on the disk. The head that is printed is \
            the one that 'meterd verify --head' prints. The copy is one plain file: move it where you like, read it with \
            sqlite3, bring it back with 'meterd restore'. A file that exists is never overwritten. If a FILE.making is left, \
            its backup was killed: remove it, or make the same backup again.

            If a daemon has the ledger open, the daemon makes the copy, in small parts between events, which wait for a few \
            milliseconds. Other commands that write, and the nightly rating, wait until all parts are copied, but not for \
            the checks. The daemon must be able to write FILE; as a service it may write only its own folder. If no daemon \
            has the ledger open, a ledger of an earlier version is first brought up to this one, as by every command that \
            writes.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("The file to make.", valueName: "file"))
    var file: String

    func run() throws {
        let (draft, mark) = try copy()
        let copy = try LedgerFile.openForReading(at: draft.making)
        let proof = try LedgerProof(of: copy) {
            "the copy has \($0), so \(file) was not made; see what 'meterd verify' says of the ledger. To keep a copy all "
                + "the same: sqlite3 -readonly LEDGER \".backup FILE\""
        }
        guard try copy.read({ try LedgerMark.read($0) }) == mark else {
            throw Failure(
                "the copy differs from the ledger at the end of copying, so \(file) was not made; run the command again"
            )
        }
        try copy.close()
        try draft.publish()
        proof.print(output, "\(file) made", file: file)
    }

    /// The ledger is let go when this returns: proving the copy keeps nobody waiting.
    private func copy() throws -> (FileDraft, LedgerMark) {
        let path = try options.file.path()
        let ledger = try options.openForWriting()
        guard !LedgerFile.isOwnName(file, of: path) else { throw StorageError.ledgersOwnName(file) }
        let draft = try FileDraft(of: file, like: path, ownerOf: path)
        let mark = try draft.flushing { try ledger.perform(CopyLedger(into: draft.address), clock: options.clock) }
        return (draft, mark)
    }
}
