// meterd backup: a whole, proven copy of the ledger, made while it is written.

import ArgumentParser
import Forwarding
import LedgerStore
import Operations
import Storage

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the ledger while it is written, and prove the copy.",
        discussion: """
            The copy has all that was acknowledged before this command began. It is made beside its name, as \
            FILE.making, goes through all checks of 'meterd verify', and gets the name once it is on the disk; the head that is \
            printed is that of 'meterd verify'. It is one plain file: copy it wherever you like, read it with sqlite3, bring \
            it back with 'meterd restore'. A file is never overwritten. A FILE.making that stays is of a backup that was \
            killed; remove it, or make the same backup again.

            Where a daemon has the ledger open, it makes the copy in small parts between events, which wait for a few \
            milliseconds; other commands that write, and the nightly rating, wait until all parts are done, and not for the \
            checks. So the daemon must be able to write the file; as a service it may write its own folder only. Where none \
            has it open, a ledger of an earlier version is first brought up to this one, as by every command that writes.
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
            throw Failure("the copy does not stand where the ledger stood, so \(file) was not made; try again")
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
