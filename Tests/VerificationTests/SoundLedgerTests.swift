// Ledgers that nothing is wrong with, and what a report says of them.

import Accounting
import Foundation
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Verification

@Suite("A ledger that nobody tampered with", .computing)
struct SoundLedgerTests {
    @Test("has the same head and contents after it was restored from a copy")
    func restored() throws {
        let ledger = try RichLedger.make()
        let path = ledger.folder.appending(path: "restored.db").path
        var proven: ChainHead?
        try LedgerFile.restore(ledger.path, as: path) { copy in
            let report = try Verification(file: copy).run { _ in }
            #expect(report.findings.map(\.sentence) == [])
            proven = report.chainHead
        }
        #expect(try ledger.verify().chainHead == proven)
        #expect(try LedgerContents.read(at: path) == LedgerContents.read(at: ledger.path))
    }

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

    @Test("verifies with a purchase of a day on which nothing happened, in the middle of its time and before it")
    func purchaseBetweenItsDays() throws {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(5, id: "1").text)
        try fixture.set(now: "2027-03-20T12:00:00Z")
        _ = try fixture.ingest(EventLine.calls(5, id: "2", at: "2027-03-20T10:00:00Z").text)
        for (code, micros) in [("early", 1_793_500_000_000_000), ("between", 1_800_800_000_000_000)]
            as [(String, Int64)]
        {
            let order = GrantOrder(
                code: LedgerFixture.code(code), tenant: LedgerFixture.code("acme"),
                terms: .resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(44)),
                purchasedAt: Instant(micros: micros), price: nil)
            _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
        }
        // Between its days there are some that it has not used.
        #expect(try fixture.rows("SELECT count(*) FROM day_start WHERE starts_at / 86400000000 = 20842") == ["0"])
        let report = try Verification(file: fixture.ledger.file).run { _ in }
        #expect(report.findings.map(\.sentence) == [])
    }
}
