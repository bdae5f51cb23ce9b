// Every way of tampering that is tried. Items: 1 analysis, 2 gateway_calls, 3 location, 4 sync; apps: 1 kiosk, 2 shop
// (acme's), 3 lions (zoo's); grants: 1 R, 2 S, 3 P, 4 V, 5 A. Settled through 7 February, rated through the 10th.

extension Mutant {
    static let all = file + days + usage + evidence + records + entries + grants + sums + finality

    private static let file = [
        Mutant(
            "a schema step that was never applied", "DELETE FROM schema_migration WHERE name = '0002-usage'", ["file"]),
        Mutant(
            "a schema step with another text", "UPDATE schema_migration SET checksum = 'x' WHERE name = '0002-usage'",
            ["file"]),
        Mutant(
            "a schema step of a newer program", "INSERT INTO schema_migration VALUES ('9999-future', 'x')", ["file"]),
        Mutant("a guard that is gone", "DROP TRIGGER ledger_entry_is_final", ["file"]),
        Mutant(
            "a trigger that does something else",
            "CREATE TRIGGER spy AFTER INSERT ON touch BEGIN DELETE FROM outcome_counter; END", ["file"]),
        Mutant(
            "a view that says something else",
            """
            DROP VIEW mau;
            CREATE VIEW mau (tenant, app, item, month, devices) AS SELECT tenant, app, item, '2027-01', 7 FROM usage_daily
            """, ["file"], says: "view mau is not as the schema makes it"),
        Mutant("an app of no tenant", "UPDATE app SET tenant_id = 9 WHERE app_id = 1", ["file"]),
        Mutant("an item whose code is none", "UPDATE item SET code = 'a b' WHERE item_id = 1", ["file"]),
        Mutant("a value out of its bounds", "UPDATE touch SET counts = 5 WHERE item_id = 1 AND counts = -1", ["file"]),
        Mutant(
            "settled days beyond the closed ones", "UPDATE ledger_state SET closed_through = closed_through - 1",
            ["file"]),
        Mutant("a ledger without state", "DELETE FROM ledger_state", ["file"]),
        Mutant("bills of whole tenths", "UPDATE ledger_property SET minor_unit_micros = 100000", ["file"]),
        Mutant("bills that are due later", "UPDATE ledger_property SET payment_term_days = 16", ["file"]),
    ]

    private static let days = [
        Mutant("a settled day that is gone", "DELETE FROM settled_day WHERE day = \(day("01-20"))", ["days"]),
        Mutant(
            "a day settled too early", "UPDATE settled_day SET settled_on = day + 2 WHERE day = \(day("01-18"))",
            ["days"]),
        Mutant(
            "a state that settles more",
            "UPDATE ledger_state SET settled_through = settled_through + 1, closed_through = 20900", ["days"]),
        Mutant("settled days that were not closed", "UPDATE ledger_state SET closed_through = NULL", ["days"]),
        Mutant("more rated than changed", "UPDATE ledger_state SET rated_change_count = change_count + 1", ["days"]),
        Mutant("a day that begins on another date", "UPDATE day_start SET day = day - 3 WHERE day = 20866", ["days"]),
        Mutant(
            "more days rated than any run was asked for", "UPDATE ledger_state SET rated_through = rated_through + 1",
            ["days"]),
        Mutant(
            "a day closed that no run closed", "UPDATE ledger_state SET closed_through = closed_through + 1", ["days"],
            says: "days through 2027-02-08 are closed, but no run closed them: of 5 runs, the last day that one closed "
                + "is 2027-02-07"),
        Mutant(
            "days closed for a hundred years", "UPDATE ledger_state SET closed_through = 60000", ["days"],
            says: "days through 2134-04-11 are closed"),
        Mutant(
            "a run that was asked for a day that was yet to come",
            """
            UPDATE rating_run SET requested_day = 60000 WHERE run_id = (SELECT max(run_id) FROM rating_run);
            UPDATE ledger_state SET rated_through = 60000
            """, ["days"], says: "run 5 began on 2027-02-10, and was asked for 2134-04-11, which was yet to come"),
        Mutant(
            "a run in the middle that was asked for the day after its own",
            "UPDATE rating_run SET requested_day = started_at / 86400000000 + 1 WHERE run_id = 2", ["days"],
            says: "run 2 began on 2027-01-20, and was asked for 2027-01-21, which was yet to come"),
        Mutant(
            "a day that begins within a second",
            "UPDATE day_start SET starts_at = starts_at + 1 WHERE day = \(day("01-31"))", ["days"],
            says: "2027-01-31 begins at 2027-01-30T16:00:00.000001Z, which is no whole second"),
        Mutant(
            "a day that is ten hours too long",
            "UPDATE day_start SET starts_at = starts_at + 36000000000 WHERE day = \(day("01-31"))", ["days"],
            says: "2027-01-30 begins at 2027-01-29T16:00:00Z and 2027-01-31 at 2027-01-31T02:00:00Z, which is no day's "
                + "length in any time zone"),
        Mutant(
            "half a mark of a sealing", "UPDATE seal_progress SET posting_day = \(day("02-08")), item_id = 1", ["days"]),
        Mutant("records of a feature that feeds something else", "UPDATE feed SET feature = 'armor'", ["days"]),
        Mutant(
            "a price book of another day", "UPDATE price_book_version SET effective_day = effective_day + 1", ["days"]),
    ]

