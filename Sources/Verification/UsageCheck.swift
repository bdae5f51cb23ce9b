// Whether the ledger rated exactly the usage that was counted (Billing rules, section 8).

import GRDB
import Quantities
import Rating
import Storage

extension Check {
    static var usage: Check {
        Check(name: "usage") { slices, findings in
            let labels = try slices.read { try Labels($0) }
            var span: RatedSpan?
            var compared = 0
            var last = Int64.min
            // A posting day at a time: each by what is comparable in the transaction that reads it.
            try slices.readUntil { database in
                let now = try RatedSpan(database)
                span = now
                guard let through = now.comparableThrough else { return true }
                let before = compared
                while compared - before < slices.bounds.rowsPerSlice {
                    guard let day = try nextPostingDay(after: last, database), day <= through.number else {
                        return true
                    }
                    compared += try compare(day, labels, database, &findings)
                    last = day
                }
                return false
            }
            guard let span, span.comparableThrough != nil else { return span?.description ?? "no rated days" }
            return "\(counted(compared, "rated quantity", plural: "rated quantities")) \(span.description)"
        }
    }

    /// The next day that has usage or entries.
    static func nextPostingDay(after day: Int64, _ database: Database) throws -> Int64? {
        let usage = try Int64.fetchOne(
            database, sql: "SELECT min(posting_day) FROM usage_counter WHERE posting_day > ?", arguments: [day])
        let entry = try Int64.fetchOne(
            database, sql: "SELECT min(posted_day) FROM ledger_entry WHERE posted_day > ?", arguments: [day])
        return [usage, entry].compactMap { $0 }.min()
    }

    /// - Returns: how many quantities the day has.
    private static func compare(
        _ number: Int64, _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        var booked = try bookedQuantities(postedOn: number, database)
        let statement = try RawStatement(
            database, "SELECT app_id, item_id, usage_day, quantity FROM usage_counter WHERE posting_day = ?1")
        statement.bind(1, number)
        var rows = 0
        func note(_ place: CounterPlace, metered: Int64, booked: Int64) {
            rows += 1
            guard metered != booked else { return }
            findings.add(
                "\(labels.counter(place, postingDay: number)): the counter says \(metered), the ledger's entries add up to "
                    + "\(booked)")
        }
        while try statement.step() {
            let place = CounterPlace(
                app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2))
            note(place, metered: statement.integer(3), booked: booked.removeValue(forKey: place)?.units ?? 0)
        }
        for (place, quantity) in booked.sorted(by: { $0.key < $1.key }) {
            note(place, metered: 0, booked: quantity.units)
        }
        return rows
    }

    private static func bookedQuantities(
        postedOn number: Int64, _ database: Database
    ) throws -> [CounterPlace: Quantity] {
        let statement = try RawStatement(
            database, "SELECT app_id, item_id, usage_day, source, quantity FROM ledger_entry WHERE posted_day = ?1")
        statement.bind(1, number)
        var quantities: [CounterPlace: Quantity] = [:]
        while try statement.step() {
            guard let source = Source(bytes: statement.bytes(3)), source.isUsage else { continue }
            let place = CounterPlace(
                app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2))
            try quantities[place, default: .zero] += Quantity(statement.integer(4))
        }
        return quantities
    }
}
