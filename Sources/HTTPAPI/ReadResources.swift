// The collections: what the public views show, in their names.

extension ReadResource {
    static let all = [tenants, apps, grants, usageDays, usageMonths, ledger, bills, statements, quarantine]

    private static let tenants = ReadResource(
        path: "/v1/tenants", operation: "listTenants", schema: "Tenant", summary: "Tenants", description: "By code.",
        rows: .from("(SELECT code AS tenant, name, legacy FROM tenant)"),
        columns: [
            .tenant, .text("name", "What people call it."),
            Column(name: "legacy", kind: .flag, description: "Whether it may use legacy items."),
        ],
        key: ["tenant"], filters: [])

    private static let apps = ReadResource(
        path: "/v1/apps", operation: "listApps", schema: "App", summary: "Apps", description: "By code.",
        rows: .from(
            """
            (
                SELECT app.code AS app, app.name AS name, tenant.code AS tenant
                FROM app
                JOIN tenant USING (tenant_id))
            """),
        columns: [.app, .text("name", "What people call it."), .tenant],
        key: ["app"], filters: [.tenant])

    private static let grantStatuses = ["pending", "active", "ended", "used_up", "voided"]

    private static let grants = ReadResource(
        path: "/v1/grants", operation: "listGrants", schema: "GrantBalance", summary: "What tenants have bought",
        description: """
            A row for each item that a grant covers, of a package each month of its life; of a subscription one for \
            its licence. By tenant, grant, item and month. What is consumed is exact as of the last rating.
            """,
        rows: .from("grant_balance"), isRated: true,
        columns: [
            .tenant, .code("grant_code", "The grant."),
            .word("offer", ["mini_program_package", "resource_package", "subscription"], "What was bought."),
            .code("item", "The item that is covered, or the licence."),
            Column(
                name: "month", kind: .month, isNullable: true,
                description: "The month that the quantities are for; null where they are for the grant's whole life."),
            .integer("granted", isNullable: true, "Units that the grant covers; null where it covers no quantity."),
            .integer("consumed", isNullable: true, "Units that usage has drawn on it."),
            .integer("remaining", isNullable: true, "Units that are left."),
            .day("effective_day", "The first day of its life."), .day("end_day", "The day after its life."),
            .word("status", grantStatuses, "Where it is in its life."),
        ],
        key: ["tenant", "grant_code", "item", "month"],
        filters: [
            .tenant, .equal("grant_code", .code, "Only this grant."),
            .equal("status", .word(grantStatuses), "Only those of this status."),
        ])

    private static let usageDays = ReadResource(
        path: "/v1/usage/days", operation: "listUsageDays", schema: "UsageDay", summary: "Usage by day",
        description: """
            Exact as of the last stored event. By tenant, app, item, usage day and posting day, which differ where \
            usage came late.
            """,
        rows: .from("usage_daily"),
        columns: [
            .tenant, .app, .item, .day("usage_day", "The local day of the usage."),
            .day("posted_day", "The day whose bill it is on."),
            .integer("quantity", "Units; a device counts once a month, on the first day that it was posted on."),
            .integer("active_devices", "Devices that were active, each day anew."),
        ],
        key: ["tenant", "app", "item", "usage_day", "posted_day"],
        filters: [
            .tenant, .app, .item, .from("usage_day", "Usage days from this one on."),
            .to("usage_day", "Usage days through this one."),
        ])

    private static let usageMonths = ReadResource(
        path: "/v1/usage/months", operation: "listUsageMonths", schema: "UsageMonth",
        summary: "Devices by month",
        description: """
            The unique devices of each item that counts them; other items, such as calls, are in /v1/usage/days only. By \
            tenant, app, item and month.
            """,
        rows: .from("mau"),
        columns: [
            .tenant, .app, .item, Column(name: "month", kind: .month, description: "The month of the usage."),
            .integer("devices", "Unique devices."),
        ],
        key: ["tenant", "app", "item", "month"],
        filters: [.tenant, .app, .item, .equal("month", .month, "Only this month.")])

