// Whether everything in a ledger's file agrees with everything else, read and never written.

import Accounting
import Foundation
import GRDB
import LedgerStore
import Quantities
package import Storage

/// Verifies an open ledger file. Each check reads in one transaction, so another process may write meanwhile.
package struct Verification {
    private let file: LedgerFile

    package init(file: LedgerFile) { self.file = file }

    /// In the order in which they are made: from what arrived to what was billed.
    private static let checks: [Check] = [
        .days, .counters, .evidence, .identities, .outcomes, .usage, .grants, .totals, .rating, .chain,
    ]

    /// The names of all checks, in order.
    package static let checkNames = [Check.fileName] + checks.map(\.name)

    /// Makes every check. When the file itself is broken, the others are not made: they rely on what they read.
    ///
    /// - Parameter progress: is told the name of each check as it begins.
    /// - Throws: `DatabaseError` when the file could not be read now (as when it stays locked), not for what it holds.
    package func run(progress: (String) -> Void) throws -> VerificationReport {
        var report = VerificationReport()
        progress(Check.fileName)
        let fileCheck = try make(.file(at: file.path))
        report.checks.append(fileCheck)
        guard fileCheck.findingCount == 0 else {
            report.notes = Self.notesOnBrokenFile(file.path)
            return report
        }
        for check in Self.checks {
            progress(check.name)
            report.checks.append(try make(check))
        }
        try file.read { database in
            report.chainHead = try Self.chainHead(database)
            report.notes += try Self.notes(database)
        }
        return report
    }

    /// The report on a file that can't even be opened.
    ///
    /// - Parameter reason: why not.
    package static func report(onDamaged path: String, reason: String) -> VerificationReport {
        var findings = Findings(check: Check.fileName)
        findings.add("the file can't be read: \(reason)")
        var report = VerificationReport()
        report.checks = [
            VerificationReport.Check(
                name: Check.fileName, compared: "not finished", findings: findings.list,
                findingCount: findings.count)
        ]
        report.notes = notesOnBrokenFile(path)
        return report
    }

    private static func notesOnBrokenFile(_ path: String) -> [String] {
        let others = checks.map(\.name).joined(separator: ", ")
        return [
            "these checks were not made, they could not rely on what they read: \(others)",
            "\(path): \(StorageError.wayOutOfDamage(path))",
        ]
    }

    private func make(_ check: Check) throws -> VerificationReport.Check {
        var findings = Findings(check: check.name)
        var compared = "not finished"
        do {
            // The end of the transaction may fail too: SQLite remembers a damaged page until then.
            try file.read { compared = try check.compare($0, &findings) }
        } catch let error as DatabaseError where Self.passing.contains(error.resultCode.primaryResultCode) {
            throw error
        } catch StorageError.damaged(_, let reason) {
            if findings.count == 0 { findings.add("the file can't be read: \(reason)") }
        } catch let error as StorageError {
            // The disk, or another program: it says nothing about what the file holds.
            throw error
        } catch {
            findings.add("the check could not be finished: \(error)")
        }
        return VerificationReport.Check(
            name: check.name, compared: compared, findings: findings.list, findingCount: findings.count)
    }

    /// Failures that say nothing about what the file holds.
    private static let passing: [ResultCode] = [
        .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_INTERRUPT, .SQLITE_NOMEM, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_CANTOPEN,
    ]

    private static func chainHead(_ database: Database) throws -> VerificationReport.ChainHead? {
        try Row.fetchOne(database, sql: "SELECT entry_id, hash FROM ledger_entry ORDER BY entry_id DESC LIMIT 1").map {
            VerificationReport.ChainHead(
                entryID: $0["entry_id"], hash: Chain.hexadecimal([UInt8]($0["hash"] as Data)))
        }
    }

    private static func notes(_ database: Database) throws -> [String] {
        guard try LedgerState.read(database).hasUnratedChanges else { return [] }
        let changes =
            try Int64.fetchOne(database, sql: "SELECT change_count - rated_change_count FROM ledger_state") ?? 0
        return ["\(counted(changes, "change")) since the last rating run: run meterd rate"]
    }
}

/// One check: a name that users see, and a comparison that says in numbers what it compared.
struct Check: Sendable {
    let name: String
    let compare: @Sendable (Database, inout Findings) throws -> String
}
