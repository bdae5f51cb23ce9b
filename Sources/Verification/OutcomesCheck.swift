// Whether every event received ended in exactly one way, every record comes from one that was taken, and everything in
// quarantine from one that was refused.

import EventCodec
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
                var events = Quantity.zero
                while try statement.step() {
                    days += 1
                    let (received, answered) = (statement.integer(1), statement.integer(2))
                    try events += Quantity(received)
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
                try codes(quarantined, database, &findings)
                return "\(counted(events.units, "event")) of \(counted(days, "arrival day")), \(kept) in quarantine"
            }
        }
    }
}

extension Check {
    /// Refusals have codes, other outcomes none; what is in quarantine was refused with the code that stands there.
    private static func codes(
        _ quarantined: Quarantined, _ database: Database, _ findings: inout Findings
    ) throws {
        var refused: [String: Int64] = [:]
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT outcome, code, sum(events) AS events, min(arrival_day) AS arrival_day
                FROM outcome_counter
                GROUP BY outcome, code
                ORDER BY outcome, code
                """)
        for row in rows {
            let (outcome, code): (String, String) = (row["outcome"], row["code"])
            if outcome == "refused" { refused[code] = row["events"] }
            if outcome == "refused" ? RefusalCode(rawValue: code) == nil : !code.isEmpty {
                findings.add("arrival day \(day(row["arrival_day"])): events \(outcome) with code '\(code)'")
            }
        }
        for (code, kept) in quarantined.codes.sorted(by: { $0.key < $1.key }) where kept > refused[code] ?? 0 {
            findings.add(
                "\(counted(refused[code] ?? 0, "event")) refused with code '\(code)', but \(kept) in quarantine with it"
            )
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
    /// How many of them there are by the code of their last refusal.
    private(set) var codes: [String: Int64] = [:]
    /// An event has up to 64 KiB.
    private static let rowsPerSlice = 50

    init(_ slices: Slices, _ findings: inout Findings) throws {
        let key = FingerprintKey(try slices.read { try LedgerProperties.read($0) }.fingerprintKey)
        var present = PresentDays()
        let sql = """
            SELECT quarantine_id, arrived_at, event, digest, code
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
            codes[String(decoding: row.bytes(4), as: UTF8.self), default: 0] += 1
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
