// How findings name rows: by their codes, or by number where a code is missing.

import GRDB
import Quantities
import Rating

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

    func counter(_ place: CounterPlace, postingDay: Int64) -> String {
        "\(app(place.app)), \(item(place.item)), usage day \(day(place.usageDay)), posting day \(day(postingDay))"
    }
}

/// The counter of an app, an item and a usage day among those of a posting day.
struct CounterPlace: Hashable, Comparable {
    let app: Int64
    let item: Int64
    let usageDay: Int64

    static func < (left: CounterPlace, right: CounterPlace) -> Bool {
        (left.app, left.item, left.usageDay) < (right.app, right.item, right.usageDay)
    }
}

func day(_ number: Int64) -> Day { Day(Int(number)) }

/// The months of a few days, asked for again and again.
struct MonthsOfDays {
    private var months: [Int64: Int64] = [:]
    private var last: (day: Int64, month: Int64)?

    mutating func month(of number: Int64) -> Int64 {
        if let last, last.day == number { return last.month }
        let month = months[number] ?? Int64(day(number).month.number)
        months[number] = month
        last = (number, month)
        return month
    }
}

extension Source {
    /// Reads the text of a column, for each of many rows.
    init?(bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = Source.allCases.first(where: { $0.rawValue.utf8.elementsEqual(bytes) }) else { return nil }
        self = source
    }
}
