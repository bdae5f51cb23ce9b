// meterd verify: whether everything in the ledger agrees.

import Accounting
import ArgumentParser
import EventCodec
import GRDB
import LedgerStore
import Quantities
import Storage
import Verification

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that everything in the ledger agrees; changes nothing.",
        discussion: """
            Recounts counters from the evidence, adds up entries and grants, rates everything anew, and follows the chain \
            of hashes. When the file itself is broken, the other checks are not made. The exit status is 1 when something \
            is wrong. It reads in short transactions, so it may run beside a daemon at any time. Only the check of SQLite's \
            own pages reads a whole table at a time; the ledger's log grows while a large table is read.

            Note the chain's head now and then, and keep it on another machine: 'meterd verify --head' prints it. Given \
            back with --expect-head, it shows even that the ledger was rewritten as a whole or cut off at its end. A head \
            that was noted after a backup is missing once that backup is restored: then check the head that 'meterd \
            backup' and 'meterd restore' printed, and note a new one.
            """)

    @Flag(name: .customLong("head"), help: "Print the chain's head as ENTRY:HASH, and check nothing.")
    var printsHead = false

    @Option(
        help: ArgumentHelp(
            "Check also that the ledger still has this entry; give a head that was printed before.",
            valueName: "entry:hash"),
        transform: Self.head)
    var expectHead: ChainHead?

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    func validate() throws {
        if printsHead, expectHead != nil {
            throw ValidationError("--head only prints the head; leave it out to have --expect-head checked")
        }
    }

    private static func head(_ text: String) throws -> ChainHead {
        guard let head = ChainHead(text) else {
            throw ValidationError(
                "write a head as 'meterd verify --head' prints it: ENTRY:HASH, a number and 64 hexadecimal digits")
        }
        return head
    }

    func run() throws {
        if printsHead { return try printHead() }
        let report = try report()
        switch output.format {
        case .text: printText(report)
        case .json: printJSON(report)
        case .csv:
            RowPrinter(
                columns: ["check", "finding"],
                rows: report.findings.map { [$0.check.databaseValue, $0.sentence.databaseValue] }
            ).printCSV()
        }
        guard report.isSound else { throw ExitCode(1) }
    }

    /// The head of a ledger without entries is the chain's beginning: entry 0, and 64 zeros.
    private func printHead() throws {
        let head = try options.openForReading().read { try ChainHead.last($0) }
        switch output.format {
        case .text: Terminal.print("\(head)")
        case .json: Terminal.print(Self.json(head, output.numbers))
        case .csv:
            RowPrinter(
                columns: ["entry_id", "hash"], rows: [[head.entryID.databaseValue, head.hexadecimal.databaseValue]]
            ).printCSV()
        }
    }

    static func json(_ head: ChainHead, _ numbers: NumberForm) -> String {
        "{\"entry_id\":\(numbers.json(head.entryID)),\"hash\":\(JSONText.quoted(head.hexadecimal))}"
    }

    private func report() throws -> VerificationReport {
        let ledger: LedgerFile
        do {
            ledger = try options.openForReading()
        } catch StorageError.damaged(let path, let reason) {
            return Verification.report(onDamaged: path, reason: reason)
        }
        var progress = Progress(totalBytes: nil)
        defer { progress.end() }
        return try Verification(file: ledger, machine: .system).run(expecting: expectHead) {
            progress.show("checking \($0)")
        }
    }

    private func printText(_ report: VerificationReport) {
        for check in report.checks {
            let verdict = check.findingCount == 0 ? "ok   " : "WRONG"
            Terminal.print("\(verdict)  \(check.name): \(check.compared)")
            for finding in check.findings { Terminal.print("       \(finding.sentence.fitToShow)") }
            if check.untold > 0 { Terminal.print("       … and \(grouped(check.untold)) more") }
        }
        for note in report.notes { Terminal.print("note: \(note)") }
        if let head = report.chainHead { Terminal.print("head: \(head)") }
        let count = report.checks.reduce(0) { $0 + $1.findingCount }
        if report.isSound {
            Terminal.print("the ledger agrees in all \(report.checks.count) checks")
        } else if let advice = Self.headAdvice(report) {
            for line in advice { Terminal.print(line) }
        } else {
            Terminal.print(
                "\(counted(count, "contradiction")) found; restore a backup, or ask for help with this output")
        }
    }

    /// What to do where the noted head is all that is wrong, which a planned restore makes it too.
    private static func headAdvice(_ report: VerificationReport) -> [String]? {
        guard !report.isSound, report.findings.allSatisfy({ $0.check == Verification.headCheckName }) else {
            return nil
        }
        return [
            "all checks agree except the head",
            "If a backup was restored that is older than the noted head, this is to be expected. Give --expect-head the head "
                + "that 'meterd backup' and 'meterd restore' printed: if the ledger has that one, nothing is wrong. Record "
                + "again what came after the backup ('meterd help restore') and note a new head with 'meterd verify --head'.",
            "If no backup was restored, entries were removed or rewritten. Move the ledger aside and restore the newest "
                + "backup with 'meterd restore'.",
        ]
    }

    private func printJSON(_ report: VerificationReport) {
        let checks = report.checks.map { check in
            let findings = check.findings.map { JSONText.quoted($0.sentence) }.joined(separator: ",")
            return "{\"check\":\(JSONText.quoted(check.name)),\"compared\":\(JSONText.quoted(check.compared)),"
                + "\"finding_count\":\(output.numbers.json(check.findingCount)),\"findings\":[\(findings)]}"
        }
        let notes = (report.notes + (Self.headAdvice(report) ?? [])).map(JSONText.quoted)
            .joined(separator: ",")
        let head = report.chainHead.map { Self.json($0, output.numbers) } ?? "null"
        Terminal.print(
            "{\"sound\":\(report.isSound),\"checks\":[\(checks.joined(separator: ","))],\"notes\":[\(notes)],"
                + "\"chain_head\":\(head)}")
    }
}
