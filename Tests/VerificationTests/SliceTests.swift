// How much a verification reads in one transaction: no more in a ledger that is larger.

import GRDB
import GRDBSQLite
import LedgerFixture
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import UsageStore
import Verification

@Suite("A verification reads in short transactions", .computing)
struct SliceTests {
    /// Counts what SQLite does in each transaction.
    private final class Work {
        private var operations = 0
        private var check = ""
        /// The most in one transaction, by check.
        private(set) var most: [String: Int] = [:]
        private(set) var transactions = 0

        func begin(_ database: Database) {
            operations = 0
            transactions += 1
            sqlite3_progress_handler(
                database.sqliteConnection, 1,
                { context in
                    guard let context else { return 0 }
                    Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().operations += 1
                    return 0
                }, Unmanaged.passUnretained(self).toOpaque())
        }

        func end() { most[check] = max(most[check] ?? 0, operations) }

        func next(_ name: String) { check = name }
    }

    /// A ledger of so many days with so many devices and calls each; all but the last three days are settled and sealed.
    private static func ledger(days: Int, each count: Int) throws -> LedgerFixture {
        let ledger = try LedgerFixture(now: "2027-01-01T08:00:00Z")
        try ledger.addTenant("acme", apps: ["shop", "kiosk"])
        for day in 1...days {
            let time = "2027-01-\(day < 10 ? "0" : "")\(day)T10:00:00Z"
            try ledger.set(now: time)
            _ = try ledger.ingest(
                (0..<count).flatMap { number in
                    [
                        EventLine.device("device-\(number)-\(day)", at: time, app: number % 2 == 0 ? "shop" : "kiosk")
                            .text,
                        EventLine.calls(1, id: "call-\(number)-\(day)", at: time).text,
                    ]
                })
        }
        guard let last = Day("2027-01-\(days < 10 ? "0" : "")\(days)") else { preconditionFailure("no such day") }
        _ = try ledger.ledger.rate(last, clock: ledger.clock)
        return ledger
    }

    private static func work(_ ledger: LedgerFixture) throws -> (work: Work, report: VerificationReport) {
        var bounds = Verification.Bounds()
        bounds.rowsPerSlice = 20
        bounds.sortedBytes = 2_000
        let work = Work()
        let file = try LedgerFile.openForReading(at: ledger.path)
        let report = try Verification(file: file, bounds: bounds, begin: work.begin, between: work.end).run {
            work.next($0)
        }
        return (work, report)
    }

    /// What is told of a ledger that is verified while something happens to it after so many reads; nil where there are
    /// not so many.
    ///
    /// - Parameter tampering: what was done to it before.
    private static func findings(
        after reads: Int, tampering: String = "", _ happens: @escaping (LedgerFixture) throws -> Void
    ) throws -> [String]? {
        let ledger = try ledger(days: 4, each: 3)
        _ = try ledger.ingest((0..<5).map { stray("\($0)") })
        if !tampering.isEmpty { try ledger.execute(tampering) }
        var bounds = Verification.Bounds()
        bounds.rowsPerSlice = 2
        var count = 0
        let file = try LedgerFile.openForReading(at: ledger.path)
        let verification = Verification(
            file: file, bounds: bounds,
            between: {
                count += 1
                if count == reads { try happens(ledger) }
            })
        let report = try verification.run { _ in }
        return count < reads ? nil : report.findings.map { "\($0.check): \($0.sentence)" }
    }

    private static func stray(_ id: String) -> String {
        EventLine.calls(3, id: id, at: "2027-01-04T10:00:00Z", app: "nowhere").text
    }

    enum Meanwhile: CaseIterable {
        case events
        /// One more is refused, all that were are retried, and none is kept in the end.
        case quarantine
        /// Of a tenant that is new, rated at once.
        case newTenant
        /// And their day is settled and sealed.
        case settledEvents

        func happen(to ledger: LedgerFixture) throws {
            let time = "2027-01-04T11:00:00Z"
            try ledger.set(now: time)
            if self == .newTenant { try ledger.addTenant("bolt", apps: ["game"]) }
            if self == .quarantine {
                _ = try ledger.ingest([stray("late")])
                _ = try ledger.retryQuarantine()
                _ = try ledger.ledger.dropQuarantine(ids: [], clock: ledger.clock)
            }
            let app = self == .newTenant ? "game" : "shop"
            _ = try ledger.ingest([
                EventLine.device("new", at: time, app: app).text,
                EventLine.calls(3, id: "new", at: time, app: app).text,
            ])
            switch self {
            case .events, .quarantine: break
            case .newTenant: _ = try ledger.ledger.rate(#require(Day("2027-01-04")), clock: ledger.clock)
            case .settledEvents:
                try ledger.set(now: "2027-01-09T12:00:00Z")
                _ = try ledger.ledger.rate(#require(Day("2027-01-08")), clock: ledger.clock)
            }
        }
    }

    @Test("so that much may happen between any two of them, and nothing is found", arguments: Meanwhile.allCases)
    func meanwhile(_ meanwhile: Meanwhile) throws {
        // Every third: each check has many.
        var reads = 1
        while let findings = try Self.findings(after: reads, meanwhile.happen) {
            #expect(findings == [], "after \(reads) reads")
            reads += 3
        }
        #expect(reads > 60)
    }

    @Test("so that a device under two numbers is found, also where one of them is filed between any two")
    func filedMeanwhile() throws {
        let twice = """
            INSERT INTO device SELECT device_id, name, fingerprint FROM new_device;
            DELETE FROM new_device;
            INSERT INTO new_device
            SELECT 1, device_id, (
                SELECT name FROM device AS other
                WHERE other.device_id >> 32 = device.device_id >> 32
                ORDER BY device_id LIMIT 1), NULL
            FROM device
            WHERE device_id = (SELECT max(device_id) FROM device);
            DELETE FROM device WHERE device_id = (SELECT device_id FROM new_device);
            """
        var all = DeviceFiling.Bounds()
        all.fewestDevices = 1
        let bounds = all
        var reads = 1
        while let findings = try Self.findings(
            after: reads, tampering: twice, { try DeviceFiling(file: $0.ledger.file, bounds: bounds).file() })
        {
            #expect(findings.count == 1 && findings[0].hasSuffix("are one and the same"), "\(reads) reads: \(findings)")
            reads += 1
        }
        #expect(reads > 60)
    }

    @Test("each as short in a ledger of ninefold size")
    func bounded() throws {
        let small = try Self.work(Self.ledger(days: 8, each: 20))
        let large = try Self.work(Self.ledger(days: 24, each: 60))
        #expect(small.report.findings == [])
        #expect(large.report.findings == [])
        #expect(large.work.transactions > 4 * small.work.transactions)
        // SQLite checks the pages of a table, and that its indexes hold its rows, in one go.
        for check in Verification.checkNames where check != "file" {
            let (least, most) = (small.work.most[check] ?? 0, large.work.most[check] ?? 0)
            #expect(least > 0, "\(check)")
            // The rows that there are one a day of, as the beginnings of days, are read at once.
            #expect(most < least + 24 * 100 && most < 8_000, "\(check): \(least), then \(most)")
        }
    }
}
