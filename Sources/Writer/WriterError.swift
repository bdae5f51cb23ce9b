// Why the writer did not do what it was asked.

import Foundation
import GRDB
import LedgerStore

package enum WriterError: Error, CustomStringConvertible {
    /// Too much waits already: the same again a moment later.
    case queueFull
    /// The daemon is going down.
    case stopping
    /// No room on the disk; goes on by itself when there is.
    case diskFull(String)
    /// Another program, as a shell, holds the file's own lock for longer than meterd waits.
    case busy
    /// Reading or writing failed: nothing is known of what reached the disk.
    case brokenDisk(String)
    case failed(any Error)

    init(_ error: any Error) {
        switch error {
        case let error as WriterError: self = error
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL: self = .diskFull("\(error)")
        case let error as DatabaseError where error.resultCode == .SQLITE_BUSY: self = .busy
        case let error as DatabaseError where error.resultCode == .SQLITE_IOERR: self = .brokenDisk("\(error)")
        default: self = .failed(error)
        }
    }

    package var description: String {
        switch self {
        case .queueFull: "too many events are waiting to be stored; send the same again in a moment"
        case .stopping: "the daemon is stopping; ask again when it is back, nothing is done twice"
        case .busy: "another program keeps the ledger's file locked; end it (a shell with an open transaction?)"
        case .diskFull(let text): "the disk is full, nothing was stored: \(text)"
        case .brokenDisk(let text): "the disk failed, meterd stops writing: \(text)"
        case .failed(let error): "\(error)"
        }
    }
}