    private static let usage = [
        Mutant(
            "one device more on a settled day",
            """
            UPDATE usage_counter SET quantity = quantity + 1
            WHERE (app_id, item_id, usage_day) = (2, 1, \(day("01-10")))
            """,
            ["counters", "usage", "rating"]),
        Mutant(
            "one device more on an open day",
            """
            UPDATE usage_counter SET quantity = quantity + 1, active_devices = active_devices
            WHERE (app_id, item_id, usage_day) = (2, 1, \(day("02-09")))
            """, ["counters", "usage", "rating"]),
        Mutant(
            "calls that were never made",
            "INSERT INTO usage_counter VALUES (\(day("01-07")), 1, 2, \(day("01-07")), 5, 0)",
            ["counters", "usage", "rating"]),
        Mutant(
            "a counter that is gone",
            "DELETE FROM usage_counter WHERE (app_id, item_id, usage_day) = (3, 2, \(day("01-03")))",
            ["counters", "usage", "rating"]),
        Mutant(
            "a counter below nothing", "UPDATE usage_counter SET quantity = -1 WHERE app_id = 3 AND item_id = 2",
            ["file"]),
        Mutant(
            "a counter on another posting day",
            """
            UPDATE usage_counter SET posting_day = posting_day + 1
            WHERE (app_id, item_id, usage_day) = (1, 2, \(day("01-05")))
            """,
            ["counters", "usage", "rating"]),
        Mutant(
            "more active devices than touches",
            """
            UPDATE usage_counter SET active_devices = active_devices + 1
            WHERE usage_day = \(day("02-09"))
            """, ["counters"]),
        Mutant(
            "fewer active devices than count",
            """
            UPDATE usage_counter SET active_devices = 0
            WHERE (app_id, item_id, usage_day) = (2, 1, \(day("01-10")))
            """,
            ["counters"]),
        Mutant(
            "active devices of calls", "UPDATE usage_counter SET active_devices = 1 WHERE app_id = 3 AND item_id = 2",
            ["counters"]),
        Mutant("a feed with other items", "UPDATE feed SET items = '2,3'", ["counters"]),
        Mutant(
            "an event received and not answered",
            """
            UPDATE outcome_counter SET events = events + 1
            WHERE outcome = 'received' AND arrival_day = \(day("01-10"))
            """, ["outcomes"]),
        Mutant("refusals that are forgotten", "DELETE FROM outcome_counter WHERE outcome = 'refused'", ["outcomes"]),
        Mutant(
            "an event in quarantine that is another",
            "UPDATE quarantine SET event = CAST(replace(CAST(event AS TEXT), 'l1', 'l2') AS BLOB)", ["outcomes"]),
        Mutant(
            "more in quarantine than was refused on its day",
            "UPDATE quarantine SET arrived_at = (SELECT max(arrived_at) FROM quarantine)", ["outcomes"]),
        Mutant(
            "an event in quarantine with a code that no event had",
            "UPDATE quarantine SET code = 'bad_time' WHERE code = 'unknown_app'", ["outcomes"],
            says: "0 events refused with code 'bad_time', but 1 in quarantine with it"),
        Mutant(
            "a refusal of no known kind", "UPDATE outcome_counter SET code = 'bad_luck' WHERE code = 'too_old'",
            ["outcomes"], says: "events refused with code 'bad_luck'"),
        Mutant(
            "an event in quarantine that arrived before the ledger was there",
            "UPDATE quarantine SET arrived_at = 0 WHERE code = 'unknown_app'", ["outcomes"]),
        Mutant(
            "fewer events taken than records are there",
            """
            UPDATE outcome_counter SET events = events - 1
            WHERE arrival_day = \(day("01-31")) AND outcome IN ('received', 'accepted');
            UPDATE outcome_counter SET events = events - 1
            WHERE arrival_day = \(day("01-31")) AND outcome IN ('received', 'accepted');
            """, ["outcomes"]),
    ]

