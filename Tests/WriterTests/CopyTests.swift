// Copying a ledger that is served.

import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Storage
import TestSupport
import Testing
import Writer

@Suite("A copy of a served ledger")
struct CopyTests {
    private let fixture: LedgerFixture
    private let draft: FileDraft

    /// Some 8 MiB.
    init() throws {
        fixture = try LedgerFixture()
        try fixture.addTenant("acme", apps: ["shop"])
        try fixture.execute(
            """
            INSERT INTO tenant (code, name, legacy)
            SELECT 't' || value, hex(zeroblob(1900)), 0
            FROM (WITH RECURSIVE row (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM row WHERE value < 2000)
                SELECT value FROM row)
            """)
        draft = try FileDraft(of: fixture.folder.path("copy.db"), like: fixture.path, ownerOf: fixture.path)
    }

    @Test("stands where the ledger stood at its end: events are stored and answered between its parts, and are in it")
    func betweenParts() throws {
        var stored = 0
        fixture.ledger.betweenTransactions = { [fixture] in
            stored += 1
            let report = try fixture.ingest(EventLine.calls(10, id: "\(stored)").text)
            #expect(report.accepted == 1)
            // Durable before the next part, for everybody to see.
            let rows = try LedgerFile.openForReading(at: fixture.path).read {
                try LedgerFixture.rows($0, "SELECT count(*) FROM usage_event")
            }
            #expect(rows == ["\(stored)"])
        }
        let mark = try CopyLedger(into: draft.address).perform(on: fixture.ledger, clock: fixture.clock)
        #expect(stored >= 7)
        let copy = try LedgerFile.openForReading(at: draft.making)
        #expect(try copy.read { try LedgerMark.read($0) } == mark)
        #expect(try fixture.ledger.file.read { try LedgerMark.read($0) } == mark)
        #expect(try copy.read { try LedgerFixture.rows($0, "SELECT count(*) FROM usage_event") } == ["\(stored)"])
        fixture.ledger.betweenTransactions = {}
    }

    @Test("that can't have its file ends with a message, and the writer goes on")
    func outOfReach() async throws {
        let (clock, address) = (fixture.clock, draft.address)
        try FileManager.default.removeItem(atPath: draft.making)
        let writer = LedgerWriter(ledger: fixture.handOver())
        await #expect(
            performing: { try await writer.perform(CopyLedger(into: address), clock: clock) },
            throws: {
                "\($0)".contains("copy.db: No such file or directory; choose a folder that the daemon may write")
            }
        )
        #expect(try await writer.probe(within: Patience.seconds))
        await writer.stop()
    }
}
