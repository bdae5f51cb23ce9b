// The recorded codes of a kind, for what a new or a mistyped code is too much like.

import GRDB
import Quantities

struct KnownCodes {
    /// For messages: "tenant".
    private let what: String
    /// A table whose codes have an index of their own.
    private let table: String

    static let tenants = KnownCodes(what: "tenant", table: "tenant")
    static let apps = KnownCodes(what: "app", table: "app")
    static let grants = KnownCodes(what: "grant", table: "\"grant\"")

    /// A new code must differ from the recorded ones in more than capital letters: a sender or an operator would mistake
    /// one for the other, and a purchase entered once as `g-1` and once as `G-1` would be granted twice.
    ///
    /// - Throws: ``LedgerError/differsInCase(what:code:recorded:)``.
    func checkCase(of code: Code, _ database: Database) throws {
        // Codes are ASCII, which is what NOCASE folds.
        let recorded = try String.fetchOne(
            database, sql: "SELECT code FROM \(table) WHERE code = ? COLLATE NOCASE AND code <> ?",
            arguments: [code.text, code.text])
        guard let recorded else { return }
        throw LedgerError.differsInCase(what: what, code: code, recorded: stored(recorded))
    }

    /// The recorded code that a mistyped one probably meant.
    func nearest(to code: Code, _ database: Database) throws -> String? {
        Quantities.nearest(
            to: code.text, of: try String.fetchAll(database, sql: "SELECT code FROM \(table) ORDER BY code"))
    }
}