    private static let evidence = [
        Mutant(
            "evidence that is gone",
            "DELETE FROM sealed_device WHERE (month, item_id, device_id) = (24324, 1, 2 << 32)",
            ["counters"]),
        Mutant(
            "evidence of another month",
            """
            UPDATE sealed_device SET usage_day = \(day("02-03")), posting_day = \(day("02-03"))
            WHERE (month, item_id, device_id) = (24324, 1, 2 << 32)
            """,
            ["counters", "evidence"]),
        Mutant(
            "evidence beyond what is sealed",
            """
            UPDATE sealed_device SET posting_day = \(day("02-20"))
            WHERE (month, item_id, device_id) = (24324, 1, 2 << 32)
            """,
            ["counters", "evidence"]),
        Mutant(
            "days sealed and not settled",
            "UPDATE seal_progress SET sealed_through = sealed_through + 1", ["evidence"]),
        Mutant(
            "a device without a name",
            """
            DELETE FROM device
            WHERE device_id = (SELECT max(device_id) FROM device
            WHERE device_id >> 32 = 2)
            """, ["evidence"]),
        Mutant(
            "device numbers with a gap",
            """
            UPDATE device SET device_id = device_id + 5
            WHERE device_id = (SELECT max(device_id) FROM device
            WHERE device_id >> 32 = 2)
            """, ["evidence"]),
        Mutant(
            "a device of the day being sealed that is not sealed", underWay(devices: []), ["evidence"]),
        Mutant(
            "a sealed device of the day being sealed that does not count on it",
            underWay(devices: ["1 << 32", "2 << 32 | 1"]), ["evidence"]),
        Mutant("one device under two numbers", "UPDATE device SET name = 'd2' WHERE name = 'd3'", ["evidence"]),
        Mutant(
            "a known device that is new again",
            "INSERT INTO new_device SELECT 1, max(device_id) + 1, 'd2', NULL FROM device WHERE device_id >> 32 = 2",
            ["evidence"]),
        Mutant(
            "a new device that is filed",
            "INSERT INTO new_device SELECT 1, device_id, name, NULL FROM device WHERE device_id = 2 << 32", ["evidence"]
        ),
        Mutant(
            "a new device number after a gap",
            "INSERT INTO new_device SELECT 1, max(device_id) + 2, 'new', NULL FROM device WHERE device_id >> 32 = 2",
            ["evidence"]),
        Mutant(
            "a gap between new device numbers",
            """
            INSERT INTO new_device SELECT 1, max(device_id) + 1, 'new', NULL FROM device WHERE device_id >> 32 = 2;
            INSERT INTO new_device SELECT 2, max(device_id) + 3, 'newer', NULL FROM device WHERE device_id >> 32 = 2
            """,
            ["evidence"]),
        Mutant(
            "a sealed device that counts once more",
            "INSERT INTO touch VALUES (\(day("02-09")) << 40 | 99, 1, 2 << 32, \(day("02-09")), 1)",
            ["counters", "evidence"]),
        Mutant(
            "a device that counts twice at a place",
            """
            INSERT INTO touch SELECT touch_id + 99, item_id, device_id, usage_day, counts
            FROM touch WHERE item_id = 1 AND counts = 1 AND device_id = 1 << 32
            """,
            ["counters", "evidence"]),
        Mutant("a touch that is gone", "DELETE FROM touch WHERE item_id = 1 AND device_id = 1 << 32", ["counters"]),
        Mutant(
            "a device that never left its place", "DELETE FROM touch WHERE item_id = 1 AND counts = -1",
            ["counters", "evidence"]),
    ]

