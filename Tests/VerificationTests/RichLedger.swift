// A small ledger with one of everything: two tenants, every offer, allowance and tiers, late usage, forfeits, a void.

import Accounting
import EventCodec
import Foundation
import GRDB
import Ingestion
import LedgerStore
import Operations
import Quantities
import Rating
import RatingRun
import Storage
import UsageStore
import Verification

/// A ledger file in a folder of its own, removed with this value.
final class RichLedger {
    let folder: URL

    var path: String { folder.appending(path: "meterd.db").path }

    private init() throws {
        folder = try Self.scratch()
    }

    /// A new folder, for the caller to remove.
    static func scratch() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "meterd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The ledger rated through 10 February 2027: settled and sealed through the 7th, nothing changed since.
    static func make() throws -> RichLedger {
        let copy = try RichLedger()
        for (name, data) in try made.get() {
            let file = copy.folder.appending(path: name)
            try data.write(to: file)
            // As meterd makes them.
            chmod(file.path, 0o640)
        }
        return copy
    }

    /// The files, made once: each test has its copy.
    private static let made = Result { try build() }

    func verify(
        expecting head: ChainHead? = nil, progress: (String) -> Void = { _ in }
    ) throws -> VerificationReport {
        // The folder stays until the verification is done.
        try withExtendedLifetime(self) {
            try Verification(file: LedgerFile.openForReading(at: path)).run(expecting: head, progress: progress)
        }
    }

    private static func build() throws -> [String: Data] {
        let rich = try RichLedger()
        var creation = LedgerCreation()
        creation.timeZone = "Asia/Shanghai"
        creation.hasTestClock = true
        // So short an age limit that the resource packages of a month are forfeited by 10 February.
        creation.finality = FinalityRule(finalAfterDays: 3, maxAgeDays: 6)
        creation.priceBook = priceBook
        try tellStory(to: creation, at: rich.path)
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: rich.folder.path) {
            files[name] = try Data(contentsOf: rich.folder.appending(path: name))
        }
        return files
    }

    /// In a function of its own, so that the file is closed when it returns.
    private static func tellStory(to creation: LedgerCreation, at path: String) throws {
        try Story(try creation.create(at: path)).tell()
    }

    static let priceBook = """
        book: test
        effective: 2027-01-01
        currency: USD
        items:
          analysis: { name: Analysis, unit: device, aggregation: unique_devices, tiers: [ { price: "0.03" } ] }
          sync:
            { name: Sync, unit: device, aggregation: unique_devices,
              tiers: [ { up_to: 1, price: "0" }, { up_to: 3, price: "0.02" }, { price: "0.01" } ] }
          location: { name: Location, unit: device, aggregation: unique_devices, free: true }
          gateway_calls:
            { name: Calls, unit: call, aggregation: sum,
              tiers: [ { up_to: 100, price: "0" }, { up_to: 1000, price: "0.15", per: 10000 },
                       { price: "0.00000123", per: 10 } ] }
        features:
          mobile_gateway: { name: Gateway, items: [ gateway_calls ] }
          mini_program: { name: Mini Program, items: [ analysis, location ] }
          armor: { name: Armor, items: [] }
        offers:
          mini_program_package:
            name: Package
            term: year
            devices: { min: 1, max: 100 }
            monthly: { analysis: devices, gateway_calls: 300 }
            licences: [ armor ]
          resource_package: { name: Resource package, term: month }
          subscription: { name: Subscription, terms: [ month, year ] }

        """
}

/// What happened to the ledger, told in order.
private struct Story {
    private let ledger: OpenLedger

    init(_ ledger: OpenLedger) { self.ledger = ledger }

    func tell() throws {
        let setUp = at("01-01")
        for (tenant, apps) in [("acme", ["kiosk", "shop"]), ("zoo", ["lions"])] {
            _ = try ledger.addTenant(code(tenant), name: tenant, isLegacy: false, clock: setUp)
            for app in apps { _ = try ledger.addApp(code(app), tenant: code(tenant), name: app, clock: setUp) }
        }
        try january()
        try february()
        // As a rating does where there are more.
        var filing = DeviceFiling.Bounds()
        filing.fewestDevices = 1
        try DeviceFiling(file: ledger.file, bounds: filing).file()
    }

    private func january() throws {
        try grant(
            "R", "acme", .resourcePackage(item: code("gateway_calls"), quantity: Quantity(500)), "01-01", 9_000_000)
        try grant("S", "zoo", .resourcePackage(item: code("sync"), quantity: Quantity(50)), "01-01", nil)
        try ingest("01-02", [device("shop", "mini_program", "d1", "01-02"), calls("shop", "1", 130, "01-02")])
        try ingest(
            "01-03",
            [
                device("shop", "mini_program", "d1", "01-03"), device("shop", "mini_program", "d2", "01-03"),
                device("kiosk", "mini_program", "d1", "01-03"), device("lions", "sync", "l1", "01-03"),
                calls("lions", "2", 450, "01-03"), calls("lions", "2", 450, "01-03"), calls("lions", "2", 7, "01-03"),
                device("nowhere", "sync", "l1", "01-03"),
            ])
        try grant("P", "acme", .miniProgramPackage(devices: 3), "01-04", 55_000_000)
        try grant(
            "V", "zoo", .resourcePackage(item: code("analysis"), quantity: Quantity(5)), "01-04", bought: "01-02",
            2_000_000)
        try grant(
            "A", "zoo", .subscription(licence: code("armor"), app: code("lions"), term: .year), "01-04", 1_000_000)
        try rate("01-05")
        try ingest(
            "01-10",
            [
                device("shop", "mini_program", "d3", "01-10"), device("shop", "mini_program", "d4", "01-09"),
                calls("shop", "3", 700, "01-10"), calls("kiosk", "4", 33, "01-05"),
                device("lions", "sync", "l2", "01-10"), device("lions", "sync", "l3", "01-04"),
                device("lions", "sync", "l4", "01-10"), device("lions", "sync", "l5", "01-10"),
            ])
        try rate("01-20")
        try ingest("01-31", [calls("shop", "5", 20_007, "01-31"), device("shop", "mini_program", "d1", "01-31")])
    }

