// Pages: every row once, whatever the size of pages and whatever is added meanwhile.

import GRDB
import LedgerFixture
import Operations
import Storage
import Testing

@testable import HTTPAPI

@Suite("Pages")
struct PagingTests {
    /// Follows `next` to the end.
    ///
    /// - Parameter between: done between any two pages.
    private func walk(
        _ api: APIScene, _ uri: String, limit: Int, between: (_ page: Int) throws -> Void = { _ in }
    ) async throws -> [JSON] {
        var rows: [JSON] = []
        var cursor = ""
        for page in 1...1_000 {
            let answer = try await api.get("\(uri)\(uri.contains("?") ? "&" : "?")limit=\(limit)\(cursor)")
            let items = try answer.items()
            #expect(items.count <= limit)
            rows += items
            guard case .string(let next)? = try answer.json()["next"] else { return rows }
            #expect(items.count == limit)
            cursor = "&cursor=\(next)"
            try between(page)
        }
        Issue.record("\(uri) never ends")
        return rows
    }

    @Test("of any size have all rows of every collection, in the same order", arguments: [1, 2, 7])
    func sizes(limit: Int) async throws {
        let fixture = try APIScene.ledger()
        // A package has months, of which the key of its rows is made, and a resource package has none.
        try APIScene.buyPackage(fixture)
        try await APIScene.run(over: fixture) { api in
            for resource in ReadResource.all {
                let whole = try await api.get("\(resource.path)?limit=1000")
                #expect(try whole.json()["next"] == .null, "\(resource.path)")
                let rows = try whole.items()
                #expect(rows.count > 1, "\(resource.path)")
                #expect(try await walk(api, resource.path, limit: limit) == rows, "\(resource.path)")
            }
            let filtered = "/v1/ledger?tenant=acme&to=2027-01-11"
            let rows = try await api.get(filtered).items()
            #expect(try await walk(api, filtered, limit: limit) == rows)
        }
    }

    @Test("miss no entry and repeat none while new ones are appended", arguments: [1, 2, 7])
    func appended(limit: Int) async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            var added = 0
            let rows = try await walk(api, "/v1/ledger", limit: limit) { page in
                guard page <= 5 else { return }
                added += 1
                _ = try api.fixture.ingest(EventLine.calls(20_000, id: "new\(page)", at: "2027-01-13T11:00:00Z").text)
                _ = try api.fixture.ledger.rate(.init(2027, 1, 13), clock: api.fixture.clock)
            }
            #expect(rows.map { $0["entry_id"] } == (1...Int64(rows.count)).map { .integer($0) })
            let count = try api.fixture.rows("SELECT count(*) FROM ledger")
            #expect(["\(rows.count)"] == count)
            #expect(rows.count > 7 || limit == 7)
        }
    }

    @Test("end early where rows are very long")
    func bytes() async throws {
        let fixture = try APIScene.ledger()
        try fixture.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100)
            INSERT INTO quarantine (arrived_at, code, reason, event, digest)
            SELECT n, 'malformed', 'long', zeroblob(60000), CAST(n AS BLOB) FROM number
            """)
        try await APIScene.run(over: fixture) { api in
            // A control character takes six bytes in JSON.
            let answer = try await api.get("/v1/quarantine?limit=1000")
            #expect(answer.bytes.count < ReadPage.maxBytes + 400_000)
            #expect(try answer.items().count < 20)
            let last = try await api.get("/v1/quarantine?limit=1000").json()["next"]
            #expect(last != .null)
        }
    }

    @Test("of the ledger are found by row id, and through an index where that finds few")
    func plans() async throws {
        let fixture = try APIScene.ledger()
        let ledger = try #require(ReadResource.all.first { $0.path == "/v1/ledger" })
        func plan(_ query: String) throws -> [String] {
            try fixture.ledger.file.read { database in
                let cursor = Cursor.text([3.databaseValue], of: ledger)
                let statement = try ReadPage.select(
                    ReadQuery("\(query)&cursor=\(cursor)", of: ledger), of: ledger, database)
                return try Row.fetchAll(
                    database, sql: "EXPLAIN QUERY PLAN \(statement.sql)",
                    arguments: StatementArguments(statement.arguments)
                )
                .map { $0["detail"] as String }
            }
        }
        for query in ["", "app=shop", "item=gateway_calls&source=overage"] {
            let steps = try plan(query)
            #expect(steps.contains("SEARCH ledger_entry USING INTEGER PRIMARY KEY (rowid>?)"), "\(query)")
            #expect(!steps.contains { $0.contains("TEMP B-TREE") }, "\(query)")
        }
        for (query, index) in [
            ("tenant=acme", "ledger_entry_by_tenant (tenant_id=?)"),
            (
                "tenant=acme&from=2027-01-10&to=2027-01-11",
                "ledger_entry_by_tenant (tenant_id=? AND posted_day>? AND posted_day<?)"
            ),
            ("from=2027-01-10", "ledger_entry_by_bill (posted_day>?)"),
        ] {
            let steps = try plan(query)
            #expect(steps.contains { $0.hasSuffix("INDEX \(index)") }, "\(query): \(steps)")
        }
        // Every row that the view adds to an entry is found by its key.
        let scans = try plan("").filter { $0.hasPrefix("SCAN") }
        #expect(scans == ["SCAN ledger_property"])
    }
}