    private static let sources = [
        "allowance", "package", "resource_package", "overage", "free", "purchase", "refund", "forfeit", "adjustment",
    ]

    private static let ledger = ReadResource(
        path: "/v1/ledger", operation: "listLedgerEntries", schema: "LedgerEntry", summary: "Ledger entries",
        description: """
            As of the last rating, in the order in which they were appended. Entries never change: a client that keeps \
            what it has read goes on with its last cursor.
            """,
        rows: .chosen(table: "ledger_entry", view: "ledger"), isRated: true,
        columns: [
            .integer("entry_id", "1, 2, 3 … without gaps."), .day("posted_day", "The day whose bill it is on."),
            .day("usage_day", "The day of the usage; earlier than posted_day where usage came late."), .tenant,
            .code("app", isNullable: true, "The app; null where the entry is for none."),
            .code("item", isNullable: true, "The billable item, or the licence; null where the entry is for none."),
            .word("source", sources, "What the quantity was drawn on, or what else the entry is."),
            .code("grant_code", isNullable: true, "The grant that the entry is for."),
            .integer("tier", isNullable: true, "The tier of the price, from 1."),
            .integer("quantity", "Units."), .micros("amount_micros", "The amount."), .currency,
            .integer(
                "price_version", isNullable: true,
                "The version of the price book that priced it; null where nothing was priced."),
            .integer("run_id", isNullable: true, "The rating run that appended it; null for purchases and refunds."),
            Column(
                name: "reason", kind: .text, isNullable: true,
                description: """
                    What is to be said of the entry, for people: that usage came late, that a day was rated anew, that a \
                    grant ended with something left, which purchase it is; null for an ordinary line.
                    """),
            Column(
                name: "created_at", kind: .instant,
                description: "When the run that appended it began; of purchases and refunds, when they were recorded."),
            .hash("prev_hash", "The hash of the entry before; of the first one, zeros."),
            .hash("hash", "SHA-256 of this entry and prev_hash."),
        ],
        key: ["entry_id"],
        // Conditions on the columns of ledger_entry, so that its indexes serve them.
        filters: [
            Filter(
                name: "tenant", kind: .code, condition: "tenant_id = (SELECT tenant_id FROM tenant WHERE code = ?)",
                isIndexed: true, description: Filter.tenant.description),
            Filter(
                name: "app", kind: .code, condition: "app_id = (SELECT app_id FROM app WHERE code = ?)",
                description: Filter.app.description),
            Filter(
                name: "item", kind: .code, condition: "item_id = (SELECT item_id FROM item WHERE code = ?)",
                description: Filter.item.description),
            .equal("source", .word(sources), "Only entries of this source."),
            Filter(
                name: "from", kind: .day, condition: "posted_day >= unixepoch(?) / 86400", isIndexed: true,
                description: "Posting days from this one on."),
            Filter(
                name: "to", kind: .day, condition: "posted_day <= unixepoch(?) / 86400", isIndexed: true,
                description: "Posting days through this one."),
        ])

    private static let billStatuses = ["draft", "unrated", "final"]

    private static let bills = ReadResource(
        path: "/v1/bills", operation: "listBills", schema: "Bill", summary: "Bills by day",
        description: "A bill for each tenant and posting day with entries or usage. By tenant and day.",
        rows: .from("bill"), isRated: true,
        columns: [
            .tenant, .day("day", "The posting day."),
            .word("status", billStatuses, "Open, final but not settled, or settled."),
            .micros("amount_micros", "The sum of its entries, without prices that were paid for grants."),
            .micros("payable_micros", "What is to be paid, in whole minor units of the currency."), .currency,
            .day("due_day", isNullable: true, "The day it is due; null until it is settled."),
            .code("reference_app", isNullable: true, "The app with the largest amount."),
        ],
        key: ["tenant", "day"],
        filters: [.tenant, .from("day", "Bills from this day on."), .to("day", "Bills through this day.")])

