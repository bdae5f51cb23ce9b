// A prepared statement with raw binds and steps: the form that the ingest path uses, three times as fast as row values.

package import GRDB
import GRDBSQLite

/// One statement of one connection, used only inside that connection's transactions. Not thread-safe.
///
/// Statements are reset after each use; text and blobs are bound without a copy and must live until then.
package final class RawStatement {
    private let statement: OpaquePointer
    private let connection: OpaquePointer

    /// - Throws: `DatabaseError` when the SQL does not compile.
    package init(_ database: Database, _ sql: String) throws {
        guard let connection = database.sqliteConnection else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the connection is closed")
        }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message(of: connection), sql: sql)
        }
        self.statement = statement
        self.connection = connection
    }

    deinit { sqlite3_finalize(statement) }

    @inline(__always)
    package func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(statement, index, value) }

    @inline(__always)
    package func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(statement, index, Int64(value)) }

    package func bind(_ index: Int32, _ value: Int64?) {
        if let value { sqlite3_bind_int64(statement, index, value) } else { sqlite3_bind_null(statement, index) }
    }

    /// Binds UTF-8 text without copying it.
    @inline(__always)
    package func bind(_ index: Int32, text: UnsafeBufferPointer<UInt8>) {
        text.withMemoryRebound(to: CChar.self) {
            _ = sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), nil)
        }
    }

    /// Binds text as a copy: for what is rare. The text has no NUL, at which it would end; see ``bindable(_:as:)``.
    package func bind(_ index: Int32, copying text: String?) {
        guard let text else {
            sqlite3_bind_null(statement, index)
            return
        }
        precondition(!text.utf8.contains(0), "text with NUL is bound")
        sqlite3_bind_text(statement, index, text, -1, transient)
    }

    /// Binds bytes as a copy.
    package func bind(_ index: Int32, copying bytes: [UInt8]) {
        sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), transient)
    }

    /// Runs a statement that returns no rows, then resets it.
    ///
    /// - Throws: `DatabaseError`.
    @inline(__always)
    package func run() throws {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
    }

    /// Steps to the next row; false, and reset, when there is none.
    ///
    /// - Throws: `DatabaseError`.
    @inline(__always)
    package func step() throws -> Bool {
        let code = sqlite3_step(statement)
        if code == SQLITE_ROW { return true }
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw failure(code) }
        return false
    }

    /// Ends the use of a statement whose rows were not read to the end.
    @inline(__always)
    package func reset() { sqlite3_reset(statement) }

    @inline(__always)
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// The bytes of a text or blob column, valid until the next step or reset.
    @inline(__always)
    package func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_column_blob(statement, column)?.assumingMemoryBound(to: UInt8.self)
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
    }

    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)), message: message(of: connection))
    }
}

/// SQLITE_TRANSIENT: SQLite makes a copy of its own.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

private func message(of connection: OpaquePointer) -> String {
    sqlite3_errmsg(connection).map { String(cString: $0) } ?? "unknown error"
}
