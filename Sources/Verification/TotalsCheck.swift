// Whether the running sums, where rating carries on, are the sums of the entries.

import GRDB
import Quantities
import Rating
import Storage

extension Check {
    static var totals: Check {
        Check(name: "totals") { slices, findings in
            var sums = try EntrySums(slices)
            var last = Int64.min
            // Tenant by tenant, each in a transaction in which all entries are taken in.
            try slices.readUntil { database in
                guard try sums.takeIn(database) else { return false }
                let before = sums.compared
                while sums.compared - before < slices.bounds.rowsPerSlice {
                    guard let tenant = try sums.nextTenant(after: last, database) else { return true }
                    try sums.compare(tenant, database, &findings)
                    last = tenant
                }
                return false
            }
            return counted(sums.compared, "total")
        }
    }
}

/// What the entries of rating add up to, by tenant.
private struct EntrySums {
    private struct Key: Hashable, Comparable {
        let item: Int64
        let month: Int64
        let source: String
        let grant: Int64
        let tier: Int64
        let priceVersion: Int64

        static func < (left: Key, right: Key) -> Bool {
            (left.item, left.month, left.source, left.grant, left.tier, left.priceVersion)
                < (right.item, right.month, right.source, right.grant, right.tier, right.priceVersion)
        }
    }

    private struct Sum: Equatable {
        var quantity = Quantity.zero
        var amount = Money.zero

        mutating func add(_ units: Int64, _ micros: Int64) throws {
            try quantity += Quantity(units)
            amount = try amount + Money(micros: micros)
        }
    }

    private let slices: Slices
    private let labels: Labels
    private let rows = EntryRows(
        "tenant_id, item_id, usage_day, source, grant_id, tier, price_version, quantity, amount_micros")
    private var sums: [Int64: [Key: Sum]] = [:]
    private var months = MonthsOfDays()
    private(set) var compared = 0

    init(_ slices: Slices) throws {
        self.slices = slices
        labels = try slices.read { try Labels($0) }
    }

    /// - Returns: whether these are all entries.
    mutating func takeIn(_ database: Database) throws -> Bool {
        try rows.takeIn(database, atMost: slices.bounds.rowsPerSlice) { row in
            guard let source = Source(bytes: row.bytes(3)), source.isUsage || source == .forfeit else { return }
            // NULL reads as 0, which stands for none in a total too.
            let key = Key(
                item: row.integer(1), month: months.month(of: row.integer(2)), source: source.rawValue,
                grant: row.integer(4), tier: row.integer(5), priceVersion: row.integer(6))
            try sums[row.integer(0), default: [:]][key, default: Sum()].add(row.integer(7), row.integer(8))
        }
    }

    /// The next tenant that has totals or entries.
    func nextTenant(after tenant: Int64, _ database: Database) throws -> Int64? {
        let total = try Int64.fetchOne(
            database, sql: "SELECT min(tenant_id) FROM rated_total WHERE tenant_id > ?", arguments: [tenant])
        return [total, sums.keys.filter { $0 > tenant }.min()].compactMap { $0 }.min()
    }

    mutating func compare(_ tenant: Int64, _ database: Database, _ findings: inout Findings) throws {
        var expected = sums[tenant] ?? [:]
        let statement = try RawStatement(
            database,
            """
            SELECT item_id, month, source, grant_id, tier, price_version, quantity, amount_micros
            FROM rated_total
            WHERE tenant_id = ?1
            """)
        statement.bind(1, tenant)
        while try statement.step() {
            compared += 1
            let key = Key(
                item: statement.integer(0), month: statement.integer(1),
                source: String(decoding: statement.bytes(2), as: UTF8.self), grant: statement.integer(3),
                tier: statement.integer(4), priceVersion: statement.integer(5))
            let total = Sum(
                quantity: Quantity(statement.integer(6)), amount: Money(micros: statement.integer(7)))
            let sum = expected.removeValue(forKey: key) ?? Sum()
            if total != sum { findings.add(sentence(tenant, key, total, sum)) }
        }
        for (key, sum) in expected.sorted(by: { $0.key < $1.key }) {
            compared += 1
            if sum != Sum() { findings.add(sentence(tenant, key, Sum(), sum)) }
        }
    }

    private func sentence(_ tenant: Int64, _ key: Key, _ total: Sum, _ sum: Sum) -> String {
        var label =
            "\(labels.tenant(tenant)), \(labels.item(key.item)), \(Month(number: Int(key.month))), \(key.source)"
        if key.grant != 0 { label += ", \(labels.grant(key.grant))" }
        if key.tier != 0 { label += ", tier \(key.tier)" }
        if key.priceVersion != 0 { label += ", price version \(key.priceVersion)" }
        return "\(label): the total says \(total.quantity.units) units for \(total.amount), the entries add up to "
            + "\(sum.quantity.units) for \(sum.amount)"
    }
}
