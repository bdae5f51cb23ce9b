// Each column of each table, changed in some of its rows: verifying finds it, unless nothing in the ledger could tell.

import GRDB
import Migrations
import TestSupport
import Testing
import Verification

@Suite("A value that somebody changed", .computing)
struct EveryValueTests {
    struct Column: Sendable, CustomTestStringConvertible {
        let table: String
        let name: String
        let type: String
        let isKey: Bool
        /// The columns that name a row.
        let key: String

        var testDescription: String { "\(table).\(name)" }
        var isInteger: Bool { type == "INTEGER" }

        /// Changes a row: those that have a value come first.
        func mutant(row: String, value: String) -> Mutant {
            Mutant(
                "\(testDescription), row \(row): \(value)",
                """
                UPDATE "\(table)" SET "\(name)" = \(value)
                WHERE (\(key)) = (
                    SELECT \(key) FROM "\(table)" ORDER BY "\(name)" IS NULL, \(key)
                    LIMIT 1 OFFSET (SELECT \(row) FROM (SELECT count(*) AS rows FROM "\(table)")))
                """, [])
        }

        /// Other values, that no row has where rows must differ.
        var otherValues: [String] {
            switch type {
            case "INTEGER" where isKey: ["(SELECT max(\"\(name)\") + 1000 FROM \"\(table)\")"]
            case "INTEGER": ["coalesce(\"\(name)\" + 1, 1)", "coalesce(\"\(name)\" - 1, 1)"]
            case "TEXT": ["coalesce(\"\(name)\" || 'x', 'x')"]
            default: ["CAST(zeroblob(length(\"\(name)\")) AS BLOB)"]
            }
        }
    }

    /// Of all tables but one: the rich ledger's devices are filed, in `device`, and none is in `new_device`.
    static let columns: [Column] = {
        do {
            return try DatabaseQueue().write { database in
                for step in Migrations.all { try database.execute(sql: step.sql) }
                return try Row.fetchAll(
                    database,
                    sql: """
                        SELECT
                            list.name AS "table", info.name, info.type, info.pk > 0 AS is_key,
                            (
                                SELECT group_concat('"' || name || '"', ', ')
                                FROM pragma_table_info(list.name)
                                WHERE pk > 0
                            ) AS key
                        FROM pragma_table_list AS list, pragma_table_info(list.name) AS info
                        WHERE list.type = 'table' AND list.schema = 'main' AND list.name NOT LIKE 'sqlite%'
                            AND list.name <> 'new_device'
                        ORDER BY list.name, info.cid
                        """
                ).map {
                    Column(
                        table: $0["table"], name: $0["name"], type: $0["type"], isKey: $0["is_key"], key: $0["key"])
                }
            }
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Why nothing in the ledger could tell.
    static let untold = [
        "app.name": "for people",
        "tenant.name": "for people",
        "tenant.legacy": "what is refused from then on",
        "device.name": "the only place where it stands",
        "grant.purchased_at": "its date is compared, not its hour",
        "grant.recorded_at": "its date is compared, not its hour, where no price was paid",
        "grant.first_posting_day": "between what the clock made final and what was closed since",
        "ledger_property.test_clock": "how the clock goes from then on",
        "ledger_property.created_at": "for people",
        "ledger_state.latest_instant":
            "a test clock shows what it is told, and that may have left nothing else behind; another clock is compared",
        "ledger_state.change_count": "as if something had come that is not rated yet",
        "ledger_state.rated_change_count": "as if something had come that is not rated yet",
        "ledger_state.probe_count": "means nothing",
        "price_book_version.applied_at": "for people",
        "quarantine.quarantine_id": "numbers of dropped events are not used again",
        "quarantine.arrived_at": "its date is compared, not its hour",
        "quarantine.reason": "for people",
        "quarantine.source": "for people; a retry goes by the event",
        "quarantine.id": "for people; a retry goes by the event",
        "rating_run.requested_day": "a run may be asked for less than it rates; the last of all is compared",
        "seal_progress.sealed_through": "a run that was interrupted seals a day again",
        "touch.touch_id": "in which order the touches of a day came",
        "usage_counter.active_devices": "of a sealed day at least the devices that count on it",
        "usage_record.source": "compared with its hash while that is kept",
        "usage_record.id": "compared with its hash while that is kept",
        "usage_record.time": "its date is compared, not its hour",
    ]

    @Test("is found, whichever it is", arguments: columns)
    func anyValue(column: Column) throws {
        var missed: [String] = []
        for (index, row) in ["rows / 3", "rows - 1"].enumerated() {
            let values = column.otherValues
            let mutant = column.mutant(row: row, value: values[index % values.count])
            if try mutant.report().isSound { missed.append(mutant.what) }
        }
        let reason = Self.untold[column.testDescription]
        #expect(missed.isEmpty == (reason == nil), "missed: \(missed)")
    }
}
