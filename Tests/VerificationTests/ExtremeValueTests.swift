// Each integer column of each table, set to what a 64-bit number can be at most: verifying ends, and finds it.

import Foundation
import GRDB
import TestSupport
import Testing

@testable import Verification

@Suite("A value that is beyond all reason", .computing)
struct ExtremeValueTests {
    /// The ends of the range of 64 bits and of 53, beyond any calendar, the last day that a date can say, and the numbers
    /// around nothing.
    private static let values: [Int64] = [
        .min, -1, 0, 1, 2_932_896, 4_000_000, 1 << 53, 1 << 62, .max,
    ]

    /// What nothing in the ledger contradicts, though it is within a column's range, besides what
    /// ``EveryValueTests/untold`` names.
    private static let untold = [
        "identity_run_day.arrival_day": "a day whose identities aren't held any more may be about to be dropped"
    ]

    @Test("ends the verification of the ledger with a finding", arguments: EveryValueTests.columns.filter(\.isInteger))
    func extreme(column: EveryValueTests.Column) throws {
        var missed: [Int64] = []
        for value in Self.values {
            guard let report = try report(column, value) else { continue }
            if report.isSound { missed.append(value) }
        }
        let reason = EveryValueTests.untold[column.testDescription] ?? Self.untold[column.testDescription]
        #expect(missed.isEmpty || reason != nil, "missed: \(missed)")
    }

    /// The ledger as it was made, to look at.
    private static let sound: DatabaseQueue = {
        do {
            let queue = try DatabaseQueue()
            let ledger = try RichLedger.make()
            try DatabaseQueue(path: ledger.path).backup(to: queue)
            return queue
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Nil where no row takes the value: all have it, or another row has it as its key.
    private func report(_ column: EveryValueTests.Column, _ value: Int64) throws -> VerificationReport? {
        let mutant = Mutant(
            "\(column.testDescription): \(value)",
            """
            UPDATE "\(column.table)" SET "\(column.name)" = \(value)
            WHERE (\(column.key)) = (
                SELECT \(column.key) FROM "\(column.table)" WHERE "\(column.name)" IS NOT \(value)
                ORDER BY "\(column.name)" IS NULL, \(column.key)
                LIMIT 1 OFFSET (SELECT count(*) / 3 FROM "\(column.table)" WHERE "\(column.name)" IS NOT \(value)))
            """, [])
        guard try Self.sound.read({ try column.isOtherThan(value, $0) }) else { return nil }
        do {
            return try mutant.report()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return nil
        }
    }

    @Test("is told with its table, its column, the value and the range")
    func sentence() throws {
        let report = try Mutant("", "UPDATE settled_day SET settled_on = \(Int64.max) WHERE day = 20834", []).report()
        #expect(
            report.findings.map(\.sentence) == [
                "table settled_day: 1 row whose settled_on is out of range, as 9223372036854775807; it lies between "
                    + "-3652425 and 3652425"
            ])
        #expect(report.checks.map(\.name) == ["file"])
    }

    @Test("is looked for in every integer column of the schema, by what its name says it holds")
    func everyColumn() {
        for column in EveryValueTests.columns where column.isInteger {
            #expect(StoredKind(column: column.name, of: column.table) != nil, "\(column.testDescription)")
        }
    }

    @Test("makes no passes over a table for rows that a gap in its numbers promises")
    func gaps() throws {
        for sql in [
            "UPDATE touch SET touch_id = touch_id | 0xFFFFFFFFFF WHERE touch_id = (SELECT max(touch_id) FROM touch)",
            "UPDATE usage_record SET record_id = record_id | 0xFFFFFFFFFF "
                + "WHERE record_id = (SELECT max(record_id) FROM usage_record)",
            "UPDATE device SET device_id = device_id | 0xFFFFFFFF WHERE device_id = (SELECT max(device_id) FROM device)",
        ] {
            let start = ContinuousClock.now
            let report = try Mutant(sql, sql, []).report()
            // Hundreds of thousands of passes took hours.
            #expect(ContinuousClock.now - start < Patience.duration)
            #expect(report.checks.map(\.name) == Verification.checkNames)
        }
    }
}

extension EveryValueTests.Column {
    /// Whether a row has another value.
    fileprivate func isOtherThan(_ value: Int64, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM \"\(table)\" WHERE \"\(name)\" IS NOT ?)", arguments: [value])
            ?? false
    }
}
