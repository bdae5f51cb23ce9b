// Which tenant, app, item and days: the options of commands that print rows, and an error for a name that nothing has.

import ArgumentParser
import GRDB
import LedgerStore
import Quantities

/// A name that is misspelled must not look like a name without rows.
struct RowFilter: ParsableArguments {
    @OptionGroup var owner: TenantFilter

    @Option(help: "Only this app's.")
    var app: String?

    @Option(help: "Only this item.")
    var item: String?

    @Option(
        help: ArgumentHelp("From this day on, YYYY-MM-DD.", valueName: "day"),
        transform: Arguments.day)
    var from: Day?

    @Option(
        help: ArgumentHelp("Through this day, YYYY-MM-DD.", valueName: "day"),
        transform: Arguments.day)
    var to: Day?

    func validate() throws {
        if let from, let to, from > to {
            throw ValidationError("--from \(from) is after --to \(to): no day is in between")
        }
    }

    /// Whether nothing was asked, so that there are no rows at all where there are none.
    var isEmpty: Bool { owner.tenant == nil && app == nil && item == nil && from == nil && to == nil }

    /// ?1 tenant, ?2 app, ?3 item, ?4 from, ?5 to: NULL where nothing was asked.
    ///
    /// - Throws: ``Failure`` for a name that is not in the ledger.
    func arguments(_ database: Database) throws -> StatementArguments {
        let tenant = try owner.known(database)
        try Names.apps.check(app, database)
        try Names.items.check(item, database)
        return [tenant, app, item, from?.description, to?.description]
    }
}

struct TenantFilter: ParsableArguments {
    @Option(help: "Only this tenant's.")
    var tenant: String?

    /// The tenant asked for, nil for all.
    ///
    /// - Throws: ``Failure`` for one that is not in the ledger.
    func known(_ database: Database) throws -> String? {
        try Names.tenants.check(tenant, database)
        return tenant
    }
}

/// A kind of names of the ledger.
private struct Names {
    let kind: String
    let sql: String
    /// The command that lists them.
    let list: String

    static let tenants = Names(kind: "tenant", sql: "SELECT code FROM tenant", list: "meterd tenant list")
    static let apps = Names(kind: "app", sql: "SELECT code FROM app", list: "meterd app list")
    static let items = Names(kind: "item", sql: "SELECT code FROM item", list: "meterd price-book show")

    func check(_ name: String?, _ database: Database) throws {
        guard let name else { return }
        let known = try String.fetchAll(database, sql: "\(sql) ORDER BY code")
        guard !known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else { return }
        let nearest = nearest(to: name, of: known).map { "; did you mean '\($0)'?" } ?? ";"
        throw Failure("no \(kind) '\(name)'\(nearest) '\(list)' shows those there are")
    }
}
