// A ledger file that somebody changed behind the program's back, and which checks must notice.

import Accounting
import Foundation
import GRDB
import Storage
import Testing
import Verification

struct Mutant: Sendable, CustomTestStringConvertible {
    let what: String
    /// One or more statements; at least one row must change, unless the schema does.
    let sql: String
    /// Exactly the checks that complain.
    let noticedBy: Set<String>
    /// Words of one of the findings, where the checks alone do not tell.
    let words: String
    /// Whether the hashes of all entries are made to match again.
    let isRechained: Bool

    init(_ what: String, _ sql: String, _ noticedBy: Set<String>, says words: String = "", rechained: Bool = false) {
        isRechained = rechained
        self.words = words
        self.what = what
        self.sql = sql
        self.noticedBy = noticedBy
    }

    var testDescription: String { what }

    /// Changes a fresh copy of the rich ledger, and returns what verifying it says.
    func report(expecting head: ChainHead? = nil) throws -> VerificationReport { try tampered(expecting: head).report }

    /// The changed copy as well.
    func tampered(expecting head: ChainHead? = nil) throws -> (ledger: RichLedger, report: VerificationReport) {
        let ledger = try RichLedger.make()
        // Opened first: some mutants are refused at the door.
        let file = try LedgerFile.openForReading(at: ledger.path)
        try tamper(ledger.path)
        return (ledger, try Verification(file: file).run(expecting: head) { _ in })
    }

    /// Without foreign keys, checks of columns and guards; the guards are put back afterwards, as a forger would.
    private func tamper(_ path: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            let guards = try Row.fetchAll(database, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            let changesSchema = sql.hasPrefix("DROP") || sql.hasPrefix("CREATE")
            if !changesSchema {
                for row in guards { try database.execute(sql: "DROP TRIGGER \(row["name"] as String)") }
            }
            let before = database.totalChangesCount
            try database.execute(sql: sql)
            if isRechained { try Self.rechain(database) }
            #expect(changesSchema || database.totalChangesCount > before, "the mutant changes nothing")
            if !changesSchema {
                for row in guards { try database.execute(sql: row["sql"]) }
            }
        }
        try queue.close()
    }

    /// Writes every hash anew, from the columns as they are documented.
    private static func rechain(_ database: Database) throws {
        var previous = Chain.hexadecimal(Chain.origin)
        for row in try Row.fetchAll(database, sql: "SELECT * FROM ledger ORDER BY entry_id") {
            let columns = [
                "entry_id", "posted_day", "usage_day", "tenant", "app", "item", "source", "grant_code", "tier",
                "quantity",
                "amount_micros", "currency", "price_version", "run_id", "reason", "created_at",
            ].map {
                (row[$0] as DatabaseValue).isNull ? "" : "\(String.fromDatabaseValue(row[$0]) ?? "\(row[$0] as Int64)")"
            }
            let hash = Chain.hash(of: Array(([previous] + columns).joined(separator: "\n").utf8))
            try database.execute(
                sql: "UPDATE ledger_entry SET hash = ? WHERE entry_id = ?",
                arguments: [Data(hash), row["entry_id"] as Int64])
            previous = Chain.hexadecimal(hash)
        }
    }
}
