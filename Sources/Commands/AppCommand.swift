// meterd app: adds and lists apps.

import ArgumentParser
import Forwarding
import GRDB
import LedgerStore
import Operations
import Quantities
import Storage

struct AppCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app", abstract: "Add and list apps.", subcommands: [Add.self, List.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an app to a tenant; the same again changes nothing.",
            discussion: """
                Events name the app's code as their subject, so a code belongs to one tenant of the ledger. It can't be \
                changed later, and must differ from the code of every other app in more than capital letters.
                """)

        @OptionGroup var options: ChangeOptions

        @Argument(help: "The app's code.", transform: Arguments.code)
        var code: Code

        @Option(help: "The tenant that owns the app.", transform: Arguments.code)
        var tenant: Code

        @Option(help: "A name for people (default: the code).")
        var name: String?

        func run() throws {
            let ledger = try options.openForWriting()
            let recording = try ledger.perform(
                AddApp(code: code, tenant: tenant, name: name ?? code.text), clock: options.clock)
            Terminal.print(
                recording == .recorded
                    ? "app \(code) of tenant \(tenant) added" : "app \(code) is there already; nothing changed")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the apps.")

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions
        @OptionGroup var owner: TenantFilter

        func run() throws {
            let rows = try options.openForReading().read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT app.code AS app, tenant.code AS tenant, app.name AS name
                        FROM app
                        JOIN tenant USING (tenant_id)
                        WHERE ?1 IS NULL OR tenant.code = ?1
                        ORDER BY tenant.code, app.code
                        """, arguments: [try owner.known(database)])
            }
            RowPrinter(columns: ["app", "tenant", "name"], rows)
                .print(output, empty: "no apps; add one with 'meterd app add CODE --tenant TENANT'")
        }
    }
}
