// The laws themselves: what a sound ledger says breaks none, and each is broken by what it forbids, alone.

import Oracle
import Simulator
import TestSupport
import Testing

@Suite("The laws", .computing)
struct LawsTests {
    /// A ledger before and after its last step, a rating that settled days.
    private struct Scene {
        var before: PublicViews
        var after: PublicViews
        let oracle: BillingOracle

        init() throws {
            let plan = Plan(Self.history)
            let driver = try LedgerDriver(plan)
            var oracle = BillingOracle(Self.history)
            for step in plan.steps.dropLast() {
                _ = try driver.take(step)
                _ = oracle.take(step.step)
            }
            before = try PublicViews(driver.reader)
            for step in plan.steps.suffix(1) {
                _ = try driver.take(step)
                _ = oracle.take(step.step)
            }
            after = try PublicViews(driver.reader)
            self.oracle = oracle
        }

        func broken(isRated: Bool = true) -> Set<Law> {
            var laws = Laws()
            let breaches =
                laws.check(before, isRated: true, unitPrice: oracle.unitPrice)
                + laws.check(after, isRated: isRated, unitPrice: oracle.unitPrice)
            return Set(breaches.map(\.law))
        }

        /// Devices and calls of two apps on four days, on packages and beyond them, in several tiers.
        private static let history: History = {
            let tiers = [
                History.Tier(upTo: 5, price: "0"), History.Tier(upTo: 30, price: "0.333333333333", per: 10),
                History.Tier(price: "0.0000015"),
            ]
            var book = History.PriceBook.builtIn(effectiveDay: day - 30, tiers: ["gateway_calls": tiers])
            book.packageDevices = 1...10
            book.packageQuotas["gateway_calls"] = .fixed(130)
            let settings = History.Settings(
                timeZone: "UTC", finalAfterDays: 2, maxAgeDays: 20,
                tenants: [.init("acme", legacy: false), .init("beta", legacy: false)],
                apps: [.init("shop", tenant: "acme"), .init("game", tenant: "beta")])
            let grants: [History.Grant] = [
                .init(
                    code: "package", tenant: "acme", offer: .miniProgramPackage(devices: 2), purchasedAt: noon(-1),
                    priceMicros: 70_000),
                .init(
                    code: "calls", tenant: "beta", offer: .resourcePackage(item: "gateway_calls", quantity: 9),
                    purchasedAt: noon(-1)),
            ]
            var steps = grants.map { History.Step(at: noon(0), .grant($0)) }
            for number in 0..<4 {
                var events: [History.Event] = []
                for (app, calls) in [("shop", 37), ("game", 17)] {
                    events += [
                        .init(
                            .gatewayCall(calls: Int64(calls)), app: app, source: "/s", id: "\(app)-\(number)",
                            timeMicros: noon(number)),
                        .init(
                            .deviceActivity(features: ["basic_analysis"], device: "d\(number)"), app: app, source: "/s",
                            id: "\(app)-d\(number)", timeMicros: noon(number)),
                    ]
                }
                steps.append(History.Step(at: noon(number), .ingest(events)))
                steps.append(History.Step(at: noon(number) + 1, .rate(day: day + number)))
            }
            return History(name: "laws", settings: settings, priceBook: book, steps: steps)
        }()
    }

    static let day = Dates.day("2027-01-10")
    private static func noon(_ days: Int) -> Int64 {
        Dates.instant("2027-01-10T12:00:00+00:00") + Int64(days) * 86_400_000_000
    }

    @Test("are all kept by a sound ledger")
    func sound() throws {
        let scene = try Scene()
        #expect(scene.broken() == [])
        // What the cases below change is there, so that none of them is empty.
        let sources = Set(scene.after.entries.map(\.key.source))
        #expect(sources.isSuperset(of: [.allowance, .package, .resourcePackage, .overage, .purchase]))
        #expect(scene.before.progress.settledThrough == Self.day)
        #expect(scene.after.progress.settledThrough == Self.day + 1)
    }

    /// What breaks a law.
    struct Wrong: Sendable, CustomStringConvertible {
        let law: Law
        let description: String
        let change: @Sendable (inout PublicViews) throws -> Void

        init(_ law: Law, _ description: String, _ change: @escaping @Sendable (inout PublicViews) throws -> Void) {
            self.law = law
            self.description = "\(law.rawValue): \(description)"
            self.change = change
        }
    }

    private static let shopDevices = BillingOracle.MonthKey(
        app: "shop", item: "basic_analysis", month: Dates.month(ofDay: day))

    private static func device(_ number: Int) -> BillingOracle.EvidenceKey {
        BillingOracle.EvidenceKey(
            app: "shop", item: "basic_analysis", month: Dates.month(ofDay: day), usageDay: day + number,
            postingDay: day + number, device: Array("d\(number)".utf8))
    }

    private static let wrongs = usage + grants + ledger

