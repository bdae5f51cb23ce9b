// Recording, voiding and reading grants (Billing rules, section 5).

import Accounting
package import GRDB
package import Quantities
package import Rating
package import Storage

/// A purchase as an operator records it.
package struct GrantOrder: Codable, Sendable {
    package enum Terms: Codable, Sendable, Equatable {
        case miniProgramPackage(devices: Int64)
        case resourcePackage(item: Code, quantity: Quantity)
        case subscription(licence: Code, app: Code, term: Term)

        var offer: Offer {
            switch self {
            case .miniProgramPackage: .miniProgramPackage
            case .resourcePackage: .resourcePackage
            case .subscription: .subscription
            }
        }

        var devices: Int64? {
            if case .miniProgramPackage(let devices) = self { return devices }
            return nil
        }
    }

    package let code: Code
    package let tenant: Code
    package let terms: Terms
    package let purchasedAt: Instant
    package let price: Money?

    package init(code: Code, tenant: Code, terms: Terms, purchasedAt: Instant, price: Money?) {
        self.code = code
        self.tenant = tenant
        self.terms = terms
        self.purchasedAt = purchasedAt
        self.price = price
    }
}

/// A grant as recorded.
package struct RecordedGrant: Sendable {
    package let id: Int64
    package let tenant: TenantID
    package let offer: Offer
    /// The item of a resource package, the licence of a subscription.
    package let item: Code?
    /// The app of a subscription.
    package let app: Code?
    /// What a package was bought for.
    package let devices: Int64?
    package let term: Term
    package let grant: Grant
    /// By item: of a package for a month, of a resource package in all.
    package let granted: [Code: Quantity]
    package let recordedAt: Instant
    package let price: Money?
    package let voidedAt: Instant?

    package var isVoided: Bool { voidedAt != nil }
}

extension RecordedGrant {
    /// Whether it had ended so long before it was recorded that no usage of its life could come any more (Billing rules,
    /// section 5).
    ///
    /// - Parameter today: the local date of recording.
    package func coversNothing(_ finality: FinalityRule, recordedOn today: Day) -> Bool {
        switch offer {
        case .miniProgramPackage, .resourcePackage:
            // Where days are closed ahead of the clock, usage may wait on a later day than this one.
            grant.firstPostingDay == finality.earliestOpenDay(today: today, closedThrough: nil)
                && finality.firstDayWithoutUsage(before: grant.life.end) <= grant.firstPostingDay
        case .subscription: grant.life.end < grant.firstPostingDay
        }
    }
}

