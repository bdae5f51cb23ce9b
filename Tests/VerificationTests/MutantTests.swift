// Each way of tampering is noticed, by exactly the checks that look there.

import Accounting
import LedgerStore
import Storage
import TestSupport
import Testing
import UsageStore
import Verification

@Suite("A ledger that somebody tampered with", .computing)
struct MutantTests {
    @Test("is found out by exactly the checks that look there", arguments: Mutant.all)
    func mutants(mutant: Mutant) throws {
        let report = try mutant.report()
        #expect(
            Set(report.findings.map(\.check)) == mutant.noticedBy,
            "\(mutant.what): \(report.findings.map { "\($0.check): \($0.sentence)" }.joined(separator: "\n"))")
        #expect(report.findings.contains { $0.sentence.contains(mutant.words) })
    }

    @Test("would not be found out if any of the checks were left out")
    func everyCheckIsNeeded() {
        let alone = Set(Mutant.all.filter { $0.noticedBy.count == 1 }.flatMap(\.noticedBy))
        // Whatever is not rated as it was counted, rating it anew shows too; but that needs the price book.
        let withoutRating = Set(Mutant.all.filter { $0.what == Mutant.countedAndNotRated }.flatMap(\.noticedBy))
        #expect(withoutRating.contains("usage"))
        #expect(alone.union(["usage"]) == Set(Verification.checkNames))
    }

    @Test("is found out by a device that was erased and came back under another number")
    func erasedDevice() throws {
        let ledger = try RichLedger.make()
        let properties = try LedgerFile.openForReading(at: ledger.path).read { try LedgerProperties.read($0) }
        // The folder stays until it is read.
        withExtendedLifetime(ledger) {}
        let key = FingerprintKey(properties.fingerprintKey)
        let name = Array("d2".utf8)
        let fingerprint = name.withUnsafeBufferPointer { key.device($0) }.within(app: key.app(AppID(2)))
        let bytes = Chain.hexadecimal(fingerprint.bytes)
        let mutant = Mutant("", "UPDATE device SET name = NULL, fingerprint = x'\(bytes)' WHERE name = 'd3'", [])
        let findings = try mutant.report().findings
        #expect(findings.map(\.check) == ["evidence"])
        #expect(
            findings.map(\.sentence) == ["devices number 1 of app shop and number 2 of app shop are one and the same"])
    }

    @Test("is not found where devices are only filed later")
    func newDevices() throws {
        let report = try Mutant(
            "",
            """
            INSERT INTO new_device SELECT device_id + 7, device_id, name, fingerprint FROM device WHERE name >= 'd2';
            DELETE FROM device WHERE name >= 'd2'
            """, []
        ).report()
        #expect(report.findings.map(\.sentence) == [])
    }

    @Test("is told in a sentence that names the row and both values")
    func sentence() throws {
        let mutant = Mutant(
            "", "UPDATE ledger_entry SET amount_micros = 1000005 WHERE source = 'overage' AND usage_day < posted_day",
            [])
        let rating = try mutant.report().findings.first { $0.check == "rating" }
        #expect(
            rating?.sentence
                == "tenant acme, posting day 2027-02-03, usage day 2027-01-31, app shop, item gateway_calls, overage, "
                + "tier 3, price version 1: the ledger holds 41 units for 1.000005, rating gives 41 for 0.000005")
    }

    @Test("is told of the first twenty findings of a check, and how many more there are")
    func bounded() throws {
        let report = try Mutant("", "UPDATE usage_counter SET quantity = quantity + 1", []).report()
        let counters = try #require(report.checks.first { $0.name == "counters" })
        #expect(counters.findings.count == 20)
        #expect(counters.findingCount == 49)
        #expect(counters.untold == 29)
    }
}