    private static let usage = [
        Wrong(.daysCountDevices, "a device counts on another day") { views in
            #expect(views.evidence.removeValue(forKey: device(2)) == 1)
            var moved = device(2)
            moved.usageDay -= 1
            views.evidence[moved] = 1
        },
        Wrong(.daysCountDevices, "a device is posted on another day") { views in
            #expect(views.evidence.removeValue(forKey: device(2)) == 1)
            var moved = device(2)
            moved.postingDay += 1
            views.evidence[moved] = 1
        },
        Wrong(.deviceCountsOnce, "a month has a device more than there is evidence of") { views in
            views.months[shopDevices, default: 0] += 1
        },
        Wrong(.deviceCountsOnce, "a month is not there") { $0.months[shopDevices] = nil },
        Wrong(.deviceCountsOnce, "a device counts on two days") { views in
            #expect(views.evidence.removeValue(forKey: device(2)) == 1)
            var again = device(2)
            again.device = device(1).device
            views.evidence[again] = 1
        },
        Wrong(.eventsAddUpToUsage, "an event is stored twice") { views in
            let key = try #require(views.records.keys.first)
            views.records[key] = 2
        },
        Wrong(.eventsAddUpToUsage, "an event is not stored") { views in
            let key = try #require(views.records.keys.first)
            views.records[key] = nil
        },
        Wrong(.everyEventIsAnswered, "an event is received and not answered") { $0.received[day + 1, default: 0] += 1 },
        Wrong(.everyEventIsAnswered, "a day's answers are not there") { views in
            views.tally = views.tally.filter { $0.key.arrivalDay != day + 1 }
        },
    ]

    private static func balance(of grant: String, _ views: PublicViews) throws -> Int {
        try #require(views.balances.firstIndex { $0.key.grantCode == grant && $0.consumed > 0 })
    }

    private static let grants = [
        Wrong(.nothingIsDrawnBeyondAGrant, "a grant of less than was drawn") { views in
            let index = try balance(of: "calls", views)
            views.balances[index].granted = views.balances[index].consumed - 1
        },
        Wrong(.nothingIsDrawnBeyondAGrant, "more is consumed than entries say") { views in
            views.balances[try balance(of: "package", views)].consumed += 1
        },
        Wrong(.nothingIsDrawnBeyondAGrant, "less than nothing remains") { views in
            views.balances[try balance(of: "calls", views)].remaining = -1
        },
        Wrong(.nothingIsDrawnBeyondAGrant, "entries draw on an item that was not granted") { views in
            views.balances[try balance(of: "calls", views)].key.item = "message_push"
        },
        Wrong(.nothingIsDrawnOutsideALife, "a grant begins after the first draw") { views in
            for index in views.balances.indices where views.balances[index].key.grantCode == "package" {
                views.balances[index].life = day + 1..<views.balances[index].life.upperBound
            }
        },
        Wrong(.nothingIsDrawnOutsideALife, "a grant ends before the last draw") { views in
            for index in views.balances.indices where views.balances[index].key.grantCode == "calls" {
                views.balances[index].life = views.balances[index].life.lowerBound..<day
            }
        },
        Wrong(.nothingIsDrawnOnceForfeited, "what is left is forfeited within the life") { views in
            try addForfeit(of: "calls", on: day + 3, &views)
        },
        Wrong(.nothingIsDrawnOnceForfeited, "what is left is forfeited twice") { views in
            try end("calls", on: day + 1, &views)
            for number in 2...3 { try addForfeit(of: "calls", on: day + number, &views) }
        },
    ]

    private static func end(_ grant: String, on day: Int, _ views: inout PublicViews) throws {
        for index in views.balances.indices where views.balances[index].key.grantCode == grant {
            views.balances[index].life = views.balances[index].life.lowerBound..<day
        }
    }

    private static func addForfeit(of grant: String, on day: Int, _ views: inout PublicViews) throws {
        var entry = try #require(views.entries.last)
        entry.id += 1
        entry.key = .init(
            postedDay: day, usageDay: day, tenant: "beta", item: "gateway_calls", source: .forfeit, grantCode: grant)
        entry.net = .init(quantity: 1, amountMicros: 0)
        views.entries.append(entry)
    }

    private static func lastEntry(of source: BillingOracle.Source, _ views: PublicViews) throws -> Int {
        try #require(views.entries.lastIndex { $0.key.source == source && $0.key.postedDay == day + 3 })
    }

