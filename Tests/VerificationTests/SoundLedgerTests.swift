// Ledgers that nothing is wrong with, and what a report says of them.

import Accounting
import Testing
import Verification

@Suite("A ledger that nobody tampered with")
struct SoundLedgerTests {
    @Test("verifies without findings, and each check says what it compared")
    func sound() throws {
        let report = try RichLedger.make().verify()
        #expect(report.findings.map(\.sentence) == [])
        #expect(report.isSound)
        #expect(report.notes == [])
        #expect(report.checks.map(\.name) == Verification.checkNames)
    }

    @Test("has a head of its chain")
    func head() throws {
        let report = try RichLedger.make().verify()
        #expect(report.chainHead?.hexadecimal.utf8.count == 64)
    }

    @Test("verifies with a note while changes wait to be rated")
    func unrated() throws {
        let ledger = try RichLedger.make()
        try ledger.takeUnratedUsage()
        let report = try ledger.verify()
        #expect(report.findings.map(\.sentence) == [])
        #expect(report.notes == ["1 change since the last rating run: run meterd rate"])
    }

    @Test("tells the name of each check as it begins")
    func progress() throws {
        let ledger = try RichLedger.make()
        var names: [String] = []
        _ = try ledger.verify { names.append($0) }
        #expect(names == Verification.checkNames)
    }

    @Test("is one to which a rating has nothing to add, and the other way round")
    func ratingAgain() throws {
        let ledger = try RichLedger.make()
        #expect(try ledger.ratingWouldAppend() == 0)
        try ledger.takeUnratedUsage()
        #expect(try ledger.ratingWouldAppend() == 1)
    }
}
