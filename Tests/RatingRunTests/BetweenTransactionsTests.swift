// Events that are stored between the transactions of a rating, as a daemon stores them (Billing rules, sections 4 and 6).

import GRDB
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Verification

@Suite("Events between the transactions of a rating and its sealing", .computing)
struct BetweenTransactionsTests {
    /// Days 1 to 7 of usage; so many devices that sealing them takes several slices.
    private func fixture() throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-01T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop", "kiosk"])
        try fixture.addTenant("bcme", apps: ["stall"])
        for day in 1...7 {
            let noon = "2027-01-0\(day)T12:00:00Z"
            try fixture.set(now: noon)
            let devices = day == 2 ? 0..<12_000 : day * 100..<day * 100 + 300
            _ = try fixture.ingest(devices.map { EventLine.device("d\($0)", at: noon).text })
            _ = try fixture.ingest(
                ["shop", "kiosk", "stall"].map { EventLine.calls(10, id: "\($0)-\(day)", at: noon, app: $0).text })
        }
        try fixture.set(now: "2027-01-08T12:00:00Z")
        return fixture
    }

    /// What arrives meanwhile: devices that are known, new, and late, and calls for every tenant.
    private func arrivals(_ number: Int) -> [String] {
        let today = "2027-01-08T11:00:00Z"
        return [
            EventLine.device("d\(number)", at: today).text, EventLine.device("new-\(number)", at: today).text,
            EventLine.device("d\(11_000 + number)", at: "2027-01-07T09:00:00Z").text,
            EventLine.device("late-\(number)", at: "2027-01-03T09:00:00Z").text,
            EventLine.calls(1, id: "m\(number)", at: "2027-01-06T09:00:00Z", app: number % 2 == 0 ? "stall" : "shop")
                .text,
        ]
    }

    private static let views = [
        "SELECT * FROM usage_daily ORDER BY 1, 2, 3, 4, 5", "SELECT * FROM mau ORDER BY 1, 2, 3, 4",
        "SELECT * FROM counted_device ORDER BY 1, 2, 3, 4, 5, 6, 7", "SELECT * FROM usage_event ORDER BY 1, 2, 3",
        """
        SELECT posted_day, usage_day, tenant, app, item, source, tier, quantity, amount_micros, price_version, run_id
        FROM ledger
        ORDER BY entry_id
        """,
    ]

    @Test("count as if they had come after it, and the evidence is exact at every moment")
    func interleaved() throws {
        let interleaved = try fixture()
        var count = 0
        interleaved.ledger.betweenTransactions = {
            count += 1
            _ = try interleaved.ingest(arrivals(count))
            let (evidence, counted) = try interleaved.ledger.file.read { database in
                (
                    try Int.fetchOne(database, sql: "SELECT count(*) FROM counted_device"),
                    try Int.fetchOne(database, sql: "SELECT sum(devices) FROM mau")
                )
            }
            #expect(evidence == counted)
        }
        _ = try interleaved.ledger.rate(#require(Day("2027-01-07")), clock: interleaved.clock)
        interleaved.ledger.betweenTransactions = {}
        #expect(count > 10, "nothing came in between")

        let serial = try fixture()
        _ = try serial.ledger.rate(#require(Day("2027-01-07")), clock: serial.clock)
        for number in 1...count { _ = try serial.ingest(arrivals(number)) }

        for fixture in [interleaved, serial] {
            // The next process reads from the file what this one has in memory.
            try fixture.reopen()
            _ = try fixture.ingest(arrivals(5_000))
            _ = try fixture.ledger.rate(#require(Day("2027-01-08")), clock: fixture.clock)
        }
        for view in Self.views { #expect(try interleaved.rows(view) == serial.rows(view), "\(view)") }
        #expect(try Verification(file: interleaved.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("may end it at any of those moments: the next rating completes the same ledger")
    func ended() throws {
        struct Stop: Error {}
        let whole = try fixture()
        _ = try whole.ledger.rate(#require(Day("2027-01-08")), clock: whole.clock)
        let views =
            Self.views.dropLast() + [
                """
                SELECT posted_day, usage_day, tenant, app, item, source, tier, quantity, amount_micros, price_version
                FROM ledger
                ORDER BY entry_id
                """
            ]
        for moment in [1, 2, 5, 9, 12] {
            let ended = try fixture()
            var count = 0
            ended.ledger.betweenTransactions = {
                count += 1
                if count == moment { throw Stop() }
            }
            #expect(throws: Stop.self) { try ended.ledger.rate(#require(Day("2027-01-08")), clock: ended.clock) }
            ended.ledger.betweenTransactions = {}
            // Whatever stands half-done is no contradiction: a backup may be made, and proven, just now.
            #expect(try Verification(file: ended.ledger.file).run { _ in }.findings.map(\.sentence) == [])
            _ = try ended.ledger.rate(#require(Day("2027-01-08")), clock: ended.clock)
            for view in views { #expect(try ended.rows(view) == whole.rows(view), "\(view), ended at \(moment)") }
        }
    }
}