    private static let records = [
        Mutant(
            "a record of more calls", "UPDATE usage_record SET quantity = quantity + 1 WHERE id = '5'", ["counters"]),
        Mutant("the last record of a day gone", "DELETE FROM usage_record WHERE id = '1'", ["counters"]),
        Mutant("a record that is gone", "DELETE FROM usage_record WHERE id = '3'", ["counters", "identities"]),
        Mutant(
            "a record under a number with a gap before it",
            "UPDATE usage_record SET record_id = record_id + 5 WHERE id = '4'", ["identities"]),
        Mutant(
            "a record of no calls", "UPDATE usage_record SET quantity = 0 WHERE id = '9'", ["counters", "identities"]),
        Mutant("a record of no feed", "UPDATE usage_record SET feed_id = 9 WHERE id = '9'", ["counters"]),
        Mutant(
            "an event that was stored again",
            """
            INSERT INTO usage_record
            SELECT
                record_id + (8 << 40), source, id, app_id, feed_id, time, quantity, usage_day, posting_day + 8
            FROM usage_record WHERE id = '2'
            """,
            ["counters", "identities"]),
        Mutant(
            "a correction posted as if it were on time",
            "UPDATE usage_record SET posting_day = usage_day WHERE id = '4'",
            ["counters", "identities"]),
        Mutant(
            "a record of another time", "UPDATE usage_record SET time = time + 7 * 86400000000 WHERE id = '4'",
            ["identities"]),
        Mutant(
            "a record older than the age limit",
            """
            UPDATE usage_record SET usage_day = usage_day - 60, time = time - 60 * 86400000000
            WHERE id = '5'
            """,
            ["counters", "identities"]),
        Mutant(
            "an identity that could be taken again",
            "DELETE FROM identity_run WHERE arrival_day = \(day("02-05")) AND sequence = 1", ["identities"]),
        Mutant(
            "an identity under the hash of another", "UPDATE identity_run SET hash = hash + 1 WHERE sequence = 1",
            ["identities"]),
        Mutant(
            "a filter that holds back what is filed",
            "UPDATE identity_run_day SET filter = zeroblob(length(filter)) WHERE arrival_day = \(day("02-05"))",
            ["identities"]),
        Mutant(
            "a filter of another size",
            "UPDATE identity_run_day SET filter = zeroblob(128) WHERE arrival_day = \(day("02-05"))", ["identities"]),
        Mutant(
            "more identities noted than filed",
            "UPDATE identity_run_day SET identities = identities + 1 WHERE arrival_day = \(day("02-05"))",
            ["identities"]),
        Mutant(
            "an identity of no record",
            """
            UPDATE identity_run SET sequence = 7
            WHERE arrival_day = \(day("02-05")) AND sequence = 1
            """, ["identities"]),
    ]

