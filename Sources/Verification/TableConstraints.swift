// The bounds of columns, checked as the schema words them: a connection that only reads has SQLite pass over CHECKs.

import GRDB
import Quantities

/// The named CHECK constraints of a table.
struct TableConstraints {
    private let table: String
    private var constraints: [(name: String, condition: String)] = []

    static func all(_ database: Database) throws -> [TableConstraints] {
        let rows = try Row.fetchAll(
            database, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL ORDER BY name")
        return rows.map { TableConstraints(table: $0["name"], sql: $0["sql"]) }.filter { !$0.constraints.isEmpty }
    }

    /// - Parameter sql: the table's definition; each of its checks reads `CONSTRAINT name CHECK (condition)`.
    init(table: String, sql: String) {
        self.table = table
        var rest = Substring(sql)
        while let start = rest.firstRange(of: " CHECK (") {
            let name = rest[..<start.lowerBound].split(whereSeparator: \.isWhitespace).last ?? ""
            rest = rest[start.upperBound...]
            guard let end = Self.closing(rest) else { return }
            constraints.append((String(name), String(rest[..<end])))
            rest = rest[end...]
        }
    }

    /// The parenthesis that closes the one before the text.
    private static func closing(_ text: Substring) -> String.Index? {
        var depth = 1
        for index in text.indices {
            switch text[index] {
            case "(": depth += 1
            case ")": depth -= 1
            default: break
            }
            if depth == 0 { return index }
        }
        return nil
    }

    /// What rows break, a sentence for each constraint. A condition that is NULL is kept, as SQL has it.
    func broken(_ database: Database) throws -> [String] {
        let sums = constraints.map { "coalesce(sum(NOT (\($0.condition))), 0)" }.joined(separator: ", ")
        guard let row = try Row.fetchOne(database, sql: "SELECT \(sums) FROM \"\(table)\"") else { return [] }
        return constraints.indices.compactMap { index in
            let rows: Int64 = row[index]
            return rows == 0 ? nil : "table \(table): \(counted(rows, "row")) against '\(constraints[index].name)'"
        }
    }
}
