// What SQLite's codes say of the disk and of other programs: no room, a failure, a damaged page, a lock.

import CSQLiteSettings
import Foundation
import GRDB
import GRDBSQLite

extension StorageError {
    /// - Parameter systemError: the error number of the call that failed; 0 where it is not known.
    /// - Returns: nil for an error that is about something else.
    init?(_ error: DatabaseError, path: String, systemError: @autoclosure () -> Int32) {
        self.init(error.extendedResultCode, message: error.message, path: path, systemError: systemError())
    }

    init?(_ code: ResultCode, message: String?, path: String, systemError: @autoclosure () -> Int32) {
        switch code.primaryResultCode {
        case .SQLITE_CORRUPT:
            // Of a page that the disk does not give, statements say that it is malformed.
            let systemError = systemError()
            if Self.unreadable.contains(systemError) {
                self = .diskFailed(path: path, reason: "reading: \(String(cString: strerror(systemError)))")
            } else {
                self = .damaged(path: path, reason: message ?? "a page can't be read")
            }
        case .SQLITE_BUSY: self = .busy(path)
        case .SQLITE_FULL: self = .diskFull(path)
        case .SQLITE_IOERR:
            let systemError = systemError()
            if Self.growing.contains(code), Self.noRoom.contains(systemError) {
                self = .diskFull(path)
            } else {
                let reason = systemError == 0 ? message ?? "disk I/O error" : String(cString: strerror(systemError))
                self = .diskFailed(path: path, reason: "\(Self.doing(code)): \(reason)")
            }
        default: return nil
        }
    }

    /// Writes that make a file longer, the shared memory of a new connection among them. A sync that finds no room is a
    /// sync that failed.
    private static let growing: [ResultCode] = [
        .SQLITE_IOERR_WRITE, .SQLITE_IOERR_SHMOPEN, .SQLITE_IOERR_SHMSIZE, .SQLITE_IOERR_SHMMAP,
    ]
    /// The disk, the user's quota, the largest file that the system allows. SQLite knows only the first, in the file itself.
    private static let noRoom = [ENOSPC, EDQUOT, EFBIG]

    /// What SQLite takes for a damaged file system when it reads.
    private static let unreadable = [EIO, ENXIO, ERANGE]

    /// Whether it is about reading, or may be.
    static func isOfReading(_ code: ResultCode) -> Bool {
        switch code {
        case .SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ, .SQLITE_IOERR_DATA, .SQLITE_IOERR_CORRUPTFS: true
        default: code.primaryResultCode == .SQLITE_CORRUPT
        }
    }

    private static func doing(_ code: ResultCode) -> String {
        switch code {
        case .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC: "syncing"
        case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_TRUNCATE, .SQLITE_IOERR_SHMSIZE: "writing"
        default: isOfReading(code) ? "reading" : "input or output"
        }
    }
}

/// The files of a database that are written.
enum WrittenFile: Int32 {
    case database = 0
    case log = 1

    /// The error number of the last call that failed on these files, asked in their order; 0 where there was none.
    static func lastError(of files: [WrittenFile], _ connection: OpaquePointer?) -> Int32 {
        guard let connection else { return 0 }
        return files.lazy.map { meterd_sqlite_last_error(connection, $0.rawValue) }.first { $0 != 0 } ?? 0
    }

    /// That of opening them, or else of what was written then.
    static func openingError(_ connection: OpaquePointer?) -> Int32 {
        let error = connection.map { sqlite3_system_errno($0) } ?? 0
        return error == 0 ? lastError(of: [.log, .database], connection) : error
    }
}