    private static let entries = [
        Mutant(
            "an entry of more units", "UPDATE ledger_entry SET quantity = quantity + 1 WHERE \(overage)",
            ["usage", "totals", "rating", "chain"]),
        Mutant(
            "an entry of a higher amount", "UPDATE ledger_entry SET amount_micros = amount_micros + 1 WHERE \(overage)",
            ["totals", "rating", "chain"]),
        Mutant("an entry with other words", "UPDATE ledger_entry SET reason = 'as agreed' WHERE \(overage)", ["chain"]),
        Mutant("an entry with another hash", "UPDATE ledger_entry SET hash = zeroblob(32) WHERE \(overage)", ["chain"]),
        Mutant(
            "an entry that is gone", "DELETE FROM ledger_entry WHERE \(overage)",
            ["usage", "totals", "rating", "chain"]),
        // Nothing follows it, so the chain is whole: only a head kept elsewhere and the other checks tell.
        Mutant(
            "the last entry gone", "DELETE FROM ledger_entry WHERE entry_id = (SELECT max(entry_id) FROM ledger_entry)",
            ["usage", "totals", "rating"]),
        Mutant(
            "an entry of another tenant", "UPDATE ledger_entry SET tenant_id = 2 WHERE \(overage)",
            ["totals", "rating", "chain"]),
        Mutant(
            "an entry of another app", "UPDATE ledger_entry SET app_id = 1 WHERE \(overage)",
            ["usage", "rating", "chain"]),
        Mutant(
            "an entry of another day", "UPDATE ledger_entry SET posted_day = posted_day + 1 WHERE \(overage)",
            ["usage", "rating", "chain"]),
        Mutant(
            "an entry of another tier", "UPDATE ledger_entry SET tier = 2 WHERE \(overage)",
            ["totals", "rating", "chain"]),
        Mutant(
            "a forfeit that is gone", "DELETE FROM ledger_entry WHERE source = 'forfeit' AND grant_id = 2",
            ["totals", "rating", "chain"]),
        // Whoever rewrites everything is found out by what the usage comes to.
        Mutant(
            "an entry of a higher amount, with total and hashes to match",
            """
            UPDATE ledger_entry SET amount_micros = amount_micros + 1 WHERE \(overage);
            UPDATE rated_total SET amount_micros = amount_micros + 1 WHERE (item_id, month, tier) = (2, 24324, 3);
            """, ["rating"], rechained: true),
        Mutant("another currency", "UPDATE ledger_property SET currency = 'EUR'", ["chain"]),
    ]

    /// Noon in Shanghai, when days from the 8th on were open.
    private static let voidedOn10February = "voided_at = 1802232000000000, voided_from_day = \(day("02-08"))"

