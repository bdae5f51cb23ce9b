// meterd tenant: adds and lists tenants.

import ArgumentParser
import Forwarding
import GRDB
import LedgerStore
import Operations
import Quantities
import Storage

struct TenantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Add and list tenants.", subcommands: [Add.self, List.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a tenant; the same again changes nothing.",
            discussion: """
                A code can't be changed later. It must differ from the code of every other tenant in more than capital \
                letters.
                """)

        @OptionGroup var options: ChangeOptions

        @Argument(help: "The tenant's code.", transform: Arguments.code)
        var code: Code

        @Option(help: "A name for people (default: the code).")
        var name: String?

        @Flag(help: "An existing customer: legacy items are metered too.")
        var legacy = false

        func run() throws {
            let ledger = try options.openForWriting()
            let recording = try ledger.perform(
                AddTenant(code: code, name: name ?? code.text, isLegacy: legacy), clock: options.clock)
            Terminal.print(
                recording == .recorded ? "tenant \(code) added" : "tenant \(code) is there already; nothing changed")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tenants.")

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions

        func run() throws {
            let rows = try options.openForReading().read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT code AS tenant, name, legacy, (SELECT count(*) FROM app WHERE app.tenant_id = tenant.tenant_id) AS apps
                        FROM tenant
                        ORDER BY code
                        """)
            }
            RowPrinter(columns: ["tenant", "name", "legacy", "apps"], rows)
                .print(output, empty: "no tenants; add one with 'meterd tenant add CODE'")
        }
    }
}
