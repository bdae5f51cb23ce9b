// A page of a collection, straight from the rows of a query to the text of the answer.

import GRDB
import LedgerStore
import Quantities

/// Makes pages. They are found by the key of the last row before them, so that no row comes twice or is passed over
/// because others were added meanwhile.
enum ReadPage {
    /// A page ends after this many bytes even if it has fewer rows than were asked for: it is in memory until the client
    /// has read it.
    static let maxBytes = 1 << 20

    /// Up to this many rows that an index finds are sorted by their row ids; of more, each page is found by going
    /// through the table in its order, in which they cannot be rare.
    static let maxSortedRows = 20_000

    /// A statement and what is bound to it.
    struct Query {
        var sql: String
        var arguments: [DatabaseValue]
    }

    /// `{"items":[…],"next":"…"}` in UTF-8; of a rated collection with `as_of` and `stale` as well.
    static func json(_ query: ReadQuery, of resource: ReadResource, _ database: Database) throws -> [UInt8] {
        let statement = try select(query, of: resource, database)
        let rows = try Row.fetchCursor(
            database, sql: statement.sql, arguments: StatementArguments(statement.arguments))
        let names = resource.columns.map { Array(#""\#($0.name)":"#.utf8) }
        var bytes = Array(#"{"items":["#.utf8)
        var count = 0
        var lastKey: [DatabaseValue] = []
        var next: String?
        while let row = try rows.next() {
            guard count < query.limit, bytes.count < maxBytes else {
                next = Cursor.text(lastKey, of: resource)
                break
            }
            if count > 0 { bytes.append(UInt8(ascii: ",")) }
            for (index, column) in resource.columns.enumerated() {
                bytes.append(UInt8(ascii: index == 0 ? "{" : ","))
                bytes += names[index]
                column.kind.append(row[index], query.numbers, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
            lastKey = resource.key.indices.map { row[resource.columns.count + $0] }
            count += 1
        }
        bytes += #"],"next":"#.utf8
        (next.map(JSONValue.string) ?? .null).append(to: &bytes)
        if resource.isRated { try appendAge(to: &bytes, database) }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// When the last rating began, and whether something that rating depends on has changed since.
    private static func appendAge(to bytes: inout [UInt8], _ database: Database) throws {
        let micros = try Int64.fetchOne(
            database, sql: "SELECT started_at FROM rating_run ORDER BY run_id DESC LIMIT 1")
        let asOf: JSONValue = micros.map { .string(Instant(micros: $0).description) } ?? .null
        bytes += #","as_of":"#.utf8
        asOf.append(to: &bytes)
        bytes += #","stale":"#.utf8
        JSONValue.boolean(try LedgerState.read(database).hasUnratedChanges).append(to: &bytes)
    }

    /// The columns, then the key; a row more than the page has, to know whether there is another page.
    static func select(_ query: ReadQuery, of resource: ReadResource, _ database: Database) throws -> Query {
        let key = resource.key.map { resource.column($0).isNullable ? "coalesce(\($0), '')" : $0 }
        let list = key.joined(separator: ", ")
        let columns = (resource.columns.map(\.name) + key).joined(separator: ", ")
        switch resource.rows {
        case .from(let rows):
            var page = conditions(query.filters)
            if let after = query.after {
                let places = key.map { _ in "?" }.joined(separator: ", ")
                page.sql += " AND (\(list)) > (\(places))"
                page.arguments += after
            }
            page.sql = "SELECT \(columns) FROM \(rows) WHERE \(page.sql) ORDER BY \(list) LIMIT \(query.limit + 1)"
            return page
        case .chosen(let table, let view):
            var page = conditions(query.filters)
            let isSorted = try isFew(query.filters.filter(\.filter.isIndexed), in: table, database)
            // A plus, or NOT INDEXED, is how SQLite is told which of the two ways to go.
            let id = isSorted ? "+\(list)" : list
            if let after = query.after {
                page.sql += " AND \(id) > ?"
                page.arguments += after
            }
            page.sql = """
                SELECT \(columns) FROM \(view)
                WHERE \(list) IN (
                    SELECT \(list) FROM \(table) \(isSorted ? "" : "NOT INDEXED")
                    WHERE \(page.sql) ORDER BY \(id) LIMIT \(query.limit + 1))
                ORDER BY \(list)
                """
            return page
        }
    }

    /// Whether an index finds the rows, and they are few enough to sort.
    private static func isFew(
        _ filters: [(filter: ReadResource.Filter, value: DatabaseValue)], in table: String, _ database: Database
    ) throws -> Bool {
        guard !filters.isEmpty else { return false }
        let found = conditions(filters)
        let count = try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM (SELECT 1 FROM \(table) WHERE \(found.sql) LIMIT \(maxSortedRows + 1))",
            arguments: StatementArguments(found.arguments))
        return count.map { $0 <= maxSortedRows } ?? false
    }

    private static func conditions(
        _ filters: [(filter: ReadResource.Filter, value: DatabaseValue)]
    ) -> Query {
        Query(
            sql: filters.isEmpty ? "true" : filters.map(\.filter.condition).joined(separator: " AND "),
            arguments: filters.map(\.value))
    }
}
