// Whether every event received ended in exactly one way, every record comes from one that was taken, and everything in
// quarantine from one that was refused.

import GRDB
import LedgerStore
import Quantities
import Storage
import UsageStore

extension Check {
    static var outcomes: Check {
        Check(name: "outcomes") { slices, findings in
            var quarantined = try Quarantined(slices, &findings)
            let kept = quarantined.count
            // A few rows a day: all of them together are few. A batch adds to all of them in one transaction.
            return try slices.read { database in
                let statement = try RawStatement(
                    database,
                    """
                    WITH counted AS (
                        SELECT
                            arrival_day,
                            sum(CASE WHEN outcome = 'received' THEN events ELSE 0 END) AS received,
                            sum(CASE WHEN outcome <> 'received' THEN events ELSE 0 END) AS answered,
                            sum(CASE WHEN outcome IN ('accepted', 'correction') THEN events ELSE 0 END) AS taken,
                            sum(CASE WHEN outcome = 'refused' THEN events ELSE 0 END) AS refused
                        FROM outcome_counter
                        GROUP BY arrival_day
                    )
                    SELECT
                        arrival_day, received, answered, taken, refused,
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
                    let (taken, refused, records) = (statement.integer(3), statement.integer(4), statement.integer(5))
                    if records > taken {
                        findings.add("\(label): \(taken) events taken, but \(counted(records, "record")) stored")
                    }
                    quarantined.compare(day(statement.integer(0)), refused: refused, &findings)
                }
                quarantined.compareRest(&findings)
                return "\(counted(events, "event")) of \(counted(days, "arrival day")), \(kept) in quarantine"
            }
        }
    }
}

/// The events in quarantine, by arrival day.
///
/// Each was kept at a refusal of its own. So whatever comes and goes while they are read, in the end no more of them were
/// seen than events were refused.
private struct Quarantined {
    private var events: [Day: Int64] = [:]
    private(set) var count = 0
    /// An event has up to 64 KiB.
    private static let rowsPerSlice = 500

    init(_ slices: Slices, _ findings: inout Findings) throws {
        let key = FingerprintKey(try slices.read { try LedgerProperties.read($0) }.fingerprintKey)
        var present = PresentDays()
        let sql = """
            SELECT quarantine_id, arrived_at, event, digest
            FROM quarantine
            WHERE quarantine_id > ?1
            ORDER BY quarantine_id
            LIMIT ?2
            """
        try slices.scan(sql, atMost: Self.rowsPerSlice) { row, database in
            count += 1
            let event = "event \(row.integer(0)) in quarantine"
            if !key.quarantined(row.bytes(2)).bytes.elementsEqual(row.bytes(3)) {
                findings.add("\(event) is not the one that was refused: its bytes have another digest")
            }
            let arrival = Instant(micros: row.integer(1))
            guard let day = try present.date(of: arrival, database) else {
                findings.add("\(event) arrived at \(arrival), when the ledger was not there")
                return
            }
            events[day, default: 0] += 1
        }
    }

    /// Compares an arrival day with how many of its events were refused.
    mutating func compare(_ day: Day, refused: Int64, _ findings: inout Findings) {
        guard let kept = events.removeValue(forKey: day), kept > refused else { return }
        findings.add("arrival day \(day): \(counted(refused, "event")) refused, but \(kept) in quarantine")
    }

    /// Compares the days on which nothing arrived.
    mutating func compareRest(_ findings: inout Findings) {
        for day in events.keys.sorted() { compare(day, refused: 0, &findings) }
    }
}