    private static let grants = [
        Mutant(
            "a draw before the package was in force",
            """
            UPDATE ledger_entry SET usage_day = usage_day - 1
            WHERE source = 'package' AND usage_day = \(day("01-05"))
            """,
            ["usage", "grants", "rating", "chain"]),
        Mutant(
            "a draw on what was forfeited",
            """
            UPDATE ledger_entry SET posted_day = \(day("02-07"))
            WHERE source = 'resource_package' AND posted_day = \(day("01-31"))
            """,
            ["usage", "grants", "rating", "finality", "chain"]),
        Mutant(
            "a draw on another tenant's grant",
            """
            UPDATE ledger_entry SET grant_id = 1
            WHERE source = 'resource_package' AND posted_day = \(day("01-08"))
            """,
            ["grants", "totals", "rating", "chain"]),
        Mutant(
            "a forfeit after its day",
            """
            UPDATE ledger_entry SET posted_day = posted_day + 1, usage_day = usage_day + 1
            WHERE source = 'forfeit' AND grant_id = 2
            """,
            ["grants", "rating", "chain"]),
        Mutant(
            "a forfeit on the end day, before the last usage could come",
            """
            UPDATE ledger_entry SET posted_day = \(day("02-02")), usage_day = \(day("02-02"))
            WHERE source = 'forfeit' AND grant_id = 2
            """,
            ["grants", "rating"], says: "forfeits grant S on 2027-02-02, not on its forfeit day 2027-02-06",
            rechained: true),
        Mutant(
            "a draw on no grant", "UPDATE ledger_entry SET grant_id = NULL WHERE source = 'package'",
            ["grants", "totals", "rating"], says: "names no grant", rechained: true),
        Mutant(
            "a draw on a resource package as one on a package",
            "UPDATE ledger_entry SET source = 'package' WHERE source = 'resource_package' AND grant_id = 1",
            ["grants", "totals", "rating"], says: "draws on grant R as a mini_program_package, which it is not",
            rechained: true),
        Mutant(
            "a draw on a package that does not cover the item",
            "UPDATE ledger_entry SET item_id = 4 WHERE source = 'package' AND item_id = 1",
            ["usage", "grants", "totals", "rating"], says: "which does not cover item sync", rechained: true),
        Mutant(
            "a forfeit of a package", "UPDATE ledger_entry SET grant_id = 3 WHERE source = 'forfeit' AND grant_id = 2",
            ["grants", "totals", "rating"], says: "which is no resource package of it", rechained: true),
        Mutant(
            "a grant that gave what was paid for", "UPDATE ledger_entry SET grant_id = 3 WHERE source = 'overage'",
            ["grants", "totals", "rating"], says: "of source overage names grant P", rechained: true),
        Mutant(
            "a draw that is given back without one",
            "UPDATE ledger_entry SET quantity = -quantity WHERE source = 'package'",
            ["usage", "grants", "totals", "rating"], says: "units are drawn or forfeited", rechained: true),
        Mutant(
            "a package of less than was drawn in a month",
            "UPDATE grant_item SET granted = 1 WHERE grant_id = 3 AND item_id = 1",
            ["grants", "rating"], says: "item analysis, 2027-01: "),
        Mutant(
            "a grant of another tenant", "UPDATE \"grant\" SET tenant_id = 2 WHERE code = 'P'",
            ["grants", "rating"], says: "its grant P of tenant zoo"),
        Mutant(
            "a grant that was recorded too late for what it gave",
            "UPDATE \"grant\" SET first_posting_day = effective_day + 4 WHERE code = 'P'",
            ["grants", "rating"], says: "before its first, "),
        Mutant(
            "a grant that changes days that were final when it was recorded",
            "UPDATE \"grant\" SET first_posting_day = 0 WHERE code = 'P'", ["grants"],
            says: "recorded on 2027-01-04, changes posting days from 1970-01-01 on"),
        Mutant(
            "a package of more than was bought",
            "UPDATE grant_item SET granted = granted + 1 WHERE grant_id = 3 AND item_id = 1", ["grants"],
            says:
                "is a mini_program_package for a year with 4 of item analysis, 300 of item gateway_calls, for 3 devices; "
                + "no version of the price book"),
        Mutant(
            "a grant of less than was drawn", "UPDATE grant_item SET granted = 3 WHERE grant_id = 2",
            ["grants", "rating"]),
        Mutant("a grant of more", "UPDATE grant_item SET granted = 60 WHERE grant_id = 2", ["rating"]),
        Mutant("a grant of another term", "UPDATE \"grant\" SET end_day = end_day + 1 WHERE code = 'P'", ["grants"]),
        Mutant(
            "a grant bought on another day",
            "UPDATE \"grant\" SET purchased_at = purchased_at - 86400000000 WHERE code = 'P'", ["grants"]),
        Mutant(
            "a grant recorded before it was bought",
            "UPDATE \"grant\" SET purchased_at = recorded_at + 1 WHERE code = 'P'", ["grants"]),
        Mutant(
            "a grant of another price", "UPDATE \"grant\" SET price_micros = price_micros - 1 WHERE code = 'R'",
            ["grants"]),
        Mutant(
            "a grant voided without a refund", "UPDATE \"grant\" SET \(voidedOn10February) WHERE code = 'P'",
            ["grants", "rating"], says: "a price of 55.00 and a refund of -55.00 are recorded"),
        Mutant(
            "a grant voided after it was drawn on", "UPDATE \"grant\" SET \(voidedOn10February) WHERE code = 'S'",
            ["grants"], says: "grant S is voided, but "),
        Mutant(
            "a subscription voided after its first day", "UPDATE \"grant\" SET \(voidedOn10February) WHERE code = 'A'",
            ["grants"],
            says: "subscription A was voided on 2027-02-10, after its first day, 2027-01-05, had ended"),
        Mutant(
            "a grant that is no longer void",
            "UPDATE \"grant\" SET voided_at = NULL, voided_from_day = NULL WHERE code = 'V'", ["grants", "finality"]),
        Mutant(
            "a void that takes back what was final",
            "UPDATE \"grant\" SET voided_from_day = voided_from_day - 1 WHERE code = 'V'", ["grants", "rating"],
            says: "grant V, voided on 2027-02-10, takes no part in posting days from 2027-02-07 on"),
        Mutant(
            "a void without the day from which on it holds",
            "UPDATE \"grant\" SET voided_from_day = NULL WHERE code = 'V'", ["file"], says: "void_is_whole"),
        Mutant(
            "a void of a grant that was not voided",
            "UPDATE \"grant\" SET voided_from_day = \(day("02-08")) WHERE code = 'S'",
            ["file"], says: "void_is_whole"),
        Mutant(
            "a price finer than a cent, with entry and hashes to match",
            """
            UPDATE "grant" SET price_micros = price_micros + 1 WHERE code = 'R';
            UPDATE ledger_entry SET amount_micros = amount_micros + 1 WHERE source = 'purchase' AND grant_id = 1
            """, ["grants"], says: "has a price of 9.000001; amounts in USD have at most 2 decimals",
            rechained: true),
    ]

