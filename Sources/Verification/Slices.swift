// A ledger read in many short transactions, so that a verification may run beside whoever writes.

import GRDB
import Storage

/// The reads of one verification.
///
/// While a transaction reads, the log of the file can't be begun anew, so each reads a bounded number of rows. What is
/// compared over several of them must not move in between. So it is either what can't change any more (what is posted on
/// settled days, entries, sealed evidence), or what only grows, and is taken in to its end in the very transaction that
/// compares it.
final class Slices {
    private let file: LedgerFile
    let bounds: Verification.Bounds
    private let begin: (Database) throws -> Void
    private let between: () throws -> Void
    /// How many transactions have begun.
    private(set) var transactions = 0

    /// - Parameters:
    ///   - begin: called first in each transaction.
    ///   - between: called after each transaction.
    init(
        _ file: LedgerFile, _ bounds: Verification.Bounds, begin: @escaping (Database) throws -> Void,
        between: @escaping () throws -> Void
    ) {
        self.file = file
        self.bounds = bounds
        self.begin = begin
        self.between = between
    }

    /// Runs a block in one transaction.
    func read<Value>(_ block: (Database) throws -> Value) throws -> Value {
        transactions += 1
        let value = try file.read { database in
            try begin(database)
            return try block(database)
        }
        try between()
        return value
    }

    /// Runs a block in one transaction after another, until it says that it is done.
    func readUntil(_ isDone: (Database) throws -> Bool) throws {
        while try !read(isDone) {}
    }

    /// Takes in what only grows, in as many transactions as it takes, and runs a block in the one that came to the end.
    ///
    /// - Parameter isAtEnd: takes in a part.
    func readAtEnd<Value>(
        of isAtEnd: (Database) throws -> Bool, _ block: (Database) throws -> Value
    ) throws -> Value {
        while true {
            let value = try read { try isAtEnd($0) ? block($0) : nil }
            if let value { return value }
        }
    }

    /// Spreads the rows of tables over passes, each of which holds few enough of them to sort.
    ///
    /// - Parameters:
    ///   - most: how many rows there are at most, by their numbers.
    ///   - tables: counted where that is too many for one pass. A single gap in the numbers of a file that somebody changed
    ///     would make millions of passes.
    func passes(
        atMost most: Int, of tables: [(name: String, key: String)], bytesPerRow: Int
    ) throws -> Passes {
        let passes = Passes(rows: most, bytesPerRow: bytesPerRow, bounds)
        guard passes.all.count > 1 else { return passes }
        let rows = try tables.reduce(0) { try $0 + count($1.name, by: $1.key) }
        return Passes(rows: rows, bytesPerRow: bytesPerRow, bounds)
    }

    /// The rows of a table, counted a slice in each transaction.
    private func count(_ table: String, by key: String) throws -> Int {
        var rows = 0
        try scan("SELECT \(key) FROM \(table) WHERE \(key) > ?1 ORDER BY \(key) LIMIT ?2") { _, _ in rows += 1 }
        return rows
    }

    /// Goes through a table in the order of its key, a slice of it in each transaction.
    ///
    /// - Parameters:
    ///   - sql: selects the key's columns first, all integers, in their order; `?1` and so on stand for the key after which
    ///     it begins, the next parameter for the most rows that it returns.
    ///   - keyColumns: how many columns the key has.
    ///   - limit: the most rows of a slice, where rows are large.
    ///   - begin: called first in each transaction.
    func scan(
        _ sql: String, keyColumns: Int = 1, atMost limit: Int = .max, begin: (Database) throws -> Void = { _ in },
        _ body: (RawStatement, Database) throws -> Void
    ) throws {
        let rowsPerSlice = min(limit, bounds.rowsPerSlice)
        var key = [Int64](repeating: .min, count: keyColumns)
        try readUntil { database in
            try begin(database)
            let statement = try RawStatement(database, sql)
            for column in 0..<keyColumns { statement.bind(Int32(column + 1), key[column]) }
            statement.bind(Int32(keyColumns + 1), rowsPerSlice)
            var rows = 0
            while try statement.step() {
                rows += 1
                if rows == rowsPerSlice {
                    for column in 0..<keyColumns { key[column] = statement.integer(Int32(column)) }
                }
                try body(statement, database)
            }
            return rows < rowsPerSlice
        }
    }
}

extension Verification {
    /// How much is read and held at once.
    package struct Bounds: Sendable {
        /// The rows that a transaction reads, unless what has to be compared at once is more: the counters and entries of
        /// one posting day, the totals of one tenant.
        package var rowsPerSlice = 20_000
        /// For rows that must be sorted; where there are more, the table is read in several passes.
        package var sortedBytes = 128 << 20

        package init() {}
    }
}

/// Spreads the rows of a table over passes, each of which holds few enough of them to sort.
struct Passes {
    private let number: UInt64

    init(rows: Int, bytesPerRow: Int, _ bounds: Verification.Bounds) {
        number = UInt64(max(1, (rows * bytesPerRow + bounds.sortedBytes - 1) / bounds.sortedBytes))
    }

    var all: Range<UInt64> { 0..<number }

    /// - Parameter hash: equal for rows that must meet, evenly spread otherwise.
    @inline(__always)
    func pass(of hash: UInt64) -> UInt64 { number == 1 ? 0 : hash.multipliedFullWidth(by: number).high }
}
