// Apps and features that the ledger does not know: what is offered instead, and what many of them cost.

import EventCodec
import LedgerFixture
import PriceBookFile
import TestSupport
import Testing

@testable import Ingestion

@Suite("A name that is not in the ledger", .computing)
struct UnknownNameTests {
    private func ledger(priceBook: String = PriceBookFile.builtIn) throws -> LedgerFixture {
        let ledger = try LedgerFixture(priceBook: priceBook)
        try ledger.addTenant("acme", apps: ["shop", "kiosk", "game", "chat"])
        try ledger.addTenant("bolt", apps: [])
        return ledger
    }

    private static func reasons(_ report: BatchReport) -> [String] {
        report.results.map { if case .refused(_, let reason) = $0.outcome { reason } else { "" } }
    }

    @Test(
        "is told with the app that was probably meant, or as a tenant's",
        arguments: [
            ("shpo", "; did you mean 'shop'?"),
            ("SHOP", "; did you mean 'shop'?"),
            ("kiosk-2", "; did you mean 'kiosk'?"),
            (
                "acme",
                ": 'acme' is a tenant, and subject is the code of an app; its apps are 'chat', 'game', 'kiosk' …"
            ),
            ("bolt", ": 'bolt' is a tenant without apps; 'meterd app add CODE --tenant bolt' adds one"),
            ("warehouse", ""),
            ("no code", ""),
        ])
    func apps(subject: String, hint: String) throws {
        let ledger = try ledger()
        for event in [EventLine.calls(1, id: "1", app: subject), .device("d", app: subject)] {
            // The second time from memory.
            for _ in 0..<2 {
                #expect(try ledger.ingest(event.text).reason(0) == "app '\(subject)' is not in the ledger" + hint)
            }
        }
    }

    @Test("is told anew once there are other names")
    func newNames() throws {
        let ledger = try ledger()
        let event = EventLine.calls(1, id: "1", app: "warehuose").text
        #expect(try ledger.ingest(event).reason(0) == "app 'warehuose' is not in the ledger")
        try ledger.addApp("warehouse", tenant: "acme")
        #expect(
            try ledger.ingest(event).reason(0) == "app 'warehuose' is not in the ledger; did you mean 'warehouse'?")
    }

    @Test("shows nothing that a terminal or a log would not print")
    func printable() throws {
        let reason = try ledger().ingest(EventLine.calls(1, id: "1", app: "\u{202E}pohs").text).reason(0)
        #expect(reason == #"app '\u{202E}pohs' is not in the ledger"#)
    }

    @Test("costs a bounded search, however many there are; the first ones are told what was meant")
    func manyFeatures() throws {
        let count = 5_000
        let features = (0..<count).map { "  feature_\($0): { name: F, items: [ location ] }\n" }.joined()
        let ledger = try ledger(
            priceBook: PriceBookFile.builtIn.replacing("features:\n", with: "features:\n" + features))
        // Each is like thousands of those that there are.
        let texts = (0..<3_000).map { EventLine.device("d", of: "featuer_\($0)x", id: "\($0)").text }
        func reasons() throws -> [String] {
            let report = try ledger.ingest(texts)
            #expect(report.refused == [.unknownFeature: texts.count])
            return Self.reasons(report)
        }
        for _ in 0..<2 {
            let reasons = try reasons()
            #expect(reasons[0].contains("did you mean 'feature_0'?"))
            let offered = reasons.count { $0.contains("did you mean") }
            // What the bound allows, by the cheapest search that there can be.
            #expect(offered <= UnknownNames.workPerTransaction / count + 1)
            #expect(reasons.allSatisfy { $0.contains("'meterd price-book show' lists its features and items") })
        }
    }

    @Test("costs a bounded search where apps are many, too")
    func manyApps() throws {
        let ledger = try ledger()
        try ledger.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)
            INSERT INTO app (tenant_id, code, name) SELECT 1, 'application-' || n, '' FROM number
            """)
        let report = try ledger.ingest(
            (0..<2_000).map { EventLine.calls(1, id: "\($0)", app: "aplication-\($0 + 30_000)").text })
        let reasons = Self.reasons(report)
        #expect(reasons[0].contains("did you mean 'application-"))
        #expect(reasons.count { $0.contains("did you mean") } <= UnknownNames.workPerTransaction / 20_000 + 1)
        #expect(reasons[1_999] == "app 'aplication-31999' is not in the ledger")
    }
}
