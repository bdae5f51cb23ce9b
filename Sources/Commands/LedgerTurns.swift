// The ledger in turns with other commands: open for writing only while there is something to write.

import Forwarding
import GRDB
import Ingestion
import LedgerStore
import Operations
import Storage
import UsageStore

/// A ledger that is written now and then. While nothing is written, it can be let go of, so that other commands need not
/// wait for this one's input.
final class LedgerTurns {
    private let options: ChangeOptions
    private var clock: LedgerClock
    private var access: LedgerAccess?

    /// Opens the ledger.
    init(_ options: ChangeOptions) throws {
        self.options = options
        clock = options.clock
        _ = try open(waitSeconds: 60)
    }

    /// Keys the hashes of events; nil where a daemon scans them.
    var key: FingerprintKey? { access?.key }

    /// Stores a batch, after waiting for another command that writes the ledger.
    func ingest(_ batch: LineBatch) throws -> BatchReport {
        let ledger = try access ?? open(waitSeconds: Self.patienceSeconds)
        let report = try ledger.ingest(batch.lines.lazy.map(\.bytes), scanned: batch.events, clock: clock)
        // The instant is recorded with the first batch. The input may go on for days, for which nobody has confirmed a clock.
        if clock.given == nil { clock.isConfirmed = false }
        return report
    }

    /// Lets others write until there is something to write again.
    func end() throws {
        guard let ledger = access else { return }
        access = nil
        try ledger.close()
    }

    /// An input that never ends should not fail because a rating takes long.
    private static let patienceSeconds = 3_600

    private func open(waitSeconds: Int) throws -> LedgerAccess {
        let ledger = try options.openForWriting(waitSeconds: waitSeconds)
        switch ledger {
        case .here: try ledger.prepareIngestion(clock: clock)
        case .daemon: try checkTestClock()
        }
        access = ledger
        return ledger
    }

    /// A daemon sees a test clock only with the first event. Of the machine's clock it knows more than this process.
    private func checkTestClock() throws {
        try options.ledger.openForReading().read { [clock] database in
            let properties = try LedgerProperties.read(database)
            guard properties.hasTestClock else { return }
            _ = try clock.now(properties, LedgerState.read(database))
        }
    }
}
