// Whether everything in a ledger's file agrees with everything else, read and never written.

package import Accounting
package import GRDB
package import LedgerStore
import Quantities
package import Storage

/// Verifies an open ledger file. It reads in short transactions, so another process may write meanwhile.
package struct Verification {
    private let file: LedgerFile
    private let slices: Slices
    private let machine: MachineClock?

    /// - Parameters:
    ///   - machine: the clock that a ledger without a test clock goes by, if what the ledger has recorded is to be compared
    ///     with it: a copy is as good as its ledger, whatever this machine's clock shows.
    ///   - begin: called first in each read transaction.
    ///   - between: called after each read transaction.
    package init(
        file: LedgerFile, bounds: Bounds = Bounds(), machine: MachineClock? = nil,
        begin: @escaping (Database) throws -> Void = { _ in },
        between: @escaping () throws -> Void = {}
    ) {
        self.file = file
        self.machine = machine
        slices = Slices(file, bounds, begin: begin, between: between)
    }

    /// In the order in which they are made: from what arrived to what was billed.
    private static func checks(_ machine: MachineClock? = nil) -> [Check] {
        [
            .days(machine), .counters, .evidence, .identities, .outcomes, .usage, .grants, .totals, .rating, .finality,
            .chain,
        ]
    }

    private static func checks(expecting head: ChainHead?, _ machine: MachineClock? = nil) -> [Check] {
        checks(machine) + (head.map { [.head(expected: $0)] } ?? [])
    }

    /// The name of the check of a head that was noted.
    package static let headCheckName = "head"

    /// The names of all checks, in order.
    package static var checkNames: [String] { [Check.fileName] + checks().map(\.name) }

    /// Makes every check. When the file itself is broken, the others are not made: they rely on what they read.
    ///
    /// - Parameters:
    ///   - expected: a head of the chain that was kept elsewhere: whether the ledger still has that entry is a check more.
    ///   - progress: is told the name of each check as it begins.
    /// - Throws: ``StorageError``, `DatabaseError` when the file could not be read now (as when it stays locked), not for
    ///   what it holds.
    package func run(
        expecting expected: ChainHead? = nil, progress: (String) -> Void
    ) throws -> VerificationReport {
        var report = VerificationReport()
        progress(Check.fileName)
        try make(.file(at: file.path), in: &report)
        guard report.isSound else {
            report.notes = Self.notesOnBrokenFile(file.path, expected)
            return report
        }
        for check in Self.checks(expecting: expected, machine) {
            progress(check.name)
            try make(check, in: &report)
        }
        report.notes += try slices.read { try Self.notes($0) + Self.notes($0, machine) }
        if let permissions = file.tooWidePermissions {
            report.notes.append(
                "\(file.path) has permissions \(permissions), wider than the 640 that meterd gives it; "
                    + "unless you mean that, run chmod 640 \(file.path)")
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

    private static func notesOnBrokenFile(_ path: String, _ expected: ChainHead? = nil) -> [String] {
        let others = checks(expecting: expected).map(\.name).joined(separator: ", ")
        return [
            "these checks were not made, they could not rely on what they read: \(others); 'scripts/verify-chain' follows "
                + "the chain all the same",
            "\(path): \(StorageError.wayOutOfDamage(path))",
        ]
    }

    private func make(_ check: Check, in report: inout VerificationReport) throws {
        var findings = Findings(check: check.name)
        var compared = "not finished"
        do {
            compared = try check.compare(slices, &findings)
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
        report.checks.append(
            VerificationReport.Check(
                name: check.name, compared: compared, findings: findings.list, findingCount: findings.count))
        report.chainHead = findings.chainHead ?? report.chainHead
    }

    /// Failures that say nothing about what the file holds, besides those that come as ``StorageError``.
    private static let passing: [ResultCode] = [.SQLITE_LOCKED, .SQLITE_INTERRUPT, .SQLITE_NOMEM, .SQLITE_CANTOPEN]

    private static func notes(_ database: Database) throws -> [String] {
        guard try LedgerState.read(database).hasUnratedChanges else { return [] }
        let changes =
            try Int64.fetchOne(database, sql: "SELECT change_count - rated_change_count FROM ledger_state") ?? 0
        return ["\(counted(changes, "change")) since the last rating run: run meterd rate"]
    }

    /// A clock that ran ahead for some days and was set right leaves nothing wrong.
    private static func notes(_ database: Database, _ machine: MachineClock?) throws -> [String] {
        guard let ahead = try AheadOfClock(database, machine), !ahead.isFar else { return [] }
        return [
            "the latest instant that the ledger has recorded is \(ahead.latest), and this machine's clock shows "
                + "\(ahead.now): if the clock ran ahead and is right now, run 'meterd clock confirm'"
        ]
    }
}

/// One check: a name that users see, and a comparison that says in numbers what it compared.
struct Check {
    let name: String
    let compare: (Slices, inout Findings) throws -> String
}