    private static let statements = ReadResource(
        path: "/v1/statements", operation: "listStatements", schema: "Statement", summary: "Statements by month",
        description: "The bills of a tenant's month, added up. By tenant and month.", rows: .from("statement"),
        isRated: true,
        columns: [
            .tenant, Column(name: "month", kind: .month, description: "The month of the posting days."),
            .word("status", billStatuses, "Open, final but not settled, or settled."),
            .micros("amount_micros", "The sum of the bills' amounts."),
            .micros("payable_micros", "The sum of what the bills ask for."),
            .micros("remainder_micros", "What is under the minor unit and never asked for."), .currency,
        ],
        key: ["tenant", "month"], filters: [.tenant, .equal("month", .month, "Only this month.")])

    private static let quarantine = ReadResource(
        path: "/v1/quarantine", operation: "listQuarantine", schema: "QuarantinedEvent",
        summary: "Refused events that are kept", description: "In the order in which they came first.",
        rows: .from(
            """
            (
                SELECT
                    quarantine_id AS number,
                    strftime('%Y-%m-%dT%H:%M:%SZ', arrived_at / 1000000, 'unixepoch') AS arrived_at,
                    code, reason, source, id, event
                FROM quarantine)
            """),
        columns: [
            .integer("number", "By which it is retried or dropped."),
            Column(name: "arrived_at", kind: .instant, description: "When it came first."),
            .code("code", "Why it was refused, for programs."), .text("reason", "Why it was refused, for people."),
            Column(name: "source", kind: .text, isNullable: true, description: "The event's source, if it has one."),
            Column(name: "id", kind: .text, isNullable: true, description: "The event's id, if it has one."),
            .text("event", "The event as it came."),
        ],
        key: ["number"], filters: [.equal("code", .code, "Only events that were refused for this.")])
}

extension ReadResource.Column {
    static let tenant = code("tenant", "The tenant.")
    static let app = code("app", "The app.")
    static let item = code("item", "The billable item.")
    static let currency = text("currency", "The currency of amounts, as ISO 4217 has it.")

    static func text(_ name: String, _ description: String) -> Self {
        Self(name: name, kind: .text, description: description)
    }

    static func code(_ name: String, isNullable: Bool = false, _ description: String) -> Self {
        Self(name: name, kind: .code, isNullable: isNullable, description: description)
    }

    static func day(_ name: String, isNullable: Bool = false, _ description: String) -> Self {
        Self(name: name, kind: .day, isNullable: isNullable, description: description)
    }

    static func integer(_ name: String, isNullable: Bool = false, _ description: String) -> Self {
        Self(name: name, kind: .integer, isNullable: isNullable, description: description)
    }

    static func micros(_ name: String, _ description: String) -> Self {
        Self(name: name, kind: .micros, description: description)
    }

    static func word(_ name: String, _ words: [String], _ description: String) -> Self {
        Self(name: name, kind: .word(words), description: description)
    }

    static func hash(_ name: String, _ description: String) -> Self {
        Self(name: name, kind: .hash, description: description)
    }
}

extension ReadResource.Filter {
    static let tenant = equal("tenant", .code, "Only this tenant's.")
    static let app = equal("app", .code, "Only this app's.")
    static let item = equal("item", .code, "Only this item.")

    static func equal(_ name: String, _ kind: ReadResource.Kind, _ description: String) -> Self {
        Self(name: name, kind: kind, condition: "\(name) = ?", description: description)
    }

    static func from(_ column: String, _ description: String) -> Self {
        Self(name: "from", kind: .day, condition: "\(column) >= ?", description: description)
    }

    static func to(_ column: String, _ description: String) -> Self {
        Self(name: "to", kind: .day, condition: "\(column) <= ?", description: description)
    }
}
