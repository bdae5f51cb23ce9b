// Rows that are gathered and inserted many at a time: starting a statement costs more than a row.

package import GRDB

/// Inserts into one table. What was added is in the table after ``flush()``, within the same transaction.
///
/// Owned by the one writer. Texts are not copied and must live until then.
package final class BulkInsert {
    /// The sizes of the statements that rows are spread over; a flush of any number of rows takes few of them.
    private static let sizes = [32, 4, 1]

    private let statements: [(rows: Int, statement: RawStatement)]
    private let integerColumns: Int
    private let textColumns: Int
    @exclusivity(unchecked) private var integers: ContiguousArray<Int64> = []
    @exclusivity(unchecked) private var texts: ContiguousArray<UnsafeBufferPointer<UInt8>> = []
    @exclusivity(unchecked) private var rows = 0

    /// - Parameters:
    ///   - table: with its columns, integers first, then texts: `device (device_id, name)`.
    ///   - suffix: what follows the values, as `ON CONFLICT …`.
    /// - Throws: `DatabaseError` when the SQL does not compile.
    package init(
        _ database: Database, into table: String, integers: Int, texts: Int = 0, suffix: String = ""
    ) throws {
        integerColumns = integers
        textColumns = texts
        let row = "(" + Array(repeating: "?", count: integers + texts).joined(separator: ", ") + ")"
        statements = try Self.sizes.map { size in
            let values = Array(repeating: row, count: size).joined(separator: ", ")
            // What fails ends the transaction anyway. OR FAIL says so to SQLite, which else keeps a copy of every page
            // that a statement of several rows changes, to take back the statement alone.
            return (size, try RawStatement(database, "INSERT OR FAIL INTO \(table) VALUES \(values) \(suffix)"))
        }
        self.integers = ContiguousArray(repeating: 0, count: integers * Self.sizes[0])
        self.texts = ContiguousArray(repeating: UnsafeBufferPointer(start: nil, count: 0), count: texts * Self.sizes[0])
    }

    /// Adds a row.
    ///
    /// - Parameter fill: is given the row's integers and its texts to set.
    @inline(__always)
    package func add(
        _ fill: (UnsafeMutablePointer<Int64>, UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>) -> Void
    ) throws {
        integers.withUnsafeMutableBufferPointer { integers in
            texts.withUnsafeMutableBufferPointer { texts in
                fill(
                    integers.baseAddress.unsafelyUnwrapped + rows * integerColumns,
                    (texts.baseAddress ?? Self.none) + rows * textColumns)
            }
        }
        rows += 1
        if rows == Self.sizes[0] { try flush() }
    }

    /// Stands for the texts of a table that has none.
    nonisolated(unsafe) private static let none = UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>.allocate(capacity: 1)

    /// Inserts what has been added.
    ///
    /// - Throws: `DatabaseError`; then the transaction is to be rolled back.
    package func flush() throws {
        guard rows > 0 else { return }
        defer { rows = 0 }
        var first = 0
        for (size, statement) in statements {
            while rows - first >= size {
                bind(first..<first + size, to: statement)
                try statement.run()
                first += size
            }
        }
    }

    private func bind(_ rows: Range<Int>, to statement: RawStatement) {
        var index: Int32 = 1
        for row in rows {
            for column in 0..<integerColumns {
                statement.bind(index, integers[row * integerColumns + column])
                index += 1
            }
            for column in 0..<textColumns {
                statement.bind(index, text: texts[row * textColumns + column])
                index += 1
            }
        }
    }

    /// Forgets what has been added: the transaction was rolled back.
    package func forget() { rows = 0 }
}
