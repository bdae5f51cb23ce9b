// Ways of changing what is final, or of rewriting who appended what and when. The hashes of all are made to match again.

extension Mutant {
    static let finality = [
        Mutant(
            "two entries that cancel each other, appended to a day that was settled long ago",
            appended(quantity: "quantity", amount: "amount_micros")
                + appended(quantity: "-quantity", amount: "-amount_micros"), ["finality"], rechained: true),
        Mutant(
            "an entry of a run before the ones that it follows",
            "UPDATE ledger_entry SET run_id = 1 WHERE source = 'overage' AND posted_day = \(day("02-03"))",
            ["finality"],
            rechained: true),
        Mutant(
            "an entry of a later time than its run",
            """
            UPDATE ledger_entry SET created_at = '2027-02-10T04:00:01Z'
            WHERE source = 'overage' AND posted_day = \(day("02-03"))
            """, ["finality"], rechained: true),
        Mutant(
            "usage that no run has rated",
            "UPDATE ledger_entry SET run_id = NULL WHERE source = 'overage' AND posted_day = \(day("02-03"))",
            ["finality"], rechained: true),
        Mutant(
            "a run that began at another time",
            """
            UPDATE rating_run SET started_at = started_at + 1
            WHERE run_id = (SELECT max(run_id) FROM ledger_entry)
            """, ["finality"]),
        Mutant(
            "a run on another date than its days were settled on",
            "UPDATE rating_run SET started_at = started_at + 3 * 86400000000 WHERE run_id = 1", ["finality"]),
        Mutant(
            "a day settled on a date without a run",
            "UPDATE settled_day SET settled_on = settled_on + 1 WHERE day = \(day("01-18"))", ["finality"]),
        Mutant(
            "a run that was asked for less than it rated", "UPDATE rating_run SET requested_day = 0 WHERE run_id = 2",
            ["finality"]),
        Mutant(
            "a purchase that stands on another day",
            """
            UPDATE ledger_entry SET posted_day = posted_day + 1, usage_day = usage_day + 1
            WHERE source = 'purchase' AND grant_id = 1
            """, ["finality"], rechained: true),
        Mutant(
            "a purchase of another time",
            """
            UPDATE ledger_entry SET created_at = '2027-01-01T04:00:01Z'
            WHERE source = 'purchase' AND grant_id = 1
            """, ["finality"], rechained: true),
        Mutant(
            "a grant that was recorded at another time",
            "UPDATE \"grant\" SET recorded_at = recorded_at + 1 WHERE code = 'R'",
            ["finality"]),
    ]

    /// One more entry like the first of 10 January, by the last run.
    private static func appended(quantity: String, amount: String) -> String {
        """
        INSERT INTO ledger_entry
        SELECT
            (SELECT max(entry_id) + 1 FROM ledger_entry), posted_day, usage_day, tenant_id, app_id, item_id, source,
            grant_id, tier, \(quantity), \(amount), price_version, last.run_id, reason,
            last.created_at, hash
        FROM ledger_entry AS entry, (SELECT run_id, created_at FROM ledger_entry ORDER BY run_id DESC LIMIT 1) AS last
        WHERE entry_id = (SELECT min(entry_id) FROM ledger_entry WHERE posted_day = \(day("01-10")));
        """
    }

    static func day(_ date: String) -> String { "(unixepoch('2027-\(date)') / 86400)" }
}