    private static let ledger = [
        Wrong(.billsAddUpToTheMonth, "an open bill says more than its entries") { views in
            let index = try #require(views.bills.firstIndex { !$0.isFinal })
            views.bills[index].amountMicros += 1
        },
        Wrong(.billsAddUpToTheMonth, "more is payable than the month cut down") { views in
            let index = try #require(views.bills.firstIndex { !$0.isFinal })
            views.bills[index].payableMicros += 10_000
        },
        Wrong(.billsAddUpToTheMonth, "a statement says another amount") { $0.statements[0].amountMicros += 1 },
        Wrong(.billsAddUpToTheMonth, "a statement says another payable") { $0.statements[0].payableMicros -= 10_000 },
        Wrong(.billsAddUpToTheMonth, "a statement has another remainder") { $0.statements[0].remainderMicros += 1 },
        Wrong(.billsAddUpToTheMonth, "a statement is not there") { $0.statements.remove(at: 0) },
        Wrong(.ledgerOnlyGrows, "a number is left out") { $0.entries[$0.entries.count - 1].id += 1 },
        Wrong(.finalDaysStay, "a final bill is due on another day") { views in
            let index = try #require(views.bills.firstIndex { $0.isFinal })
            views.bills[index].dueDay = "2027-01-01"
        },
        Wrong(.finalDaysStay, "a final bill is open again") { views in
            let index = try #require(views.bills.firstIndex { $0.isFinal })
            views.bills[index].isFinal = false
        },
        Wrong(.finalDaysStay, "a settled day gets entries that take each other back, and no bill") { views in
            var entry = try #require(views.entries.last)
            entry.key.postedDay = day - 9
            entry.key.usageDay = day - 9
            for sign in [1, -1] as [Int64] {
                entry.id += 1
                entry.net = .init(quantity: sign, amountMicros: sign)
                views.entries.append(entry)
            }
        },
        Wrong(.finalDaysStay, "a settled day forfeits") { views in
            var entry = try #require(views.entries.last)
            entry.id += 1
            entry.key = .init(
                postedDay: day, usageDay: day, tenant: "beta", item: "gateway_calls", source: .forfeit,
                grantCode: "gone")
            entry.net = .init(quantity: 1, amountMicros: 0)
            views.entries.append(entry)
        },
        Wrong(.entriesAddUpToUsage, "an entry is of a day on which that was not used") { views in
            views.entries[try lastEntry(of: .package, views)].key.usageDay -= 1
        },
        Wrong(.entriesAddUpToTheMonth, "an entry is of another tier") { views in
            views.entries[try lastEntry(of: .overage, views)].key.tier = 2
        },
        Wrong(.entriesAddUpToTheMonth, "an entry is of a version that is not there") { views in
            views.entries[try lastEntry(of: .overage, views)].key.priceVersion = 2
        },
    ]

    @Test("are broken, each alone, by what it forbids", arguments: wrongs)
    func broken(wrong: Wrong) throws {
        var scene = try Scene()
        try wrong.change(&scene.after)
        #expect(scene.broken() == [wrong.law])
    }

    @Test("An entry that was there is gone or another: the ledger does not only grow")
    func changedPast() throws {
        var scene = try Scene()
        scene.after.entries[scene.before.entries.count - 1].hash = "f"
        #expect(scene.broken() == [.ledgerOnlyGrows])
        scene.after = scene.before
        scene.after.entries.removeLast()
        #expect(scene.broken().contains(.ledgerOnlyGrows))
    }

    @Test(
        "A draw that is posted on the day of the forfeit breaks the law of forfeits; a forfeit after the draws does not"
    )
    func drawnOnceForfeited() throws {
        var scene = try Scene()
        try Self.end("calls", on: Self.day + 1, &scene.after)
        try Self.addForfeit(of: "calls", on: Self.day + 2, &scene.after)
        #expect(scene.broken() == [])
        try Self.end("package", on: Self.day + 3, &scene.after)
        try Self.addForfeit(of: "package", on: Self.day + 3, &scene.after)
        #expect(scene.broken() == [.nothingIsDrawnOnceForfeited, .nothingIsDrawnOutsideALife])
    }

    @Test("Every law is among those that are broken here", arguments: Law.allCases)
    func every(law: Law) {
        #expect(Self.wrongs.contains { $0.law == law })
    }

    @Test("Between ratings entries may lag behind the usage, and erased devices need no names")
    func withoutRating() throws {
        var scene = try Scene()
        let key = BillingOracle.UsageKey(app: "shop", item: "free", usageDay: Self.day, postingDay: Self.day)
        let record = try #require(scene.after.records.keys.first)
        scene.after.usage[key] = .init(quantity: record.quantity, activeDevices: 0)
        var stored = record
        (stored.app, stored.item, stored.id) = ("shop", "free", Array("later".utf8))
        scene.after.records[stored] = 1
        #expect(scene.broken(isRated: false) == [])
        #expect(scene.broken(isRated: true) == [.entriesAddUpToUsage])
        for number in 2...3 {
            #expect(scene.after.evidence.removeValue(forKey: Self.device(number)) == 1)
            var erased = Self.device(number)
            erased.device = nil
            scene.after.evidence[erased] = 1
        }
        #expect(scene.broken(isRated: false) == [])
    }
}
