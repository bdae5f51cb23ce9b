// Whether every event received ended in exactly one way.

import GRDB
import Quantities
import Storage

extension Check {
    static let outcomes = Check(name: "outcomes") { database, findings in
        let statement = try RawStatement(
            database,
            """
            SELECT
                arrival_day,
                sum(CASE WHEN outcome = 'received' THEN events ELSE 0 END) AS received,
                sum(CASE WHEN outcome <> 'received' THEN events ELSE 0 END) AS answered
            FROM outcome_counter
            GROUP BY arrival_day
            """)
        var days = 0
        var events: Int64 = 0
        while try statement.step() {
            days += 1
            let (received, answered) = (statement.integer(1), statement.integer(2))
            events += received
            if received != answered {
                findings.add(
                    "arrival day \(day(statement.integer(0))): \(received) events received, but accepted, duplicate, "
                        + "correction and refused add up to \(answered)")
            }
        }
        return "\(counted(events, "event")) of \(counted(days, "arrival day"))"
    }
}
