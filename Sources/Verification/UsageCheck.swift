// Whether the ledger rated exactly the usage that was counted (Billing rules, section 8).

import GRDB
import Quantities
import Storage

extension Check {
    static let usage = Check(name: "usage") { database, findings in
        let span = try RatedSpan(database)
        guard let through = span.comparableThrough else { return span.description }
        let labels = try Labels(database)
        let statement = try RawStatement(
            database,
            """
            WITH
            booked AS (
                SELECT app_id, item_id, usage_day, posted_day AS posting_day, sum(quantity) AS quantity
                FROM ledger_entry
                WHERE source IN ('allowance', 'package', 'resource_package', 'overage', 'free') AND posted_day <= ?1
                GROUP BY app_id, item_id, usage_day, posted_day
            ),
            metered AS (
                SELECT app_id, item_id, usage_day, posting_day, quantity
                FROM usage_counter
                WHERE posting_day <= ?1
            )
            SELECT
                app_id, item_id, usage_day, posting_day, coalesce(metered.quantity, 0), coalesce(booked.quantity, 0)
            FROM metered
            FULL JOIN booked USING (app_id, item_id, usage_day, posting_day)
            ORDER BY app_id, item_id, usage_day, posting_day
            """)
        statement.bind(1, through.number)
        var compared = 0
        while try statement.step() {
            compared += 1
            let (metered, booked) = (statement.integer(4), statement.integer(5))
            guard metered != booked else { continue }
            let label = labels.counter(
                app: statement.integer(0), item: statement.integer(1), usageDay: statement.integer(2),
                postingDay: statement.integer(3))
            findings.add("\(label): the counter says \(metered), the ledger's entries add up to \(booked)")
        }
        return "\(counted(compared, "rated quantity", plural: "rated quantities")) \(span.description)"
    }
}
