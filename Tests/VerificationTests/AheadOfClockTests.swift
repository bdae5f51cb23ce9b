// The latest recorded instant against the clock of the machine that verifies.

import LedgerStore
import Quantities
import Storage
import Testing
import Verification

@Suite("A ledger whose latest recorded instant, 10 February 2027, the machine's clock has not reached")
struct AheadOfClockTests {
    private static let latest = Instant(micros: 1_802_232_000_000_000)
    private static let tenDays = 10 * 86_400

    /// Verifies the rich ledger, as one without a test clock unless told otherwise.
    private func report(_ clock: Instant, hasTestClock: Bool = false) throws -> VerificationReport {
        let mutant = Mutant("", "UPDATE ledger_property SET test_clock = \(hasTestClock ? 1 : 0)", [])
        let ledger = try mutant.tampered().ledger
        let machine = MachineClock(read: { .init(wall: clock, sinceBoot: 0) }, kernel: { .unsynchronized })
        return try withExtendedLifetime(ledger) {
            try Verification(file: LedgerFile.openForReading(at: ledger.path), machine: machine).run { _ in }
        }
    }

    @Test("is not sound where that is more than ten days away, and told both instants and what to do")
    func far() throws {
        let clock = Self.latest + -(Self.tenDays + 1)
        let report = try report(clock)
        #expect(
            report.findings.map(\.sentence) == [
                "the latest instant that the ledger has recorded is 2027-02-10T04:00:00Z, but this machine's clock shows "
                    + "2027-01-31T03:59:59Z; until then a clock that is wrong would be believed. Set the clock if it is wrong; "
                    + "if it is right, run 'meterd clock confirm'"
            ])
        #expect(report.findings.map(\.check) == ["days"])
        #expect(report.notes == [])
    }

    @Test("is sound where a clock may have run ahead so far, with a note", arguments: [1, 600, tenDays])
    func near(seconds: Int) throws {
        let clock = Self.latest + -seconds
        let report = try report(clock)
        #expect(report.findings.map(\.sentence) == [])
        #expect(
            report.notes == [
                "the latest instant that the ledger has recorded is 2027-02-10T04:00:00Z, and this machine's clock shows "
                    + "\(clock): if the clock ran ahead and is right now, run 'meterd clock confirm'"
            ])
    }

    @Test("is sound once it is reached, and always where the ledger has a test clock")
    func reached() throws {
        for report in [try report(Self.latest), try report(Instant(micros: 0), hasTestClock: true)] {
            #expect(report.findings.map(\.sentence) == [])
            #expect(report.notes == [])
        }
    }
}