    private func february() throws {
        try rate("02-01")
        try ingest(
            "02-05",
            [
                calls("shop", "6", 41, "01-31"), device("shop", "mini_program", "d5", "01-30"),
                device("shop", "mini_program", "d1", "02-05"), device("lions", "sync", "l1", "02-05"),
                device("lions", "sync", "l2", "02-04"), calls("lions", "7", 1, "02-05"),
                calls("lions", "8", 1, "2026-12-01"),
            ])
        try ingest("02-10", [device("shop", "mini_program", "d6", "02-10"), calls("kiosk", "9", 12, "02-10")])
        try rate("02-10")
        // V has forfeited what it had, and that is settled.
        _ = try ledger.voidGrant(code("V"), clock: at("02-10"))
        // Smaller places than those that are rated already: what was counted on the 10th moves to the 9th.
        try ingest(
            "02-10",
            [device("shop", "mini_program", "d6", "02-09"), device("kiosk", "mini_program", "d1", "02-09")])
        try rate("02-10")
    }

    // MARK: The steps

    private func code(_ text: String) -> Code {
        guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
        return code
    }

    /// Noon in the ledger's zone.
    private func noon(_ date: String) -> Instant {
        guard let day = Day(date.count == 5 ? "2027-\(date)" : date) else {
            preconditionFailure("'\(date)' is no date")
        }
        return Instant(micros: (Int64(day.number) * 24 + 4) * 3_600_000_000)
    }

    private func at(_ date: String) -> LedgerClock { LedgerClock(given: noon(date)) }

    private func rate(_ date: String) throws {
        guard let day = Day("2027-\(date)") else { preconditionFailure("'\(date)' is no date") }
        _ = try ledger.rate(day, clock: at(date))
    }

    private func grant(
        _ grant: String, _ tenant: String, _ terms: GrantOrder.Terms, _ date: String, bought: String? = nil,
        _ priceMicros: Int64?
    ) throws {
        let order = GrantOrder(
            code: code(grant), tenant: code(tenant), terms: terms, purchasedAt: noon(bought ?? date),
            price: priceMicros.map { Money(micros: $0) })
        _ = try ledger.recordGrant(order, clock: at(date))
    }

    private func device(_ app: String, _ feature: String, _ device: String, _ date: String) -> String {
        event("meterd.device_activity", app, "x", date, "{\"feature\":\"\(feature)\",\"device\":\"\(device)\"}")
    }

    private func calls(_ app: String, _ id: String, _ calls: Int, _ date: String) -> String {
        event("meterd.gateway_call", app, id, date, "{\"calls\":\(calls)}")
    }

    private func event(_ type: String, _ app: String, _ id: String, _ date: String, _ data: String) -> String {
        "{\"specversion\":\"1.0\",\"type\":\"\(type)\",\"source\":\"s\",\"id\":\"\(id)\",\"time\":\"\(noon(date))\","
            + "\"subject\":\"\(app)\",\"data\":\(data)}"
    }

    private func ingest(_ date: String, _ events: [String]) throws {
        let batch = EventBatch(key: ledger.eventKey)
        let texts = events.map { Array($0.utf8) }
        try texts.flatMap { $0 }.withUnsafeBufferPointer { buffer in
            var start = 0
            for text in texts {
                batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + text.count]))
                start += text.count
            }
            _ = try ledger.ingest(batch, clock: at(date))
        }
    }

    /// How many entries a rating of the last day would append.
    static func ratingWouldAppend(at path: String) throws -> Int {
        let story = Story(try OpenLedger(file: LedgerFile.openForWriting(at: path)))
        guard let day = Day("2027-02-10") else { preconditionFailure("there is such a day") }
        return try story.ledger.previewRating(day, clock: story.at("02-10")).appended.count
    }

    /// One more event, after the last rating.
    static func arriveLate(at path: String) throws {
        let story = Story(try OpenLedger(file: LedgerFile.openForWriting(at: path)))
        try story.ingest("02-10", [story.calls("lions", "10", 5, "02-10")])
    }
}

extension RichLedger {
    /// Usage arrives that no run has rated.
    func takeUnratedUsage() throws { try Story.arriveLate(at: path) }

    func ratingWouldAppend() throws -> Int { try Story.ratingWouldAppend(at: path) }
}