package enum Grants {
    /// Records a purchase; the same again is the same grant.
    ///
    /// - Parameters:
    ///   - moment: when it is recorded. The grant changes no day that is final by then.
    /// - Throws: ``LedgerError``.
    package static func record(
        _ order: GrantOrder, at moment: Moment, _ database: Database
    ) throws -> Recording {
        let now = moment.now
        let (purchaseDay, effective) = try days(of: order.purchasedAt, moment.properties, database)
        let tenant = try Accounts.tenant(order.tenant, database)
        if let row = try Row.fetchOne(
            database, sql: "SELECT * FROM \"grant\" WHERE code = ?", arguments: [order.code.text])
        {
            if let voidedAt = row["voided_at"] as Int64? {
                throw LedgerError.voidedCode(order.code, voidedAt: Instant(micros: voidedAt))
            }
            try check(row, repeats: order, tenant: tenant, database)
            return .alreadyRecorded
        }
        try KnownCodes.grants.checkCase(of: order.code, database)
        guard order.purchasedAt <= now else { throw LedgerError.purchasedInFuture(order.purchasedAt, now: now) }
        if let price = order.price, !moment.properties.currency.canPay(price) {
            throw LedgerError.notPayable(option: "--price", price, moment.properties.currency)
        }
        let sold = try sold(order, tenant: tenant, on: purchaseDay, database)
        let life = GrantLife(effective: effective, term: sold.term)
        try database.execute(
            sql: """
                INSERT INTO "grant" (
                    code, tenant_id, offer, item_id, app_id, devices, term, purchased_at, price_micros, recorded_at,
                    effective_day, end_day, first_posting_day)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                order.code.text, tenant.id.number, sold.offer.rawValue, sold.item?.number, sold.app?.number,
                order.terms.devices, sold.term.rawValue, order.purchasedAt.micros, order.price?.micros, now.micros,
                life.effective.number,
                life.end.number, moment.earliestOpenDay.number,
            ])
        let id = database.lastInsertedRowID
        for (item, granted) in sold.granted {
            try database.execute(
                sql: "INSERT INTO grant_item (grant_id, item_id, granted) VALUES (?, ?, ?)",
                arguments: [id, item.number, granted.units])
        }
        try LedgerState.noteChange(database)
        if let price = order.price {
            try appendPrice(price, source: .purchase, grant: order.code, at: moment, database)
        }
        return .recorded
    }

    /// The local date of a purchase and the next one, which may be two days on. A day that is stored stays as it is,
    /// whatever becomes of the zone.
    private static func days(
        of purchase: Instant, _ properties: LedgerProperties, _ database: Database
    ) throws -> (purchase: Day, effective: Day) {
        if let day = try DayCalendar.stored(database)?.dayOutsideGaps(of: purchase) { return (day, day + 1) }
        let day = LedgerDays.date(of: purchase, in: properties.timeZone)
        return (day, LedgerDays.day(after: day, in: properties.timeZone))
    }

    /// What an order comes to under the version in force on the day of the purchase (Billing rules, section 3).
    ///
    /// - Throws: ``LedgerError``; one that says from which day on it is sold, where a later version sells it.
    private static func sold(
        _ order: GrantOrder, tenant: Tenant, on purchaseDay: Day, _ database: Database
    ) throws -> Sold {
        let history = try PriceBooks.history(database)
        let inForce = history.version(for: purchaseDay)
        do {
            return try Sold(order, tenant: tenant, inForce.book, database)
        } catch let objection as LedgerError {
            let later = history.versions.first { version in
                version.number > inForce.number
                    && (try? Sold(order, tenant: tenant, version.book, database)) != nil
            }
            guard let later else { throw objection }
            throw LedgerError.notSoldYet(order.terms, from: later.book.effective, purchaseDay: purchaseDay)
        }
    }

    /// What an order comes to under a price book.
    private struct Sold {
        let offer: Offer
        var item: ItemID?
        var app: AppID?
        let term: Term
        var granted: [(ItemID, Quantity)] = []

        init(_ order: GrantOrder, tenant: Tenant, _ book: PriceBook, _ database: Database) throws {
            let ids = try PriceBooks.itemIDs(database)
            switch order.terms {
            case .miniProgramPackage(let devices):
                offer = .miniProgramPackage
                guard let package = book.miniProgramPackage else { throw LedgerError.offerMissing(offer.rawValue) }
                guard package.devices.contains(devices) else {
                    throw LedgerError.devicesOutOfRange(devices, package.devices)
                }
                term = package.term
                granted = package.granted(devices: devices).compactMap { code, granted in
                    ids[code].map { ($0, granted) }
                }
            case .resourcePackage(let code, let quantity):
                offer = .resourcePackage
                guard let package = book.resourcePackage else { throw LedgerError.offerMissing(offer.rawValue) }
                guard let priced = book.items[code], let id = ids[code] else {
                    throw LedgerError.unknownItem(code.text, known: book.items.keys.sorted())
                }
                switch priced.pricing {
                case .free: throw LedgerError.nothingToDraw(item: code, isFree: true)
                case .none: throw LedgerError.nothingToDraw(item: code, isFree: false)
                case .tiers: break
                }
                term = package.term
                item = id
                granted = [(id, quantity)]
            case .subscription(let licence, let appCode, let term):
                offer = .subscription
                guard let subscription = book.subscription else { throw LedgerError.offerMissing(offer.rawValue) }
                guard subscription.terms.contains(term) else {
                    throw LedgerError.termNotOffered(term.rawValue, offered: subscription.terms.map(\.rawValue))
                }
                guard book.isLicence(licence) else {
                    let licences = book.features.keys.filter(book.isLicence).sorted().map(\.text)
                    throw LedgerError.notALicence(licence.text, licences: licences)
                }
                let app = try Accounts.app(appCode, database)
                guard app.tenant.id == tenant.id else {
                    throw LedgerError.appOfOtherTenant(app: appCode, tenant: tenant.code, owner: app.tenant.code)
                }
                self.term = term
                item = try PriceBooks.licenceID(licence, database)
                self.app = app.id
            }
        }
    }

    /// - Throws: ``LedgerError/otherTerms(what:code:field:recorded:given:)`` when a recorded grant has other terms.
    ///
    /// The order's own terms are compared, not what a price book makes of them today.
    private static func check(_ row: Row, repeats order: GrantOrder, tenant: Tenant, _ database: Database) throws {
        func same(_ field: String, _ recorded: String?, _ given: String?) throws {
            try LedgerStore.same("grant", order.code, field, recorded ?? "none", given ?? "none")
        }
        let tenants = try Accounts.tenants(database).values
        try same("tenant", tenants.first { $0.id.number == row["tenant_id"] }?.code.text, tenant.code.text)
        try same("offer", row["offer"], order.terms.offer.rawValue)
        guard let recorded = try all(database).first(where: { $0.grant.code == order.code }) else {
            preconditionFailure("the grant was just read")
        }
        switch order.terms {
        case .miniProgramPackage(let devices):
            try same("--devices", (row["devices"] as Int64?).map(String.init), String(devices))
        case .resourcePackage(let item, let quantity):
            try same("--item", recorded.item?.text, item.text)
            if case .resourcePackage(_, let total) = recorded.grant.coverage {
                try same("--quantity", String(total.units), String(quantity.units))
            }
        case .subscription(let licence, let app, let term):
            try same("--item", recorded.item?.text, licence.text)
            try same("--app", recorded.app?.text, app.text)
            try same("--term", row["term"], term.rawValue)
        }
        try same(
            "--purchased-at", Instant(micros: row["purchased_at"]).description, order.purchasedAt.description)
        try same(
            "--price", (row["price_micros"] as Int64?).map { Money(micros: $0).description }, order.price?.description)
    }

    /// The price of a grant as an entry of the day on which it is recorded: prepaid, so no part of a bill's amount.
    private static func appendPrice(
        _ amount: Money, source: Source, grant code: Code, at moment: Moment, _ database: Database
    ) throws {
        guard let recorded = try all(database).first(where: { $0.grant.code == code }),
            let tenant = try Accounts.tenants(database).values.first(where: { $0.id == recorded.tenant })
        else { preconditionFailure("a grant was just stored") }
        let entry = EntryDraft(
            postedDay: moment.today, usageDay: moment.today, tenant: tenant.code, app: recorded.app,
            item: recorded.item, source: source, grant: code, amount: amount,
            reason: "\(source.rawValue) of \(recorded.offer.rawValue) \(code)")
        try EntryWriter(moment.properties, Names(database)).append([entry], runID: nil, at: moment.now, database)
    }

    /// Voids a grant that no final day draws on. The next rating rates the open days without it.
    ///
    /// - Parameter draws: what final days draw on it.
    /// - Returns: what entries of open days draw on it until the next rating takes that back.
    /// - Throws: ``LedgerError``: `grantUsed`, `subscriptionBegun`.
    package static func void(
        _ recorded: RecordedGrant, finalDraws draws: FinalDraws?, at moment: Moment, _ database: Database
    ) throws -> Quantity {
        let code = recorded.grant.code
        if let draws { throw LedgerError.grantUsed(code, draws, firstOpenDay: moment.earliestOpenDay) }
        guard recorded.offer != .subscription || moment.today <= recorded.grant.life.effective else {
            throw LedgerError.subscriptionBegun(code, recorded.grant.life)
        }
        try database.execute(
            sql: "UPDATE \"grant\" SET voided_at = ?, voided_from_day = ? WHERE grant_id = ?",
            arguments: [moment.now.micros, moment.earliestOpenDay.number, recorded.id])
        try LedgerState.note(moment.now, database)
        try LedgerState.noteChange(database)
        if let price = recorded.price {
            try appendPrice(try Money.zero - price, source: .refund, grant: code, at: moment, database)
        }
        let entered = try Int64.fetchOne(
            database,
            sql: "SELECT sum(quantity) FROM rated_total WHERE grant_id = ? AND grant_id <> 0 AND source <> 'forfeit'",
            arguments: [recorded.id])
        return Quantity(entered ?? 0)
    }

    /// A grant that takes part.
    ///
    /// - Throws: ``LedgerError``: `unknownGrant`, `grantVoided`.
    @discardableResult
    package static func notVoided(_ code: Code, _ database: Database) throws -> RecordedGrant {
        guard let grant = try all(database).first(where: { $0.grant.code == code }) else {
            throw LedgerError.unknownGrant(code.text, nearest: try KnownCodes.grants.nearest(to: code, database))
        }
        guard !grant.isVoided else { throw LedgerError.grantVoided(code) }
        return grant
    }

    /// Every grant, voided ones too, by id.
    package static func all(_ database: Database) throws -> [RecordedGrant] {
        let items = Dictionary(
            uniqueKeysWithValues: try PriceBooks.itemIDs(database).map { ($0.value.number, $0.key) })
        var quotas: [Int64: [Code: Quantity]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT grant_id, item_id, granted FROM grant_item") {
            guard let item = items[row["item_id"]] else { continue }
            quotas[row["grant_id"], default: [:]][item] = Quantity(row["granted"])
        }
        let apps = Dictionary(
            uniqueKeysWithValues: try Accounts.apps(database).map { ($0.value.id.number, $0.key) })
        let finality = try LedgerProperties.finality(database)
        return try Row.fetchAll(database, sql: "SELECT * FROM \"grant\" ORDER BY grant_id").map { row in
            guard let offer = Offer(rawValue: row["offer"]), let term = Term(rawValue: row["term"]) else {
                preconditionFailure("an unknown offer or term")
            }
            let id: Int64 = row["grant_id"]
            let granted = quotas[id] ?? [:]
            let coverage: Coverage =
                switch offer {
                case .miniProgramPackage: .package(monthly: granted)
                case .resourcePackage:
                    granted.first.map { .resourcePackage(item: $0.key, total: $0.value) } ?? .subscription
                case .subscription: .subscription
                }
            let grant = Grant(
                code: stored(row["code"]), coverage: coverage,
                life: GrantLife(effective: Day(row["effective_day"]), end: Day(row["end_day"])),
                purchasedAt: Instant(micros: row["purchased_at"]), firstPostingDay: Day(row["first_posting_day"]),
                finality: finality, voidedFrom: (row["voided_from_day"] as Int?).map { Day($0) })
            return RecordedGrant(
                id: id, tenant: TenantID(row["tenant_id"]), offer: offer,
                item: (row["item_id"] as Int64?).flatMap { items[$0] },
                app: (row["app_id"] as Int64?).flatMap { apps[$0] }, devices: row["devices"], term: term, grant: grant,
                granted: granted,
                recordedAt: Instant(micros: row["recorded_at"]),
                price: (row["price_micros"] as Int64?).map { Money(micros: $0) },
                voidedAt: (row["voided_at"] as Int64?).map { Instant(micros: $0) })
        }
    }
}
