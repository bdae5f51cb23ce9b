// Whether every event received ended in exactly one way, and every record comes from one that was taken.

import GRDB
import Quantities
import Storage

extension Check {
    static var outcomes: Check {
        // A few rows a day: all of them together are few. A batch adds to all of them in one transaction.
        Check(name: "outcomes") { slices, findings in
            try slices.read { database in
                let statement = try RawStatement(
                    database,
                    """
                    WITH counted AS (
                        SELECT
                            arrival_day,
                            sum(CASE WHEN outcome = 'received' THEN events ELSE 0 END) AS received,
                            sum(CASE WHEN outcome <> 'received' THEN events ELSE 0 END) AS answered,
                            sum(CASE WHEN outcome IN ('accepted', 'correction') THEN events ELSE 0 END) AS taken
                        FROM outcome_counter
                        GROUP BY arrival_day
                    )
                    SELECT
                        arrival_day, received, answered, taken,
                        -- The records of an arrival day are numbered from 0.
                        coalesce((
                            SELECT max(record_id) & 0xFFFFFFFFFF
                            FROM usage_record
                            WHERE record_id >= arrival_day << 40 AND record_id < (arrival_day + 1) << 40), -1) + 1
                    FROM counted
                    """)
                var days = 0
                var events: Int64 = 0
                while try statement.step() {
                    days += 1
                    let (received, answered) = (statement.integer(1), statement.integer(2))
                    events += received
                    let label = "arrival day \(day(statement.integer(0)))"
                    if received != answered {
                        findings.add(
                            "\(label): \(received) events received, but accepted, duplicate, correction and refused add "
                                + "up to \(answered)")
                    }
                    let (taken, records) = (statement.integer(3), statement.integer(4))
                    if records > taken {
                        findings.add("\(label): \(taken) events taken, but \(counted(records, "record")) stored")
                    }
                }
                return "\(counted(events, "event")) of \(counted(days, "arrival day"))"
            }
        }
    }
}
