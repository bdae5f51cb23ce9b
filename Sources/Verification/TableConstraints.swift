// The bounds and references of rows, checked as the schema words them: a connection that only reads has SQLite pass over
// CHECKs, and what SQLite itself checks of references takes one transaction for a whole table.

import GRDB
import Quantities

/// What a table's rows must keep to: its named CHECK constraints, its references, and what its columns can hold.
struct TableConstraints {
    private struct Rule {
        /// Whether a row keeps to it; NULL counts as yes, as SQL has it.
        let condition: String
        /// What is told of the rows that don't.
        let offence: String
    }

    private let table: String
    private let key: [String]
    private var rules: [Rule] = []
    /// The last of the rules, where the table has columns with a range.
    private let ranges: StoredRanges

    static func all(_ database: Database) throws -> [TableConstraints] {
        let rows = try Row.fetchAll(
            database, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL ORDER BY name")
        return try rows.map { try TableConstraints(table: $0["name"], sql: $0["sql"], database) }
            .filter { !$0.rules.isEmpty || !$0.ranges.isEmpty }
    }

    /// - Parameter sql: the table's definition.
    private init(table: String, sql: String, _ database: Database) throws {
        self.table = table
        key = try String.fetchAll(
            database, sql: "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", arguments: [table]
        ).map { "\"\($0)\"" }
        rules = Self.checks(in: sql).map { Rule(condition: $0.condition, offence: "against '\($0.name)'") }
        let references = try Row.fetchAll(
            database, sql: "SELECT \"table\", \"from\" FROM pragma_foreign_key_list(?) ORDER BY \"from\"",
            arguments: [table])
        for row in references {
            let (parent, column): (String, String) = (row["table"], row["from"])
            // Each refers to an integer primary key, which is the row's number.
            rules.append(
                Rule(
                    condition: """
                        "\(column)" IS NULL
                        OR EXISTS (SELECT 1 FROM "\(parent)" AS parent WHERE parent.rowid = "\(table)"."\(column)")
                        """,
                    offence: "whose \(column) is none of table \(parent)"))
        }
        ranges = try StoredRanges(of: table, database)
        if let condition = ranges.condition { rules.append(Rule(condition: condition, offence: "out of range")) }
    }

    /// Each check of a definition reads `CONSTRAINT name CHECK (condition)`.
    static func checks(in sql: String) -> [(name: String, condition: String)] {
        var checks: [(name: String, condition: String)] = []
        var rest = Substring(sql)
        while let start = rest.firstRange(of: " CHECK (") {
            let name = rest[..<start.lowerBound].split(whereSeparator: \.isWhitespace).last ?? ""
            rest = rest[start.upperBound...]
            guard let end = Self.closing(rest) else { return checks }
            checks.append((String(name), String(rest[..<end])))
            rest = rest[end...]
        }
        return checks
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

    /// What rows break, a sentence for each rule.
    func broken(_ slices: Slices) throws -> [String] {
        let offenders = rules.isEmpty ? [] : try countOffenders(slices)
        var sentences = rules.indices.filter { offenders[$0] > 0 }.map {
            "table \(table): \(counted(offenders[$0], "row")) \(rules[$0].offence)"
        }
        var isInRange = try slices.read { try ranges.holdKeys($0) }
        if ranges.condition != nil, offenders.last != 0 {
            isInRange = false
            sentences.removeLast()
        }
        // Which column it is costs another look at the table, and only a file that is broken pays for it.
        if !isInRange { sentences += try slices.read { try ranges.offences($0) } }
        return sentences
    }

    /// How many rows break each rule.
    private func countOffenders(_ slices: Slices) throws -> [Int64] {
        var offenders = [Int64](repeating: 0, count: rules.count)
        let sums = rules.map { "coalesce(sum(NOT (\($0.condition))), 0)" }.joined(separator: ", ")
        let key = key.joined(separator: ", ")
        let marks = self.key.map { _ in "?" }.joined(separator: ", ")
        var after: [DatabaseValue]?
        // From one key to another that is so many rows behind it.
        try slices.readUntil { database in
            let beyond = after.map { _ in "(\(key)) > (\(marks))" } ?? "TRUE"
            let end = try Row.fetchOne(
                database,
                sql: """
                    SELECT \(key)
                    FROM "\(table)"
                    WHERE \(beyond)
                    ORDER BY \(key)
                    LIMIT 1 OFFSET \(slices.bounds.rowsPerSlice - 1)
                    """,
                arguments: StatementArguments(after ?? [])
            ).map { Array($0.databaseValues) }
            let until = end.map { _ in "(\(key)) <= (\(marks))" } ?? "TRUE"
            let row = try Row.fetchOne(
                database, sql: "SELECT \(sums) FROM \"\(table)\" WHERE \(beyond) AND \(until)",
                arguments: StatementArguments((after ?? []) + (end ?? [])))
            if let row { for index in rules.indices { offenders[index] += row[index] as Int64 } }
            after = end
            return end == nil
        }
        return offenders
    }
}