    static let countedAndNotRated = "usage that was not rated, with no price book that could tell"

    private static let sums = [
        Mutant(
            "a total of more units",
            """
            UPDATE rated_total SET quantity = quantity + 1
            WHERE source = 'allowance' AND tenant_id = 1
            """, ["totals"]),
        Mutant("a total that is gone", "DELETE FROM rated_total WHERE source = 'forfeit'", ["totals"]),
        Mutant("a total of nothing", "INSERT INTO rated_total VALUES (2, 4, 24330, 'free', 0, 0, 1, 5, 0)", ["totals"]),
        Mutant(
            "a price that was changed", "UPDATE price_book_version SET yaml = replace(yaml, '0.02', '0.03')", ["rating"]
        ),
        Mutant("a price book that is none", "UPDATE price_book_version SET yaml = 'x'", ["days", "rating"]),
        Mutant(
            countedAndNotRated,
            """
            UPDATE price_book_version SET yaml = 'x';
            UPDATE usage_counter SET quantity = quantity + 1
            WHERE (app_id, item_id, usage_day) = (2, 1, \(day("01-10")));
            """, ["days", "counters", "usage", "rating"]),
    ]

    /// As if sealing had stopped on 9 February, when the devices through the first of lions were done; of them the one of
    /// kiosk and the last of shop count on that day.
    static func underWay(devices: [String]) -> String {
        devices.map { device in
            "INSERT INTO sealed_device VALUES (24325, 1, \(device), \(day("02-09")), \(day("02-09")));"
        }.joined()
            + "UPDATE seal_progress SET posting_day = \(day("02-09")), month = 24325, item_id = 1, device_id = 3 << 32;"
    }

    /// The correction of 31 January in the third tier of acme's calls.
    private static let overage = "source = 'overage' AND posted_day = \(day("02-03"))"
}
