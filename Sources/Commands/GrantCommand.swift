// meterd grant: records, voids and lists what tenants have bought.

import ArgumentParser
import Forwarding
import GRDB
import LedgerStore
import Operations
import Quantities
import Rating
import Storage

extension Term: ExpressibleByArgument {}

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Record, void and list purchases.",
        subcommands: [Add.self, Void.self, List.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Record a purchase; the same again changes nothing.",
            discussion: """
                A grant takes effect on the local date after its purchase and changes no day that is final when it is \
                recorded.

                  --offer mini_program_package --devices N
                  --offer resource_package --item ITEM --quantity N
                  --offer subscription --item LICENCE --app APP --term month|year

                An example:

                  meterd grant add P-1 --tenant acme --offer resource_package \\
                    --item gateway_calls --quantity 10_000_000 \\
                    --purchased-at 2027-01-10T09:00:00+08:00 --price 60
                """)

        @OptionGroup var options: ChangeOptions

        @Argument(help: "The purchase's own code.", transform: Arguments.code)
        var code: Code

        @Option(help: "The tenant that bought it.", transform: Arguments.code)
        var tenant: Code

        @Option(help: "mini_program_package, resource_package or subscription.")
        var offer: String

        @Option(
            help: "Of a package: the monthly quota of devices.",
            transform: Arguments.whole(1...1_000_000_000_000, unit: "devices"))
        var devices: Int64?

        @Option(
            help: "Of a resource package: its billable item; of a subscription: its licence.",
            transform: Arguments.code)
        var item: Code?

        @Option(
            help: "Of a resource package: how many units in all.",
            transform: Arguments.whole(1...1_000_000_000_000_000))
        var quantity: Int64?

        @Option(help: "Of a subscription: the app.", transform: Arguments.code)
        var app: Code?

        @Option(help: "Of a subscription: its term.")
        var term: Term?

        @Option(
            help: ArgumentHelp("When it was bought (RFC 3339).", valueName: "time"),
            transform: Arguments.instant)
        var purchasedAt: Instant

        @Option(
            // Also what looks like an option: '-5' deserves to be told why it is wrong.
            parsing: .unconditional,
            help: "What was paid, in units of the ledger's currency, no finer than its minor unit.",
            transform: Arguments.price)
        var price: Money?

        func validate() throws { _ = try terms() }

        /// The offer's own options; those of other offers are refused rather than ignored.
        private func terms() throws -> GrantOrder.Terms {
            guard let offer = Offer(rawValue: offer) else {
                let offers = Offer.allCases.map(\.rawValue)
                let hint = nearest(to: offer, of: offers).map { "did you mean \($0)? The" } ?? "the"
                throw ValidationError(
                    "--offer '\(offer)' is unknown; \(hint) offers are \(offers.joined(separator: ", "))")
            }
            let given: [(name: String, isGiven: Bool)] = [
                ("--devices", devices != nil), ("--item", item != nil), ("--quantity", quantity != nil),
                ("--app", app != nil), ("--term", term != nil),
            ]
            func only(_ names: String...) throws {
                for option in given where option.isGiven != names.contains(option.name) {
                    throw ValidationError(
                        option.isGiven
                            ? "\(option.name) does not go with --offer \(offer.rawValue), which takes \(names.joined(separator: ", "))"
                            : "\(option.name) is missing: --offer \(offer.rawValue) needs \(names.joined(separator: ", "))"
                    )
                }
            }
            switch offer {
            case .miniProgramPackage:
                try only("--devices")
                return .miniProgramPackage(devices: devices ?? 0)
            case .resourcePackage:
                try only("--item", "--quantity")
                guard let item, let quantity else { preconditionFailure("an option that is needed was given") }
                return .resourcePackage(item: item, quantity: Quantity(quantity))
            case .subscription:
                try only("--item", "--app", "--term")
                guard let item, let app, let term else { preconditionFailure("an option that is needed was given") }
                return .subscription(licence: item, app: app, term: term)
            }
        }

        func run() throws {
            let order = GrantOrder(
                code: code, tenant: tenant, terms: try terms(), purchasedAt: purchasedAt, price: price)
            let grant = try options.openForWriting().perform(RecordGrant(order), clock: options.clock)
            let life = grant.life
            guard grant.recording == .recorded else {
                Terminal.print("grant \(order.code) is recorded already; nothing changed")
                return
            }
            Terminal.print(
                "grant \(order.code) recorded: \(grant.offer.rawValue) of tenant \(order.tenant), effective "
                    + "\(life.effective), ends \(life.end)")
            if grant.coversNothing {
                Terminal.print(
                    "it ended on \(life.end), and usage from before that day can't come any more: it covers no usage and "
                        + "changes no bill")
            } else if grant.firstPostingDay > life.effective {
                Terminal.print(
                    "days before \(grant.firstPostingDay) were final already: the grant does not change them")
            }
        }
    }

    struct Void: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Void a purchase that no final day draws on.",
            discussion: """
                Days that are final and not rated yet are computed first. The price is refunded, and the next rating rates \
                the open days without the grant. A subscription can be voided until its first day has ended. A void that \
                is refused changes nothing.
                """)

        @OptionGroup var options: ChangeOptions

        @Argument(help: "The purchase's code.", transform: Arguments.code)
        var code: Code

        func run() throws {
            let voided = try options.openForWriting().perform(VoidGrant(code), clock: options.clock)
            let refund = voided.refund.map { ", \($0) refunded" } ?? ""
            Terminal.print("grant \(code) voided\(refund)")
            if voided.openDraws != .zero {
                Terminal.print(
                    "open days have drawn \(counted(voided.openDraws.units, "unit")) on it; the next rating takes that back"
                )
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List purchases with what is left of them, as of the last rating.",
            discussion: """
                A package has a quota in each calendar month of its life. The list shows that of the current month: the \
                first one before the package begins, the last one after it has ended, and all with --all-months.
                """)

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: FormatOptions

        @OptionGroup var owner: TenantFilter

        @Flag(help: "Show every month of a package's life, not only the current one.")
        var allMonths = false

        // A package has a quota in each month of its life. Before it begins the first one is shown, after its end the
        // last one, so that there is always one row for each item.
        private static let sql = """
            SELECT *
            FROM grant_balance
            WHERE (?1 IS NULL OR tenant = ?1)
                AND (?2 IS NULL OR month IS NULL
                    OR month = max(substr(effective_day, 1, 7), min(?2, substr(date(end_day, '-1 day'), 1, 7))))
            ORDER BY tenant, grant_code, item, month
            """

        func run() throws {
            let ledger = try options.openForReading()
            let rows = try ledger.read { database in
                try Row.fetchAll(
                    database, sql: Self.sql,
                    arguments: [
                        try owner.known(database), allMonths ? nil : try options.today(database).month.description,
                    ])
            }
            RowPrinter(
                columns: [
                    "tenant", "grant_code", "offer", "item", "month", "granted", "consumed", "remaining",
                    "effective_day", "end_day", "status",
                ], rows
            ).print(output, empty: "no grants; record one with 'meterd grant add'")
            try LedgerOptions.noteUnratedChanges(of: ledger, output.format)
        }
    }
}
