// Whether grants gave what they had, to whom they belonged, while they lasted (Billing rules, section 5).

import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

extension Check {
    static let grants = Check(name: "grants") { database, findings in
        let labels = try Labels(database)
        let grants = try Grants.all(database)
        try terms(grants, database, &findings)
        let entries = try entriesOnGrants(grants, labels, database, &findings)
        try drawnBeyondGranted(labels, database, &findings)
        try voidedButDrawn(labels, database, &findings)
        try prices(labels, database, &findings)
        return "\(counted(grants.count, "grant")), \(counted(entries, "entry", plural: "entries")) on them"
    }

    /// A grant ends on the same date a term after it became effective.
    private static func terms(_ grants: [RecordedGrant], _ database: Database, _ findings: inout Findings) throws {
        var months: [Int64: Int] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT grant_id, term FROM \"grant\"") {
            months[row["grant_id"]] = Term(rawValue: row["term"])?.months
        }
        for grant in grants {
            guard let months = months[grant.id] else { continue }
            let (life, end) = (grant.grant.life, grant.grant.life.effective.adding(months: months))
            if life.end != end {
                findings.add(
                    "grant \(grant.grant.code) is effective on \(life.effective) and ends on \(life.end), "
                        + "its term on \(end)"
                )
            }
        }
    }

    /// Each entry that names a grant: its tenant, its days, its kind.
    private static func entriesOnGrants(
        _ grants: [RecordedGrant], _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws -> Int {
        var byID: [Int64: RecordedGrant] = [:]
        for grant in grants { byID[grant.id] = grant }
        let items = Dictionary(
            uniqueKeysWithValues: try PriceBooks.itemIDs(database).map { ($0.value.number, $0.key) })
        let statement = try RawStatement(
            database,
            """
            SELECT entry_id, posted_day, usage_day, tenant_id, item_id, source, grant_id
            FROM ledger_entry
            WHERE grant_id IS NOT NULL OR source IN ('package', 'resource_package', 'forfeit', 'purchase', 'refund')
            """)
        var entries = 0
        while try statement.step() {
            entries += 1
            let entry = "entry \(statement.integer(0))"
            let source = Source(rawValue: String(decoding: statement.bytes(5), as: UTF8.self))
            guard let grant = byID[statement.integer(6)], let source else {
                findings.add("\(entry) names no grant")
                continue
            }
            if grant.tenant.number != statement.integer(3) {
                findings.add(
                    "\(entry) is of \(labels.tenant(statement.integer(3))), its grant \(grant.grant.code) of "
                        + labels.tenant(grant.tenant.number))
            }
            let drawn = DrawnEntry(
                source: source, item: items[statement.integer(4)], postedDay: day(statement.integer(1)),
                usageDay: day(statement.integer(2)))
            for objection in drawn.objections(to: grant) { findings.add("\(entry) \(objection)") }
        }
        return entries
    }

    /// What was drawn and forfeited, by quota: of a package each item and usage month, of a resource package all.
    private static func drawnBeyondGranted(
        _ labels: Labels, _ database: Database, _ findings: inout Findings
    ) throws {
        let span = try RatedSpan(database)
        let statement = try RawStatement(
            database,
            """
            WITH drawn (grant_id, item_id, month, quantity) AS (
                SELECT
                    grant_id, item_id,
                    CASE WHEN source = 'package' THEN strftime('%Y-%m', usage_day * 86400, 'unixepoch') END, quantity
                FROM ledger_entry
                WHERE source IN ('package', 'resource_package', 'forfeit') AND grant_id IS NOT NULL
                    -- A run may take a draw back on a later day than the one where it gives it: only a complete run,
                    -- or a settled day, has done both.
                    AND posted_day <= ?1
            )
            SELECT grant_id, item_id, month, sum(quantity), coalesce(granted, 0)
            FROM drawn
            LEFT JOIN grant_item USING (grant_id, item_id)
            GROUP BY grant_id, item_id, month
            HAVING sum(quantity) NOT BETWEEN 0 AND coalesce(granted, 0)
            """)
        statement.bind(1, span.comparableThrough?.number ?? -1)
        while try statement.step() {
            let month = String(decoding: statement.bytes(2), as: UTF8.self)
            findings.add(
                "\(labels.grant(statement.integer(0))), \(labels.item(statement.integer(1)))"
                    + "\(month.isEmpty ? "" : ", \(month)"): \(statement.integer(3)) units are drawn or forfeited, "
                    + "\(statement.integer(4)) were granted")
        }
    }

    /// Only a grant that nothing was drawn on can be voided; what it forfeited is no draw.
    private static func voidedButDrawn(_ labels: Labels, _ database: Database, _ findings: inout Findings) throws {
        let statement = try RawStatement(
            database,
            """
            SELECT grant_id, sum(quantity)
            FROM "grant"
            JOIN ledger_entry USING (grant_id)
            WHERE voided_at IS NOT NULL AND source IN ('package', 'resource_package')
            GROUP BY grant_id
            HAVING sum(quantity) <> 0
            """)
        while try statement.step() {
            findings.add(
                "\(labels.grant(statement.integer(0))) is voided, but \(statement.integer(1)) units are drawn on it")
        }
    }

    /// The price paid stands in the ledger as an entry, and once more, taken back, when the grant was voided.
    private static func prices(_ labels: Labels, _ database: Database, _ findings: inout Findings) throws {
        let statement = try RawStatement(
            database,
            """
            WITH paid AS (
                SELECT
                    grant_id, coalesce(price_micros, 0) AS price_micros,
                    CASE WHEN voided_at IS NULL THEN 0 ELSE -coalesce(price_micros, 0) END AS refund_micros,
                    (
                        SELECT coalesce(sum(amount_micros), 0)
                        FROM ledger_entry AS entry
                        WHERE entry.tenant_id = "grant".tenant_id AND entry.grant_id = "grant".grant_id
                            AND source = 'purchase'
                    ) AS purchase_entries,
                    (
                        SELECT coalesce(sum(amount_micros), 0)
                        FROM ledger_entry AS entry
                        WHERE entry.tenant_id = "grant".tenant_id AND entry.grant_id = "grant".grant_id
                            AND source = 'refund'
                    ) AS refund_entries
                FROM "grant"
            )
            SELECT grant_id, price_micros, refund_micros, purchase_entries, refund_entries
            FROM paid
            WHERE price_micros <> purchase_entries OR refund_micros <> refund_entries
            """)
        while try statement.step() {
            func money(_ column: Int32) -> Money { Money(micros: statement.integer(column)) }
            findings.add(
                "\(labels.grant(statement.integer(0))): a price of \(money(1)) and a refund of \(money(2)) "
                    + "are recorded, the entries say \(money(3)) and \(money(4))")
        }
    }
}

