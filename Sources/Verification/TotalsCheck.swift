// Whether the running sums, where rating carries on, are the sums of the entries.

import GRDB
import Quantities
import Storage

extension Check {
    static let totals = Check(name: "totals") { database, findings in
        let labels = try Labels(database)
        let statement = try RawStatement(
            database,
            """
            WITH entry_sum AS (
                SELECT
                    tenant_id, item_id,
                    CAST(strftime('%Y', usage_day * 86400, 'unixepoch') AS INTEGER) * 12
                        + CAST(strftime('%m', usage_day * 86400, 'unixepoch') AS INTEGER) - 1 AS month,
                    source, coalesce(grant_id, 0) AS grant_id, coalesce(tier, 0) AS tier,
                    coalesce(price_version, 0) AS price_version, sum(quantity) AS quantity,
                    sum(amount_micros) AS amount_micros
                FROM ledger_entry
                WHERE source IN ('allowance', 'package', 'resource_package', 'overage', 'free', 'forfeit')
                GROUP BY 1, 2, 3, 4, 5, 6, 7
            )
            SELECT
                tenant_id, item_id, month, source, grant_id, tier, price_version,
                coalesce(total.quantity, 0), coalesce(total.amount_micros, 0),
                coalesce(entry_sum.quantity, 0), coalesce(entry_sum.amount_micros, 0)
            FROM rated_total AS total
            FULL JOIN entry_sum USING (tenant_id, item_id, month, source, grant_id, tier, price_version)
            ORDER BY tenant_id, item_id, month, source, grant_id, tier, price_version
            """)
        var totals = 0
        while try statement.step() {
            totals += 1
            let total = (statement.integer(7), Money(micros: statement.integer(8)))
            let entries = (statement.integer(9), Money(micros: statement.integer(10)))
            guard total != entries else { continue }
            var label = "\(labels.tenant(statement.integer(0))), \(labels.item(statement.integer(1)))"
            label += ", \(Month(number: Int(statement.integer(2))))"
            label += ", \(String(decoding: statement.bytes(3), as: UTF8.self))"
            if statement.integer(4) != 0 { label += ", \(labels.grant(statement.integer(4)))" }
            if statement.integer(5) != 0 { label += ", tier \(statement.integer(5))" }
            if statement.integer(6) != 0 { label += ", price version \(statement.integer(6))" }
            findings.add(
                "\(label): the total says \(total.0) units for \(total.1), the entries add up to \(entries.0) "
                    + "for \(entries.1)")
        }
        return counted(totals, "total")
    }
}
