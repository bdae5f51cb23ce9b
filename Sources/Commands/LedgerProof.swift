// Proving a copy of a ledger before it gets its name: everything in it agrees.

import Accounting
import EventCodec
import GRDB
import LedgerStore
import Quantities
import Storage
import Verification

/// What was proven of a copy, for people and programs.
struct LedgerProof {
    private let report: VerificationReport

    /// - Parameters:
    ///   - machine: the clock that a ledger without a test clock goes by; nil where the copy is not to be used yet.
    ///   - refusal: says, after the number of contradictions, what is not done therefore, and the way out.
    /// - Throws: ``Failure`` when the copy contradicts itself, once the contradictions are told.
    init(of copy: LedgerFile, machine: MachineClock? = nil, refusal: (_ contradictions: String) -> String) throws {
        var progress = Progress(totalBytes: nil)
        report = try Verification(file: copy, machine: machine).run { progress.show("checking \($0)") }
        progress.end()
        guard !report.isSound else { return }
        for finding in report.findings { Terminal.error("\(finding.check): \(finding.sentence.fitToShow)") }
        let count = report.checks.reduce(0) { $0 + $1.findingCount }
        throw Failure(refusal(counted(count, "contradiction")))
    }

    /// - Parameters:
    ///   - text: what was done, for people.
    ///   - file: what was made.
    func print(_ output: FormatOptions, _ text: String, file: String) {
        let head = report.chainHead
        switch output.format {
        case .text:
            Terminal.print("\(text); it agrees in all \(report.checks.count) checks")
            Terminal.print("head: " + (head.map { "\($0)" } ?? "no entry yet"))
        case .json:
            let json = head.map { VerifyCommand.json($0, output.numbers) } ?? "null"
            Terminal.print("{\"file\":\(JSONText.quoted(file)),\"chain_head\":\(json)}")
        case .csv:
            RowPrinter(
                columns: ["file", "entry_id", "hash"],
                rows: [[file.databaseValue, (head?.entryID).databaseValue, (head?.hexadecimal).databaseValue]]
            ).printCSV()
        }
    }
}
