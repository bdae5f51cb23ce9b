// Tenants and apps: who owns what is metered.

package import GRDB
package import Quantities
package import Storage

package struct Tenant: Sendable {
    package let id: TenantID
    package let code: Code
    package let name: String
    /// Whether legacy items are metered for the tenant.
    package let isLegacy: Bool
}

package struct App: Sendable {
    package let id: AppID
    package let code: Code
    package let name: String
    package let tenant: Tenant
}

/// Whether a command changed the ledger, or found what it asked for done already.
package enum Recording: String, Codable, Sendable {
    case recorded, alreadyRecorded
}

package enum Accounts {
    /// Adds a tenant; the same again changes nothing.
    ///
    /// - Throws: ``LedgerError``: `unfitName` (also for text with NUL), `otherTerms`, `differsInCase`.
    package static func addTenant(
        _ code: Code, name: String, isLegacy: Bool, _ database: Database
    ) throws -> Recording {
        try checkName(name, of: "tenant '\(code)'")
        if let tenant = try tenants(named: code, database)[code] {
            try same("tenant", code, "name", tenant.name, name)
            try same("tenant", code, "legacy", "\(tenant.isLegacy)", "\(isLegacy)")
            return .alreadyRecorded
        }
        try KnownCodes.tenants.checkCase(of: code, database)
        let name = try bindable(name, as: "the name of tenant '\(code)'")
        try database.execute(
            sql: "INSERT INTO tenant (code, name, legacy) VALUES (?, ?, ?)", arguments: [code.text, name, isLegacy])
        return .recorded
    }

    /// Adds an app to a tenant; the same again changes nothing.
    ///
    /// - Throws: ``LedgerError``: `unfitName`, `unknownTenant`, `otherTerms` when the app is another tenant's,
    ///   `differsInCase`.
    package static func addApp(
        _ code: Code, tenant tenantCode: Code, name: String, _ database: Database
    ) throws -> Recording {
        try checkName(name, of: "app '\(code)'")
        let tenant = try tenant(tenantCode, database)
        if let app = try apps(named: code, database)[code] {
            try same("app", code, "tenant", app.tenant.code.text, tenantCode.text)
            try same("app", code, "name", app.name, name)
            return .alreadyRecorded
        }
        try KnownCodes.apps.checkCase(of: code, database)
        let name = try bindable(name, as: "the name of app '\(code)'")
        try database.execute(
            sql: "INSERT INTO app (tenant_id, code, name) VALUES (?, ?, ?)",
            arguments: [tenant.id.number, code.text, name])
        return .recorded
    }

    /// Names are free text for people, on one line.
    private static func checkName(_ name: String, of owner: String) throws(LedgerError) {
        if let scalar = ShownText.firstUnfit(in: name) { throw .unfitName(name, of: owner, scalar) }
    }

    /// - Throws: ``LedgerError/unknownTenant(_:nearest:)``.
    package static func tenant(_ code: Code, _ database: Database) throws -> Tenant {
        guard let tenant = try tenants(named: code, database)[code] else {
            throw LedgerError.unknownTenant(code.text, nearest: try KnownCodes.tenants.nearest(to: code, database))
        }
        return tenant
    }

    /// - Throws: ``LedgerError/unknownApp(_:nearest:)``.
    package static func app(_ code: Code, _ database: Database) throws -> App {
        guard let app = try apps(named: code, database)[code] else {
            throw LedgerError.unknownApp(code.text, nearest: try KnownCodes.apps.nearest(to: code, database))
        }
        return app
    }

    /// - Parameter code: of the only one to look for.
    package static func tenants(named code: Code? = nil, _ database: Database) throws -> [Code: Tenant] {
        var tenants: [Code: Tenant] = [:]
        for row in try rows("tenant_id, code, name, legacy FROM tenant", named: code, database) {
            let tenant = Tenant(
                id: TenantID(row["tenant_id"]), code: stored(row["code"]), name: row["name"], isLegacy: row["legacy"])
            tenants[tenant.code] = tenant
        }
        return tenants
    }

    /// Whose each app is.
    package static func owners(_ database: Database) throws -> [AppID: TenantID] {
        var owners: [AppID: TenantID] = [:]
        let statement = try RawStatement(database, "SELECT app_id, tenant_id FROM app")
        while try statement.step() { owners[AppID(statement.integer(0))] = TenantID(statement.integer(1)) }
        return owners
    }

    /// - Parameter code: of the only one to look for.
    package static func apps(named code: Code? = nil, _ database: Database) throws -> [Code: App] {
        var owners: [Int64: Tenant] = [:]
        for tenant in try tenants(database).values { owners[tenant.id.number] = tenant }
        var apps: [Code: App] = [:]
        for row in try rows("app_id, tenant_id, code, name FROM app", named: code, database) {
            guard let tenant = owners[row["tenant_id"]] else { preconditionFailure("an app without its tenant") }
            let app = App(id: AppID(row["app_id"]), code: stored(row["code"]), name: row["name"], tenant: tenant)
            apps[app.code] = app
        }
        return apps
    }

    /// Both tables have an index of their codes: one row of many thousands is found at once.
    private static func rows(_ columns: String, named code: Code?, _ database: Database) throws -> [Row] {
        guard let code else { return try Row.fetchAll(database, sql: "SELECT \(columns)") }
        return try Row.fetchAll(database, sql: "SELECT \(columns) WHERE code = ?", arguments: [code.text])
    }
}

/// A code as the file holds it: it was checked when it came in.
func stored(_ text: String) -> Code {
    guard let code = Code(text) else { preconditionFailure("the file holds '\(text)', which is no code") }
    return code
}

/// - Throws: ``LedgerError/otherTerms(what:code:field:recorded:given:)`` when the two differ.
func same(_ what: String, _ code: Code, _ field: String, _ recorded: String, _ given: String) throws(LedgerError) {
    guard recorded == given else {
        throw .otherTerms(what: what, code: code, field: field, recorded: recorded, given: given)
    }
}
