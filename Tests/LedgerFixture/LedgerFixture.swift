// A real ledger in a folder of its own, driven through the operations that the commands use.

import EventCodec
package import Foundation
package import GRDB
import GRDBSQLite
package import Ingestion
package import LedgerStore
package import Operations
import PriceBookFile
package import Quantities
import Storage

/// A folder that goes with this value.
package final class ScratchFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "meterd-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appending(path: name).path }
}

/// A ledger with a test clock. Time stands still until a test sets ``now``.
package final class LedgerFixture {
    package let folder: ScratchFolder
    package let path: String
    package var now: Instant
    private var open: OpenLedger?

    package var ledger: OpenLedger {
        guard let open else { preconditionFailure("the ledger is open but for the moment of reopening") }
        return open
    }

    package var clock: LedgerClock { LedgerClock(given: now) }

    /// - Parameters:
    ///   - now: RFC 3339.
    ///   - priceBook: the text of a file.
    package init(
        now: String = "2027-01-10T12:00:00Z", timeZone: String = "UTC",
        finality: FinalityRule = FinalityRule(finalAfterDays: 3, maxAgeDays: 35),
        priceBook: String = PriceBookFile.builtIn
    ) throws {
        folder = try ScratchFolder()
        path = folder.path("meterd.db")
        self.now = try Self.instant(now)
        var creation = LedgerCreation()
        creation.timeZone = timeZone
        creation.hasTestClock = true
        creation.finality = finality
        creation.priceBook = priceBook
        open = try creation.create(at: path)
    }

    /// A ledger of the same bytes in another folder, newly opened at the same instant.
    package init(copying other: LedgerFixture) throws {
        folder = try ScratchFolder()
        path = folder.path("meterd.db")
        now = other.now
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: other.path + suffix, toPath: path + suffix)
        }
        open = try OpenLedger(file: LedgerFile.openForWriting(at: path))
    }

    package struct Unreadable: Error {
        let text: String
    }

    package static func instant(_ text: String) throws -> Instant {
        guard let micros = RFC3339.parse(text) else { throw Unreadable(text: text) }
        return Instant(micros: micros)
    }

    package static func code(_ text: String) -> Code {
        guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
        return code
    }

    /// Sets the clock: RFC 3339.
    package func set(now text: String) throws { now = try Self.instant(text) }

    /// Closes the file and opens it as the next process would.
    package func reopen() throws {
        open = nil
        open = try OpenLedger(file: LedgerFile.openForWriting(at: path))
    }

    /// Gives the open ledger away, as to the daemon's writer; ``reopen()`` takes the file again once that has closed it.
    package func handOver() -> sending OpenLedger {
        guard let open else { preconditionFailure("the ledger is given away once") }
        // Nothing of it is kept here.
        nonisolated(unsafe) let given = open
        self.open = nil
        return given
    }

    // MARK: Doing

    package func addTenant(_ tenant: String, apps: [String], isLegacy: Bool = false) throws {
        _ = try ledger.addTenant(Self.code(tenant), name: tenant, isLegacy: isLegacy, clock: clock)
        for app in apps { try addApp(app, tenant: tenant) }
    }

    package func addApp(_ app: String, tenant: String) throws {
        _ = try ledger.addApp(Self.code(app), tenant: Self.code(tenant), name: app, clock: clock)
    }

    package func apply(priceBook yaml: String) throws {
        _ = try ledger.applyPriceBook(try PriceBookFile.read(yaml), yaml: yaml, clock: clock)
    }

    /// Sends texts as one batch.
    package func ingest(_ texts: [String]) throws -> BatchReport { try ingest(group: [texts])[0] }

    /// Sends batches of texts that share a transaction.
    package func ingest(group: [[String]]) throws -> [BatchReport] { try ledger.ingest(group: group, clock: clock) }

    package func ingest(_ texts: String...) throws -> BatchReport { try ingest(texts) }

    package func retryQuarantine() throws -> BatchReport { try ledger.retryQuarantine(ids: [], clock: clock) }

    // MARK: Reading

    /// The rows of a query, each a line of its columns joined by spaces; NULL is a hyphen.
    package func rows(_ sql: String) throws -> [String] {
        try ledger.file.read { try Self.rows($0, sql) }
    }

    package static func rows(_ database: Database, _ sql: String) throws -> [String] {
        let statement = try database.makeStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement)
        var lines: [String] = []
        while let row = try cursor.next() {
            var line = ""
            for column in 0..<row.count {
                if column > 0 { line += " " }
                line += text(row, column, statement.sqliteStatement)
            }
            lines.append(line)
        }
        return lines
    }

    /// Most are numbers and texts, which SQLite writes many times as fast.
    private static func text(_ row: Row, _ column: Int, _ statement: OpaquePointer) -> String {
        switch sqlite3_column_type(statement, Int32(column)) {
        case SQLITE_NULL: return "-"
        case SQLITE_INTEGER, SQLITE_TEXT:
            let text = sqlite3_column_text(statement, Int32(column))
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        default:
            let value: DatabaseValue = row[column]
            return String.fromDatabaseValue(value) ?? "\(value)"
        }
    }

    /// Runs SQL in one transaction, as an operator with a shell would.
    package func execute(_ sql: String) throws {
        try ledger.file.write { try $0.execute(sql: sql) }
    }
}

extension OpenLedger {
    /// Stores batches of texts in one transaction.
    package func ingest(group: [[String]], clock: LedgerClock) throws -> [BatchReport] {
        let bytes = group.map { $0.map { Array($0.utf8) } }
        return try bytes.flatMap { $0.flatMap { $0 } }.withUnsafeBufferPointer { buffer in
            var start = 0
            let batches = bytes.map { texts in
                let batch = EventBatch(key: eventKey)
                for text in texts {
                    batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + text.count]))
                    start += text.count
                }
                return batch
            }
            return try ingest(batches, clock: clock)
        }
    }
}

extension BatchReport {
    /// What became of each event of a batch of so many, in a word: `accepted`, `duplicate`, `correction` or the code of
    /// the refusal.
    package func words(of count: Int) -> [String] {
        var words = Array(repeating: "accepted", count: count)
        for result in results {
            if case .refused(let code, _) = result.outcome {
                words[result.index] = code.rawValue
            } else {
                words[result.index] = result.outcome.status
            }
        }
        return words
    }

    /// Why an event of the batch was refused.
    package func reason(_ index: Int) -> String? {
        for result in results where result.index == index {
            if case .refused(_, let reason) = result.outcome { return reason }
        }
        return nil
    }
}
