// How findings name rows: by their codes, or by number where a code is missing.

import GRDB
import Quantities

/// Codes by id. A broken file may refer to what is not there, so nothing here insists.
struct Labels {
    private let apps: [Int64: String]
    private let items: [Int64: String]
    private let tenants: [Int64: String]
    private let grants: [Int64: String]

    init(_ database: Database) throws {
        func codes(_ sql: String) throws -> [Int64: String] {
            var codes: [Int64: String] = [:]
            for row in try Row.fetchAll(database, sql: sql) { codes[row[0]] = row[1] }
            return codes
        }
        apps = try codes("SELECT app_id, code FROM app")
        items = try codes("SELECT item_id, code FROM item")
        tenants = try codes("SELECT tenant_id, code FROM tenant")
        grants = try codes("SELECT grant_id, code FROM \"grant\"")
    }

    func app(_ id: Int64) -> String { "app \(apps[id] ?? "number \(id)")" }
    func item(_ id: Int64) -> String { "item \(items[id] ?? "number \(id)")" }
    func tenant(_ id: Int64) -> String { "tenant \(tenants[id] ?? "number \(id)")" }
    func grant(_ id: Int64) -> String { "grant \(grants[id] ?? "number \(id)")" }

    func counter(app: Int64, item: Int64, usageDay: Int64, postingDay: Int64) -> String {
        "\(self.app(app)), \(self.item(item)), usage day \(day(usageDay)), posting day \(day(postingDay))"
    }
}

func day(_ number: Int64) -> Day { Day(Int(number)) }
