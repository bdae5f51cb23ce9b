// Grants across price books, the guards of what was sold, and zones: what only a whole ledger can show.

import Foundation
import GRDB
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import PriceBookFile
import Quantities
import Rating
import Storage
import TestSupport
import Testing
import Verification

@Suite("Grants and price books (Billing rules, sections 3 and 5)", .computing)
struct GrantTests {
    private func order(_ terms: GrantOrder.Terms) throws -> GrantOrder {
        GrantOrder(
            code: LedgerFixture.code("p1"), tenant: LedgerFixture.code("acme"), terms: terms,
            purchasedAt: try LedgerFixture.instant("2027-01-10T09:00:00Z"), price: Money(micros: 5_000_000))
    }

    private func ledger() throws -> LedgerFixture {
        let fixture = try LedgerFixture(now: "2027-01-10T12:00:00Z")
        try fixture.addTenant("acme", apps: ["shop"])
        return fixture
    }

    private func book(effective: String, replacing old: String, by new: String) -> String {
        PriceBookFile.builtIn
            .replacingOccurrences(of: "effective: 2026-01-01", with: "effective: \(effective)")
            .replacingOccurrences(of: old, with: new)
    }

    @Test("The same purchase again is one grant, whatever price book came in between")
    func repeatedAfterABook() throws {
        let fixture = try ledger()
        let package = try order(.miniProgramPackage(devices: 10_000))
        #expect(try fixture.ledger.recordGrant(package, clock: fixture.clock).recording == .recorded)
        try fixture.apply(priceBook: book(effective: "2027-01-11", replacing: "20000000", by: "30000000"))
        #expect(try fixture.ledger.recordGrant(package, clock: fixture.clock).recording == .alreadyRecorded)
        #expect(throws: LedgerError.self) {
            try fixture.ledger.recordGrant(order(.miniProgramPackage(devices: 20_000)), clock: fixture.clock)
        }
    }

    @Test("A book that has the item of gateway calls and no feature for it makes a ledger that verifies")
    func callsWithoutFeature() throws {
        let fixture = try LedgerFixture(
            now: "2027-01-10T12:00:00Z",
            priceBook: """
                book: bare
                effective: 2026-01-01
                currency: USD
                items:
                  gateway_calls: { aggregation: sum, tiers: [ { price: "0.15", per: 10000 } ] }
                """)
        try fixture.addTenant("acme", apps: ["shop"])
        let report = try fixture.ingest(
            EventLine.calls(7, id: "1").text, EventLine.usage(5, of: "gateway_calls", id: "2").text)
        #expect(report.accepted == 2)
        _ = try fixture.ledger.rate(#require(Day("2027-01-10")), clock: fixture.clock)
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("A purchase that lies in the future is refused; the same purchase again is one grant")
    func repeated() throws {
        let fixture = try ledger()
        let package = try order(.miniProgramPackage(devices: 10_000))
        let tomorrow = GrantOrder(
            code: package.code, tenant: package.tenant, terms: package.terms,
            purchasedAt: try LedgerFixture.instant("2027-01-11T09:00:00Z"), price: package.price)
        #expect(throws: LedgerError.purchasedInFuture(tomorrow.purchasedAt, now: fixture.now)) {
            try fixture.ledger.recordGrant(tomorrow, clock: fixture.clock)
        }
        #expect(try fixture.ledger.recordGrant(package, clock: fixture.clock).recording == .recorded)
        #expect(try fixture.ledger.recordGrant(package, clock: fixture.clock).recording == .alreadyRecorded)
    }

    @Test("An item that only a later version of the price book has is refused with the day from which it has it")
    func itemOfLaterVersion() throws {
        let fixture = try ledger()
        let novelty = "  novelty: { aggregation: unique_devices, tiers: [ { price: \"1\" } ] }\nfeatures:"
        try fixture.apply(priceBook: book(effective: "2027-01-20", replacing: "features:", by: novelty))
        let package = try order(.resourcePackage(item: LedgerFixture.code("novelty"), quantity: Quantity(5)))
        let error = #expect(throws: LedgerError.self) { try fixture.ledger.recordGrant(package, clock: fixture.clock) }
        #expect(
            error?.description.hasPrefix(
                "the price book sells a resource_package of item 'novelty' only from 2027-01-20 on, and a purchase goes by "
                    + "the version in force on its day, 2027-01-10;") == true)
    }

    @Test(
        "What is sold from the day after a purchase on is refused with that day",
        arguments: [
            (
                "features:", "  novelty: { aggregation: unique_devices, tiers: [ { price: \"1\" } ] }\nfeatures:",
                GrantOrder.Terms.resourcePackage(item: LedgerFixture.code("novelty"), quantity: Quantity(5)),
                "a resource_package of item 'novelty'"
            ),
            (
                "max: 100000", "max: 200000", .miniProgramPackage(devices: 150_000),
                "a mini_program_package for 150,000 devices"
            ),
            (
                "  kernel:", "  novelty: { items: [] }\n  kernel:",
                .subscription(
                    licence: LedgerFixture.code("novelty"), app: LedgerFixture.code("shop"), term: .month),
                "a subscription to 'novelty' by the month"
            ),
        ])
    func soldFromTomorrow(old: String, new: String, terms: GrantOrder.Terms, what: String) throws {
        let fixture = try ledger()
        try fixture.apply(priceBook: book(effective: "2027-01-11", replacing: old, by: new))
        let tomorrow = try #require(Day("2027-01-11"))
        let error = LedgerError.notSoldYet(terms, from: tomorrow, purchaseDay: tomorrow - 1)
        #expect(throws: error) { try fixture.ledger.recordGrant(order(terms), clock: fixture.clock) }
        #expect(
            error.description
                == "the price book sells \(what) only from 2027-01-11 on, and a purchase goes by the version in force on its "
                + "day, 2027-01-10; record one that is made on 2027-01-11 or later, or choose what was sold on 2027-01-10"
        )
        #expect(try fixture.rows("SELECT count(*) FROM \"grant\"") == ["0"])
    }

    @Test("A purchase takes what was sold on its day, though the offer ends with it or changes the day after")
    func soldUntilToday() throws {
        let fixture = try ledger()
        // From the 11th on there is no subscription, packages are smaller and grant more calls.
        let later = book(effective: "2027-01-11", replacing: "max: 100000", by: "max: 20000")
            .replacingOccurrences(of: "20000000", with: "30000000")
            .replacingOccurrences(of: "  subscription: { name: Subscription, terms: [ month, year ] }", with: "")
        try fixture.apply(priceBook: later)
        try fixture.set(now: "2027-01-12T12:00:00Z")
        func record(_ code: String, _ terms: GrantOrder.Terms, at purchase: String) throws {
            let order = GrantOrder(
                code: LedgerFixture.code(code), tenant: LedgerFixture.code("acme"), terms: terms,
                purchasedAt: try LedgerFixture.instant(purchase), price: nil)
            _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
        }
        let licence = GrantOrder.Terms.subscription(
            licence: LedgerFixture.code("security_armor"), app: LedgerFixture.code("shop"), term: .month)
        try record("s1", licence, at: "2027-01-10T23:59:59Z")
        try record("m1", .miniProgramPackage(devices: 100_000), at: "2027-01-10T23:59:59Z")
        try record("m2", .miniProgramPackage(devices: 20_000), at: "2027-01-11T00:00:00Z")
        let calls = """
            SELECT "grant".code, granted FROM "grant" JOIN grant_item USING (grant_id) JOIN item ON item.item_id = grant_item.item_id
            WHERE item.code = 'gateway_calls'
            ORDER BY "grant".code
            """
        #expect(try fixture.rows(calls) == ["m1 20000000", "m2 30000000"])
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
        #expect(throws: LedgerError.offerMissing("subscription")) {
            try record("s2", licence, at: "2027-01-11T00:00:00Z")
        }
        #expect(throws: LedgerError.devicesOutOfRange(100_000, 10_000...20_000)) {
            try record("m3", .miniProgramPackage(devices: 100_000), at: "2027-01-11T00:00:00Z")
        }
    }

    @Test("Verification finds a grant of what was sold only from the day after its purchase on")
    func verifiedByTheDayOfPurchase() throws {
        let fixture = try ledger()
        _ = try fixture.ledger.recordGrant(order(.miniProgramPackage(devices: 10_000)), clock: fixture.clock)
        try fixture.apply(priceBook: book(effective: "2027-01-11", replacing: "20000000", by: "30000000"))
        for name in try fixture.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'grant_item'")
        {
            try fixture.execute("DROP TRIGGER \(name)")
        }
        try fixture.execute("UPDATE grant_item SET granted = 30000000 WHERE granted = 20000000")
        let findings = try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence)
        #expect(
            findings.contains {
                $0.hasSuffix("no version of the price book that was in force by 2027-01-10 sells that")
            },
            "\(findings)")
    }

    @Test("A grant that is voided already is refused, and nothing has changed")
    func voidedTwice() throws {
        let fixture = try ledger()
        let calls = try order(.resourcePackage(item: LedgerFixture.code("gateway_calls"), quantity: Quantity(44)))
        _ = try fixture.ledger.recordGrant(calls, clock: fixture.clock)
        // On the day of its forfeit: what is left is forfeited, then it is voided.
        let last = try fixture.rows("SELECT date((end_day + 33) * 86400, 'unixepoch') FROM \"grant\"")[0]
        try fixture.set(now: "\(last)T12:00:00Z")
        _ = try fixture.ledger.rate(#require(Day(last)), clock: fixture.clock)
        _ = try fixture.ledger.voidGrant(calls.code, clock: fixture.clock)
        let entries = try fixture.rows("SELECT source, quantity FROM ledger")
        #expect(entries.contains("forfeit 44"))
        #expect(
            performing: { try fixture.ledger.voidGrant(calls.code, clock: fixture.clock) },
            throws: {
                if case LedgerError.grantVoided = $0 { true } else { false }
            })
        #expect(try fixture.rows("SELECT source, quantity FROM ledger") == entries)
        // The next rating takes the forfeit back.
        _ = try fixture.ledger.rate(#require(Day(last)), clock: fixture.clock)
        #expect(try fixture.rows("SELECT sum(quantity) FROM ledger WHERE source = 'forfeit'") == ["0"])
    }

    @Test("A code that was a licence may become an item")
    func licenceBecomesItem() throws {
        let fixture = try ledger()
        let licence = try order(
            .subscription(licence: LedgerFixture.code("security_armor"), app: LedgerFixture.code("shop"), term: .month))
        _ = try fixture.ledger.recordGrant(licence, clock: fixture.clock)
        let item = "  security_armor: { aggregation: unique_devices, tiers: [ { price: \"0.03\" } ] }\n"
        try fixture.apply(
            priceBook: book(effective: "2027-01-11", replacing: "\nitems:\n", by: "\nitems:\n" + item))
        #expect(
            try fixture.rows("SELECT aggregation FROM item WHERE code = 'security_armor'") == ["unique_devices"])
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test(
        "What was sold, priced and settled is guarded by the database itself",
        arguments: [
            "UPDATE price_book_version SET yaml = ''", "DELETE FROM price_book_version",
            "UPDATE settled_day SET settled_on = 0", "DELETE FROM settled_day",
            "UPDATE \"grant\" SET devices = 1", "DELETE FROM \"grant\"",
        ])
    func guards(sql: String) throws {
        let fixture = try ledger()
        _ = try fixture.ledger.recordGrant(order(.miniProgramPackage(devices: 10_000)), clock: fixture.clock)
        try fixture.set(now: "2027-01-20T12:00:00Z")
        _ = try fixture.ledger.rate(try #require(Day("2027-01-20")), clock: fixture.clock)
        #expect(throws: DatabaseError.self) { try fixture.ledger.file.write { try $0.execute(sql: sql) } }
    }

    @Test("A purchase is of the day that the ledger has stored, also where the zone's tables have come to another one")
    func dayOfPurchase() throws {
        let fixture = try ledger()
        let first = GrantOrder(
            code: LedgerFixture.code("before"), tenant: LedgerFixture.code("acme"),
            terms: .miniProgramPackage(devices: 10_000),
            purchasedAt: try LedgerFixture.instant("2027-01-08T00:30:00Z"), price: nil)
        // Days are stored with the first of them. As if the tables of then had begun the 9th an hour later.
        _ = try fixture.ledger.recordGrant(first, clock: fixture.clock)
        try fixture.execute(
            "UPDATE day_start SET starts_at = starts_at + 3600000000 WHERE date(day * 86400, 'unixepoch') = '2027-01-09'"
        )
        let order = GrantOrder(
            code: LedgerFixture.code("after"), tenant: first.tenant, terms: first.terms,
            purchasedAt: try LedgerFixture.instant("2027-01-09T00:30:00Z"), price: nil)
        try fixture.reopen()
        _ = try fixture.ledger.recordGrant(order, clock: fixture.clock)
        #expect(
            try fixture.rows("SELECT code, date(effective_day * 86400, 'unixepoch') FROM \"grant\" ORDER BY grant_id")
                == [
                    "before 2027-01-09", "after 2027-01-09",
                ])
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("Zones are those of IANA, with and without a region; abbreviations and offsets are none")
    func zones() throws {
        for name in ["Asia/Shanghai", "UTC", "Singapore", "Cuba", "EST5EDT", "America/Argentina/Ushuaia"] {
            #expect(throws: Never.self, "\(name)") { try LedgerProperties.timeZone(named: name) }
        }
        for name in ["PST", "GMT+8", "Asia/Shangai", "", "Beijing"] {
            #expect(throws: LedgerError.self, "\(name)") { try LedgerProperties.timeZone(named: name) }
        }
    }

    @Test("A purchase on the day before one that the zone skips is effective from the next date that there is")
    func effectiveAfterSkippedDay() throws {
        // In Apia 30 December 2011 did not exist; a month from the 31st on ends on 31 January.
        let fixture = try LedgerFixture(now: "2011-12-29T12:00:00-10:00", timeZone: "Pacific/Apia")
        try fixture.addTenant("acme", apps: ["shop"])
        let licence = GrantOrder(
            code: LedgerFixture.code("s1"), tenant: LedgerFixture.code("acme"),
            terms: .subscription(
                licence: LedgerFixture.code("security_armor"), app: LedgerFixture.code("shop"), term: .month),
            purchasedAt: fixture.now, price: nil)
        let life = try fixture.ledger.recordGrant(licence, clock: fixture.clock).grant.grant.life
        #expect(life == GrantLife(effective: try #require(Day("2011-12-31")), end: try #require(Day("2012-01-31"))))
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("Usage ahead of its arrival verifies also where the zone skips the date between the two")
    func aheadOfASkippedDate() throws {
        let fixture = try LedgerFixture(now: "1994-12-31T09:59:59Z", timeZone: "Pacific/Kiritimati")
        try fixture.addTenant("acme", apps: ["shop"])
        _ = try fixture.ingest(EventLine.calls(1, id: "e1", at: "1994-12-31T10:00:00Z").text)
        #expect(try fixture.rows("SELECT arrival_day FROM usage_event") == ["1994-12-30"])
        #expect(try fixture.rows("SELECT usage_day FROM usage_daily") == ["1995-01-01"])
        #expect(try Verification(file: fixture.ledger.file).run { _ in }.findings.map(\.sentence) == [])
    }

    @Test("An erased device is gone from the file, also where its page was split and moved, and where it was new")
    func erasure() throws {
        let fixture = try ledger()
        let events = (0..<2_000).map { EventLine.device("device-number-\($0)-of-anna", id: "\($0)").text }
        func erase(_ numbers: Int...) throws {
            for number in numbers {
                let device = "device-number-\(number)-of-anna"
                try fixture.ledger.eraseDevice(device, app: LedgerFixture.code("shop"), clock: fixture.clock)
                for suffix in ["", "-wal"] {
                    let bytes = try Data(contentsOf: URL(filePath: fixture.path + suffix))
                    #expect(bytes.range(of: Data(device.utf8)) == nil, "\(number) in \(suffix)")
                }
            }
        }
        #expect(try fixture.ingest(events).accepted == 2_000)
        try erase(0, 77, 1_999)
        // A rating moves them to the others of their app, and where they were becomes free.
        _ = try fixture.ledger.rate(#require(Day("2027-01-10")), clock: fixture.clock)
        #expect(try fixture.rows("SELECT count(*) FROM device") == ["2000"])
        try erase(1, 78, 1_998)
    }

    @Test("Erasing beside a reader that keeps old pages says so")
    func erasureBesideAReader() throws {
        let fixture = try ledger()
        _ = try fixture.ingest(EventLine.device("anna", id: "1").text)
        let reader = try LedgerFile.openForReading(at: fixture.path)
        try reader.read { database in
            _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM new_device")
            #expect(throws: StorageError.traceRemains(fixture.path)) {
                try fixture.ledger.eraseDevice("anna", app: LedgerFixture.code("shop"), clock: fixture.clock)
            }
        }
        try fixture.ledger.eraseDevice("anna", app: LedgerFixture.code("shop"), clock: fixture.clock)
    }
}
