// Whether the file is sound as a database, and holds what every other check takes for granted.

import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static let fileName = "file"

    /// - Parameter path: the file's, opened once more, since opening is what compares the steps of its schema.
    static func file(at path: String) -> Check {
        Check(name: fileName) { slices, findings in
            // First: nothing that is read through a foreign view, trigger or constraint tells anything.
            try checkSchema(slices, &findings)
            guard findings.count == 0 else { return "the schema" }
            try checkPages(slices, &findings)
            // What is damaged must not be read any further.
            guard findings.count == 0 else { return "the pages of the file" }
            do {
                _ = try LedgerFile.openForReading(at: path)
            } catch let error as StorageError where error.isOfTheFile {
                findings.add("\(error)")
            }
            let tables = try slices.read { try TableConstraints.all($0) }
            for table in tables { findings.add(try table.broken(slices)) }
            return try slices.read { database in
                findings.add(try missingRows(database))
                findings.add(try wrongConstants(database))
                findings.add(try unreadableNames(database))
                let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                let steps = try Int.fetchOne(database, sql: "SELECT count(*) FROM schema_migration") ?? 0
                return "\(counted(pages, "page")), \(counted(steps, "schema step"))"
            }
        }
    }

    /// Every table, view, index and trigger as the steps of the schema make them, and nothing else.
    private static func checkSchema(_ slices: Slices, _ findings: inout Findings) throws {
        do {
            findings.add(try slices.read { try LedgerSchema.differences($0) })
        } catch StorageError.damaged {
            // The check of the pages says which.
        }
    }

    /// Has SQLite check table by table, each in one transaction: its pages and those of its indexes, the types of its
    /// columns, and that each index has its rows. With the table of the schema it checks the free pages.
    private static func checkPages(_ slices: Slices, _ findings: inout Findings) throws {
        let tables = try slices.read { database in
            try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        }
        for table in ["sqlite_schema"] + tables {
            do {
                try slices.read { try checkPages(of: table, $0, &findings) }
            } catch StorageError.damaged where findings.count > 0 {
                // SQLite remembers a damaged page until the end of the transaction.
                return
            }
        }
    }

    /// How SQLite ends what it says of a page that the disk fails to give (SQLITE_IOERR_CORRUPTFS).
    private static let unreadable = "error code=8458"

    /// Adds what SQLite objects to, line by line: after the pages that it names it may end in an error.
    private static func checkPages(of table: String, _ database: Database, _ findings: inout Findings) throws {
        do {
            let objections = try String.fetchCursor(database, sql: "PRAGMA integrity_check(\"\(table)\")")
            while let objection = try objections.next() {
                for line in objection.split(separator: "\n") where line != "ok" && !line.hasPrefix("***") {
                    let cause = line.hasSuffix(unreadable) ? ", the disk did not give it" : ""
                    findings.add("SQLite says: \(line)\(cause)")
                }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT && findings.count > 0 {
            return
        }
    }

    /// Tables that always have a row.
    private static func missingRows(_ database: Database) throws -> [String] {
        try ["ledger_property", "ledger_state", "seal_progress", "price_book_version"].compactMap { table in
            let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0
            return count == 0 ? "table \(table) is empty" : nil
        }
    }

    /// What bills are made with, which follows from the currency and the rules (Billing rules, sections 7 and 9).
    private static func wrongConstants(_ database: Database) throws -> [String] {
        let row = try Row.fetchOne(
            database, sql: "SELECT currency, minor_unit_micros, payment_term_days FROM ledger_property")
        guard let row, let currency = Currency(recordedCode: row["currency"]) else { return [] }
        let (minorUnit, term): (Int64, Int) = (row["minor_unit_micros"], row["payment_term_days"])
        var wrong: [String] = []
        if minorUnit != currency.minorUnitMicros {
            wrong.append(
                "the smallest unit of \(currency.code) is noted as \(minorUnit) micro-units, it has "
                    + "\(currency.minorUnitMicros)")
        }
        if term != LedgerProperties.paymentTermDays {
            wrong.append(
                "bills are noted as due after \(counted(term, "day")), they are after \(LedgerProperties.paymentTermDays)"
            )
        }
        return wrong
    }

    /// Texts that the program reads as codes, currencies and the like.
    private static func unreadableNames(_ database: Database) throws -> [String] {
        func rejected(_ sql: String, _ what: String, _ isReadable: (String) -> Bool) throws -> [String] {
            try String.fetchAll(database, sql: sql).filter { !isReadable($0) }.map { "'\($0)' is no \(what)" }
        }
        return try rejected("SELECT code FROM tenant", "code of a tenant") { Code($0) != nil }
            + rejected("SELECT code FROM app", "code of an app") { Code($0) != nil }
            + rejected("SELECT code FROM item", "code of an item") { Code($0) != nil }
            + rejected("SELECT code FROM \"grant\"", "code of a grant") { Code($0) != nil }
            + rejected("SELECT offer FROM \"grant\"", "offer of a grant") { Offer(rawValue: $0) != nil }
            + rejected("SELECT term FROM \"grant\"", "term of a grant") { Term(rawValue: $0) != nil }
            + rejected("SELECT currency FROM ledger_property", "currency") { Currency(recordedCode: $0) != nil }
    }
}