/// What an entry on a grant must keep to.
private struct DrawnEntry {
    let source: Source
    let item: Code?
    let postedDay: Day
    let usageDay: Day

    func objections(to recorded: RecordedGrant) -> [String] {
        let grant = recorded.grant
        switch source {
        case .package, .resourcePackage:
            let offer: Offer = source == .package ? .miniProgramPackage : .resourcePackage
            if recorded.offer != offer {
                return ["draws on grant \(grant.code) as a \(offer.rawValue), which it is not"]
            }
            if !covers(grant) { return ["draws on grant \(grant.code), which does not cover item \(name(item))"] }
            var objections: [String] = []
            if !grant.life.covers(usageDay) {
                objections.append(
                    "draws on grant \(grant.code) for usage day \(usageDay), outside of its life from "
                        + "\(grant.life.effective) to \(grant.life.end)")
            }
            if postedDay < grant.firstPostingDay {
                objections.append(
                    "draws on grant \(grant.code) on posting day \(postedDay), before its first, "
                        + "\(grant.firstPostingDay)"
                )
            }
            if source == .resourcePackage, postedDay >= grant.life.end {
                objections.append(
                    "draws on grant \(grant.code) on posting day \(postedDay), after it was forfeited "
                        + "on \(grant.life.end)"
                )
            }
            return objections
        case .forfeit:
            if recorded.offer != .resourcePackage || !covers(grant) {
                return ["forfeits item \(name(item)) of grant \(grant.code), which is no resource package of it"]
            }
            if postedDay != grant.life.end || usageDay != grant.life.end {
                return ["forfeits grant \(grant.code) on \(postedDay), not on its end day \(grant.life.end)"]
            }
            return []
        case .purchase, .refund: return []
        case .allowance, .overage, .free, .adjustment: return ["of source \(source.rawValue) names grant \(grant.code)"]
        }
    }

    private func covers(_ grant: Grant) -> Bool {
        guard let item else { return false }
        return switch grant.coverage {
        case .package(let monthly): monthly[item] != nil
        case .resourcePackage(let covered, _): covered == item
        case .subscription: false
        }
    }

    private func name(_ item: Code?) -> String { item?.text ?? "none" }
}
