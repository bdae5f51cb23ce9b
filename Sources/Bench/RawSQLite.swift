// The reference R: how fast SQLite itself stores rows on this machine, without anything of meterd.

import Foundation
import GRDBSQLite

/// Rows of three integers and 16 bytes, appended with one prepared statement, with the durability that meterd has.
struct RawSQLite {
    static let rowsPerCommit = 10_000
    let rows: Int

    struct Outcome {
        let seconds: Double
        let bytesOnDisk: Int
    }

    /// From the first row to the last commit; opening and closing the file do not count.
    func run(at path: String) throws -> Outcome {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let connection = handle else {
            throw BenchFailure("cannot make \(path)")
        }
        defer { sqlite3_close(connection) }
        func execute(_ sql: String) throws {
            guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else {
                throw BenchFailure("\(sql): \(String(cString: sqlite3_errmsg(connection)))")
            }
        }
        try execute(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA wal_autocheckpoint = 4096;
            PRAGMA cache_size = -65536;
            PRAGMA secure_delete = OFF;
            CREATE TABLE row (a INTEGER, b INTEGER, c INTEGER, d BLOB);
            """)
        var statement: OpaquePointer?
        sqlite3_prepare_v3(
            connection, "INSERT INTO row (a, b, c, d) VALUES (?1, ?2, ?3, ?4)", -1, UInt32(SQLITE_PREPARE_PERSISTENT),
            &statement, nil)
        defer { sqlite3_finalize(statement) }

        let watch = Stopwatch()
        var random = SplitMix(state: 1)
        for first in stride(from: 0, to: rows, by: Self.rowsPerCommit) {
            try execute("BEGIN IMMEDIATE")
            for row in first..<min(first + Self.rowsPerCommit, rows) {
                var blob = (random.next(), random.next())
                sqlite3_bind_int64(statement, 1, Int64(row))
                sqlite3_bind_int64(statement, 2, Int64(row % 10_007))
                sqlite3_bind_int64(statement, 3, 20_473)
                let status = withUnsafeBytes(of: &blob) { bytes in
                    sqlite3_bind_blob(statement, 4, bytes.baseAddress, 16, nil)
                    return sqlite3_step(statement)
                }
                guard status == SQLITE_DONE else {
                    throw BenchFailure("inserting a row: \(String(cString: sqlite3_errmsg(connection)))")
                }
                sqlite3_reset(statement)
            }
            try execute("COMMIT")
        }
        return Outcome(seconds: watch.seconds, bytesOnDisk: FileSet.bytes(path))
    }
}

/// Random words that are the same on every machine.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
