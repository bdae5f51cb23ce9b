// Why the writer did not do what it was asked.

import GRDB
package import LedgerStore
import Storage

package indirect enum WriterError: Error, CustomStringConvertible {
    /// Too much waits already: the same again a moment later.
    case queueFull
    /// The daemon is going down.
    case stopping
    /// No room on the disk; goes on by itself when there is.
    case diskFull
    /// Another program, as a shell, holds the file's own lock for longer than meterd waits.
    case busy
    /// A reader keeps the file's log from being emptied, and it has reached its bound: goes on by itself when the reader
    /// has gone.
    case logHeld(mostBytes: Int)
    /// The file was moved, removed or replaced: goes on when it is back.
    case replaced
    /// Another program has changed the schema, in these ways: goes on when that is undone.
    case alteredSchema(differences: [String])
    /// Reading or writing failed, or the file is damaged: nothing more may be written by this process.
    case broken(String)
    /// The machine's clock shows an instant that nothing speaks for, or was never set: goes on by itself when it is right.
    case clockNotBelieved(LedgerError)
    /// What was asked can't be done; the ledger is well.
    case failed(any Error)
    /// A large request failed after some of its events had been stored, for a reason that would otherwise say that nothing
    /// was.
    case partlyStored(events: Int, WriterError)

    package init(_ error: any Error) {
        switch error {
        case let error as WriterError: self = error
        case StorageError.damaged(_, let reason), StorageError.diskFailed(_, let reason): self = .broken(reason)
        case StorageError.diskFull: self = .diskFull
        case StorageError.busy: self = .busy
        case StorageError.replaced: self = .replaced
        case StorageError.alteredSchema(_, let differences): self = .alteredSchema(differences: differences)
        case StorageError.logHeld(_, let mostBytes): self = .logHeld(mostBytes: mostBytes)
        case let error as LedgerError where error.isOfMachineClock: self = .clockNotBelieved(error)
        case let error as DatabaseError where error.resultCode == .SQLITE_NOTADB:
            self = .broken(error.message ?? "\(error.extendedResultCode)")
        default: self = .failed(error)
        }
    }

    /// Whether one sender's events can be the cause, so that others are to be tried without them.
    var maySpareOthers: Bool {
        switch self {
        case .failed: true
        case .partlyStored(_, let error): error.maySpareOthers
        default: false
        }
    }

    /// Whether it stands in the way of whatever is stored, for longer than a moment.
    var holdsAll: Bool {
        switch self {
        case .diskFull, .busy, .logHeld, .replaced, .alteredSchema, .broken, .clockNotBelieved: true
        case .queueFull, .stopping, .failed: false
        case .partlyStored(_, let error): error.holdsAll
        }
    }

    package var description: String { words(outcome: ", nothing was stored") }

    /// - Parameter outcome: what became of the events, where the cause alone does not tell; follows a clause.
    private func words(outcome: String) -> String {
        switch self {
        case .queueFull: "too many events are waiting to be stored\(outcome); send the same again in a moment"
        case .stopping: "the daemon is stopping; send the same again when it is back, nothing is done twice"
        case .diskFull: "the disk is full\(outcome); free some space and send the same again"
        case .busy:
            "another program keeps the ledger's file locked\(outcome); end that program, perhaps an sqlite3 shell "
                + "with an open transaction, and send the same again"
        case .logHeld(let mostBytes):
            "another program has been reading the ledger's file for so long that its log has reached the bound of "
                + "\(mostBytes >> 20) MiB (max_wal_bytes)\(outcome); end that program, perhaps an sqlite3 shell with "
                + "an open transaction or a long meterd command, and send the same again"
        case .replaced:
            "the ledger's file was moved, removed or replaced while the daemon had it open\(outcome); move it "
                + "back, or stop the daemon and start it with the right file"
        case .alteredSchema(let differences):
            "the schema of the ledger's file was changed while the daemon had it open (\(StorageError.first(of: differences)))"
                + "\(outcome): a foreign trigger or index changes what is counted. Take away what was added, with sqlite3, "
                + "see what 'meterd verify' says, and send the same again"
        case .broken(let reason):
            "the file can't be read or written (\(reason)); meterd stops writing: when the disk is well again (see the "
                + "kernel's log), start it and send the same again, nothing is counted twice"
        case .clockNotBelieved(let error): "\(error)"
        case .failed(let error): "\(error)"
        case .partlyStored(let events, let error): Self.beginning(afterStoring: events) + error.words(outcome: "")
        }
    }

    /// What is said before the cause where only the beginning of a request was stored.
    package static func beginning(afterStoring events: Int) -> String {
        "the first \(events) events of the request are stored; send the same again, nothing is counted twice. For the "
            + "others: "
    }
}
