// How many events of each outcome arrived on a day: they add up to the events received.

import EventCodec
import GRDB
import Quantities

enum OutcomeCounters {
    static func add(_ report: BatchReport, arrivalDay: Day, _ database: Database) throws {
        var counts: [(outcome: String, code: String, events: Int)] = [
            ("received", "", report.received), ("accepted", "", report.accepted),
            ("correction", "", report.corrections), ("duplicate", "", report.duplicates),
        ]
        for (code, events) in report.refused { counts.append(("refused", code.rawValue, events)) }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO outcome_counter (arrival_day, outcome, code, events)
                VALUES (?, ?, ?, ?)
                ON CONFLICT (arrival_day, outcome, code) DO UPDATE SET events = events + excluded.events
                """)
        for count in counts where count.events > 0 {
            try statement.execute(arguments: [arrivalDay.number, count.outcome, count.code, count.events])
        }
    }
}
