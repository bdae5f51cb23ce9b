// Which tenant, app, item and days: the options of commands that print rows, and an error for an unknown name.

import ArgumentParser
import GRDB
import LedgerStore
import Quantities

/// A name that is misspelled must not look like a name without rows.
struct RowFilter: ParsableArguments {
    @OptionGroup var owner: TenantFilter

    @Option(help: "Only rows of this app.")
    var app: String?

    @Option(help: "Only rows of this item.")
    var item: String?

    @OptionGroup var span: DaySpan

    /// Whether nothing was asked, so that there are no rows at all where there are none.
    var isEmpty: Bool { owner.tenant == nil && app == nil && item == nil && span.isEmpty }

    /// ?1 tenant, ?2 app, ?3 item, ?4 from, ?5 to: NULL where nothing was asked.
    ///
    /// - Throws: ``Failure`` for a name that is not in the ledger, ``WrongUsage`` for a span without days.
    func arguments(_ options: LedgerOptions, _ database: Database) throws -> StatementArguments {
        let tenant = try owner.known(database)
        try Names.apps.check(app, database)
        try Names.items.check(item, database)
        let days = try span.days { try options.today(database) }
        return [tenant, app, item, days.first?.description, days.last?.description]
    }
}

struct TenantFilter: ParsableArguments {
    @Option(help: "Only rows of this tenant.")
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
        throw Failure("the ledger has no \(kind) '\(name)'\(nearest) '\(list)' lists them")
    }
}
