// The head of the chain, kept elsewhere; and the chain followed by a program that shares nothing with meterd.

import Accounting
import BuiltProgram
import Foundation
import GRDB
import LedgerStore
import Storage
import TestSupport
import Testing
import Verification

@Suite("A head of the chain that was kept elsewhere", .computing)
struct ChainHeadTests {
    private static func head(_ ledger: RichLedger) throws -> ChainHead {
        try LedgerFile.openForReading(at: ledger.path).read { try ChainHead.last($0) }
    }

    private static func report(_ mutant: Mutant, expecting head: ChainHead) throws -> VerificationReport {
        try mutant.report(expecting: head)
    }

    @Test("is one check more, with nothing to say of the ledger that it was taken from")
    func kept() throws {
        let ledger = try RichLedger.make()
        let head = try Self.head(ledger)
        let report = try ledger.verify(expecting: head)
        #expect(report.isSound)
        #expect(report.checks.map(\.name) == Verification.checkNames + ["head"])
        #expect(report.chainHead == head)
        #expect(try ledger.verify(expecting: .origin).isSound)
    }

    /// Whoever rewrites everything leaves nothing else to find.
    private static let rewritten = Mutant(
        "", "UPDATE ledger_entry SET reason = 'as agreed' WHERE entry_id = 3", [], rechained: true)

    @Test("tells of a ledger that was rewritten as a whole, which nothing else does")
    func rewritten() throws {
        let head = try Self.head(RichLedger.make())
        #expect(try Self.rewritten.report().isSound)
        let findings = try Self.rewritten.report(expecting: head).findings
        #expect(findings.map(\.check) == ["head"])
        let sentence = findings.first?.sentence ?? ""
        #expect(sentence.hasPrefix("entry \(head.entryID) has hash "))
        #expect(sentence.hasSuffix("; when it was noted it had \(head.hexadecimal)"))
    }

    @Test("tells of entries that were cut off the end")
    func cutOff() throws {
        let head = try Self.head(RichLedger.make())
        let cut = Mutant("", "DELETE FROM ledger_entry WHERE entry_id > 4", [])
        let findings = try cut.report(expecting: head).findings.filter { $0.check == "head" }
        #expect(findings.map(\.sentence) == ["entry \(head.entryID) is not there: the ledger ends with entry 4"])
    }

    @Test("is the same for a copy that SQLite makes, in which all agrees too")
    func copy() throws {
        let ledger = try RichLedger.make()
        let path = ledger.folder.appending(path: "copy.db").path
        let (source, copy) = (try DatabaseQueue(path: ledger.path), try DatabaseQueue(path: path))
        try source.backup(to: copy)
        try source.close()
        try copy.close()
        let report = try Verification(file: LedgerFile.openForReading(at: path)).run { _ in }
        #expect(report.isSound)
        #expect(try report.chainHead == Self.head(ledger))
    }

    // MARK: Another program

    private static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What `scripts/verify-chain` says of a file.
    private static func verifyChain(_ path: String, _ head: String...) async throws -> (
        end: ChildProcess.End?, said: String
    ) {
        let folder = try RichLedger.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (output, errors) = (folder.appending(path: "output").path, folder.appending(path: "errors").path)
        let program = try ChildProcess(
            "/usr/bin/env", ["python3", project.appending(path: "scripts/verify-chain").path, path] + head,
            environment: ProcessInfo.processInfo.environment, output: output, errors: errors)
        let end = try await program.end()
        let said = try [output, errors].map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        return (end, said)
    }

    @Test("is the one that scripts/verify-chain comes to")
    func otherProgram() async throws {
        let ledger = try RichLedger.make()
        let (end, said) = try await Self.verifyChain(ledger.path)
        #expect(end == .exited(0))
        #expect(try said == "\(Self.head(ledger))\n")
    }

    @Test("that was kept is looked for by scripts/verify-chain, too")
    func keptHead() async throws {
        let ledger = try RichLedger.make()
        let first = try LedgerFile.openForReading(at: ledger.path).read { try ChainHead.last(through: 1, $0) }
        let kept = "\(first)"
        #expect(try await Self.verifyChain(ledger.path, kept).end == .exited(0))
        let (end, said) = try await Self.verifyChain(ledger.path, "2" + kept.dropFirst())
        #expect(end == .exited(1))
        #expect(said.hasPrefix("the chain is whole, up to \(try Self.head(ledger)), but never was 2:"), "\(said)")
    }

    private static let broken = [
        ("UPDATE ledger_entry SET amount_micros = amount_micros + 1 WHERE entry_id = 5", "entry 5: its hash is "),
        ("UPDATE ledger_entry SET reason = 'as agreed' WHERE entry_id = 7", "entry 7: its hash is "),
        ("UPDATE ledger_entry SET hash = zeroblob(32) WHERE entry_id = 2", "entry 2: its hash is "),
        ("DELETE FROM ledger_entry WHERE entry_id = 3", "entry 3: entry 4 stands in its place"),
    ]

    @Test("is not come to where an entry was changed: both name the same entry", arguments: broken.indices)
    func brokenChain(index: Int) async throws {
        let (sql, words) = Self.broken[index]
        let (ledger, report) = try Mutant("", sql, []).tampered()
        let (end, said) = try await Self.verifyChain(ledger.path)
        #expect(end == .exited(1))
        #expect(said.hasPrefix("the chain breaks at \(words)"), "\(said)")
        let entry = said.dropFirst("the chain breaks at ".count).prefix { $0 != ":" }
        let sentence = report.findings.first { $0.check == "chain" }?.sentence ?? ""
        #expect(sentence.contains("\(entry) has hash") || sentence.contains("follows entry 2"), "\(sentence)")
    }
}
