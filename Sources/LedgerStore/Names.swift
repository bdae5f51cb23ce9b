// Between the ids inside the file and the codes that people see.

package import GRDB
package import Quantities

/// Codes by id, read once for a command or run.
package struct Names: Sendable {
    fileprivate let tenants: [Int64: Code]
    fileprivate let apps: [Int64: Code]
    fileprivate let items: [Int64: Code]
    fileprivate let grants: [Int64: Code]

    package init(_ database: Database) throws {
        func codes(_ sql: String) throws -> [Int64: Code] {
            var codes: [Int64: Code] = [:]
            let rows = try Row.fetchCursor(database, sql: sql)
            while let row = try rows.next() { codes[row[0]] = stored(row[1]) }
            return codes
        }
        tenants = try codes("SELECT tenant_id, code FROM tenant")
        apps = try codes("SELECT app_id, code FROM app")
        items = try codes("SELECT item_id, code FROM item")
        grants = try codes("SELECT grant_id, code FROM \"grant\"")
    }

    package func app(_ id: Int64) throws -> Code { try known(apps[id], "app", id) }
    package func item(_ id: Int64) throws -> Code { try known(items[id], "item", id) }
    package func grant(_ id: Int64) throws -> Code { try known(grants[id], "grant", id) }

    private func known(_ code: Code?, _ kind: String, _ id: Int64) throws -> Code {
        guard let code else { throw DatabaseError(message: "an entry names \(kind) \(id), which is not there") }
        return code
    }
}

/// Ids by code.
struct IDs: Sendable {
    let tenants: [Code: Int64]
    let apps: [Code: Int64]
    let items: [Code: Int64]
    let grants: [Code: Int64]

    init(_ names: Names) {
        func ids(_ codes: [Int64: Code]) -> [Code: Int64] {
            Dictionary(uniqueKeysWithValues: codes.lazy.map { ($0.value, $0.key) })
        }
        tenants = ids(names.tenants)
        apps = ids(names.apps)
        items = ids(names.items)
        grants = ids(names.grants)
    }
}
