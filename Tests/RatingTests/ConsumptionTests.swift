// What consumes usage, in which order: tables that read like section 6 of the billing rules.

import Quantities
import Rating
import Testing

@Suite("The order of consumption (Billing rules, section 6)")
struct ConsumptionTests {
    private let plain = history(book(["calls": tiers([(nil, "0.5")])]))
    private let withAllowance = history(book(["calls": tiers([(10, "0"), (nil, "0.5")])]))

    @Test("is the allowance, packages, resource packages, overage")
    func order() throws {
        let grants = [Grant.resource("r", 10), .package("p", 10)]
        #expect(
            try Rater.lines(withAllowance, grants, [.on("2027-01-05", 35)]) == [
                "2027-01-05 allowance tier 1: 10", "2027-01-05 package p: 10", "2027-01-05 resource_package r: 10",
                "2027-01-05 overage tier 2: 5 = 2.50",
            ])
    }

    @Test("goes on from day to day: what is used up stays used up, until the month begins anew")
    func overDays() throws {
        let grants = [Grant.package("p", 10), .resource("r", 10)]
        #expect(
            try Rater.lines(
                withAllowance, grants,
                [.on("2027-01-05", 8), .on("2027-01-06", 24), .on("2027-01-07", 1), .on("2027-02-01", 25)]
            ) == [
                "2027-01-05 allowance tier 1: 8", "2027-01-06 allowance tier 1: 2", "2027-01-06 package p: 10",
                "2027-01-06 resource_package r: 10", "2027-01-06 overage tier 2: 2 = 1.00",
                "2027-01-07 overage tier 2: 1 = 0.50",
                // Allowance and package anew; nothing is carried over, and the resource package is used up.
                "2027-02-01 allowance tier 1: 10", "2027-02-01 package p: 10", "2027-02-01 overage tier 2: 5 = 2.50",
            ])
    }

    /// `first` draws before `second`, whatever their order of recording.
    @Test(
        "Within a kind the earliest end draws first, then the earliest start, the purchase instant, the code",
        arguments: [
            // The end decides against everything else.
            (Grant.package("z", 5, from: "2027-01-02", to: "2027-12-01", bought: 9), Grant.package("a", 5, bought: 1)),
            (.resource("z", 5, from: "2027-01-02", to: "2027-12-01", bought: 9), .resource("a", 5, bought: 1)),
            // The same end: the start.
            (.package("z", 5, from: "2027-01-01", bought: 9), .package("a", 5, from: "2027-01-02", bought: 1)),
            (.resource("z", 5, from: "2027-01-01", bought: 9), .resource("a", 5, from: "2027-01-02", bought: 1)),
            // The same life: the purchase instant, to the microsecond.
            (.package("z", 5, bought: 1), .package("a", 5, bought: 2)),
            (.resource("z", 5, bought: 1), .resource("a", 5, bought: 2)),
            // The same in all: the code, by its bytes.
            (.package("Z", 5), .package("a", 5)),
            (.resource("a-1", 5), .resource("a.1", 5)),
            // The kind comes before all of these.
            (.package("z", 5, from: "2027-01-03", bought: 9), .resource("a", 5, to: "2027-06-01", bought: 1)),
        ])
    func burnDown(first: Grant, second: Grant) throws {
        for grants in [[first, second], [second, first]] {
            let lines = try Rater.lines(plain, grants, [.on("2027-01-05", 7)])
            #expect(lines.map { $0.split(separator: " ")[2] } == ["\(first.code):", "\(second.code):"])
            #expect(lines.map { $0.split(separator: " ")[3] } == ["5", "2"])
        }
    }

    @Test("Each item has quotas of its own; one item's grant covers no other")
    func items() throws {
        let two = history(book(["calls": tiers([(nil, "1")]), "messages": tiers([(nil, "2")])]))
        let grants = [Grant.package("p", 5), .resource("r", 5, of: "messages")]
        #expect(
            try Rater.lines(two, grants, [.on("2027-01-05", 6, item: "messages"), .on("2027-01-05", 6)]) == [
                "2027-01-05 package p: 5", "2027-01-05 overage tier 1: 1 = 1.00",
                "2027-01-05 messages resource_package r: 5", "2027-01-05 messages overage tier 1: 1 = 2.00",
            ])
    }

    @Test("Within a day corrections come first, by usage day, then apps by code")
    func withinADay() throws {
        #expect(
            try Rater.lines(
                plain, [.package("p", 10)],
                [
                    .on("2027-01-05", 4, app: "b"), .on("2027-01-05", 4, app: "a"),
                    .late("2027-01-02", posted: "2027-01-05", 4, app: "z"),
                    .late("2027-01-01", posted: "2027-01-05", 4, app: "y"),
                ]
            ) == [
                "2027-01-05 of 2027-01-01 y package p: 4", "2027-01-05 of 2027-01-02 z package p: 4",
                "2027-01-05 a package p: 2", "2027-01-05 a overage tier 1: 2 = 1.00",
                "2027-01-05 b overage tier 1: 4 = 2.00",
            ])
    }

    @Test("A correction draws on its own month's allowance, package and position, not on those of the posting day")
    func correctionOfLastMonth() throws {
        #expect(
            try Rater.lines(
                withAllowance, [.package("p", 5)],
                [.on("2027-01-31", 12), .late("2027-01-30", posted: "2027-02-01", 5), .on("2027-02-01", 16)]
            ) == [
                "2027-01-31 allowance tier 1: 10", "2027-01-31 package p: 2",
                "2027-02-01 of 2027-01-30 package p: 3", "2027-02-01 of 2027-01-30 overage tier 2: 2 = 1.00",
                "2027-02-01 allowance tier 1: 10", "2027-02-01 package p: 5", "2027-02-01 overage tier 2: 1 = 0.50",
            ])
    }

    @Test("Free items are shown and cost nothing; grants are not drawn on")
    func free() throws {
        let book = history(book(["calls": .free]))
        #expect(try Rater.lines(book, [.package("p", 5)], [.on("2027-01-05", 9)]) == ["2027-01-05 free: 9"])
    }

    @Test("A day without usage has no lines")
    func nothing() throws {
        #expect(try Rater.lines(plain, [.package("p", 5)], [.on("2027-01-05", 0)], also: ["2027-01-06"]) == [])
    }
}

@Suite("The life of a grant (Billing rules, section 5)")
struct GrantLifeTests {
    private let plain = history(book(["calls": tiers([(nil, "0.5")])]))

    @Test(
        "begins on the day after the purchase and ends on the same date, or on the first after one that does not exist",
        arguments: [
            ("2027-01-10", Term.year, "2027-01-11", "2028-01-11"), ("2027-01-10", .month, "2027-01-11", "2027-02-11"),
            ("2027-01-30", .month, "2027-01-31", "2027-03-01"), ("2027-01-28", .month, "2027-01-29", "2027-03-01"),
            ("2028-02-28", .year, "2028-02-29", "2029-03-01"), ("2027-02-28", .year, "2027-03-01", "2028-03-01"),
            ("2026-12-31", .year, "2027-01-01", "2028-01-01"),
        ])
    func life(purchased: String, term: Term, effective: String, end: String) {
        let life = GrantLife(effective: day(purchased) + 1, term: term)
        #expect(life == GrantLife(effective: day(effective), end: day(end)))
        #expect(!life.covers(day(purchased)) && life.covers(day(effective)))
        #expect(life.covers(day(end) - 1) && !life.covers(day(end)))
    }

    @Test("covers usage days only, also where the month's other days are covered; a part month has the full quota")
    func usageDays() throws {
        let grant = Grant.package("p", 10, from: "2027-01-05", to: "2027-02-03")
        #expect(
            try Rater.lines(
                plain, [grant],
                [.on("2027-01-04", 1), .on("2027-01-05", 11), .on("2027-02-02", 11), .on("2027-02-03", 1)]
            ) == [
                "2027-01-04 overage tier 1: 1 = 0.50", "2027-01-05 package p: 10",
                "2027-01-05 overage tier 1: 1 = 0.50", "2027-02-02 package p: 10",
                "2027-02-02 overage tier 1: 1 = 0.50", "2027-02-03 overage tier 1: 1 = 0.50",
            ])
    }

    @Test(
        "A grant that was recorded late changes no day that was final by then, but covers that usage day's corrections")
    func recordedLate() throws {
        let grant = Grant.package("p", 10, from: "2027-01-02", takesPartFrom: "2027-01-06")
        #expect(
            try Rater.lines(
                plain, [grant],
                [.on("2027-01-05", 4), .late("2027-01-05", posted: "2027-01-06", 4), .on("2027-01-06", 4)]
            ) == [
                "2027-01-05 overage tier 1: 4 = 2.00", "2027-01-06 of 2027-01-05 package p: 4",
                "2027-01-06 package p: 4",
            ])
    }

    @Test("A correction draws on the package that covered its usage day, also after the package has ended")
    func endedPackage() throws {
        let grant = Grant.package("p", 10, to: "2027-01-20")
        #expect(
            try Rater.lines(
                plain, [grant],
                [.on("2027-01-19", 7), .late("2027-01-19", posted: "2027-01-25", 5), .on("2027-01-25", 1)]
            ) == [
                "2027-01-19 package p: 7", "2027-01-25 of 2027-01-19 package p: 3",
                "2027-01-25 of 2027-01-19 overage tier 1: 2 = 1.00", "2027-01-25 overage tier 1: 1 = 0.50",
            ])
    }

    @Test("A correction draws on the resource package that covered its usage day, until the rest is forfeited")
    func forfeit() throws {
        let grant = Grant.resource("r", 12, to: "2027-01-20")
        let usage: [Usage] = [
            .on("2027-01-19", 4), .late("2027-01-18", posted: "2027-01-19", 2),
            .late("2027-01-19", posted: "2027-01-20", 3), .on("2027-01-20", 1),
            .late("2027-01-19", posted: "2027-01-22", 1),
        ]
        #expect(
            try Rater.lines(plain, [grant], usage, also: ["2027-01-23", "2027-01-24"]) == [
                "2027-01-19 of 2027-01-18 resource_package r: 2", "2027-01-19 resource_package r: 4",
                "2027-01-20 of 2027-01-19 resource_package r: 3", "2027-01-20 overage tier 1: 1 = 0.50",
                "2027-01-22 of 2027-01-19 resource_package r: 1", "2027-01-23 forfeit r: 2",
            ])
        // Without usage on the day it forfeits all the same; used up, or before and after the day, it does not.
        #expect(
            try Rater.lines(plain, [grant], [], also: ["2027-01-20", "2027-01-22", "2027-01-23", "2027-01-24"]) == [
                "2027-01-23 forfeit r: 12"
            ])
        #expect(
            try Rater.lines(plain, [grant], [.on("2027-01-19", 12)], also: ["2027-01-23"]) == [
                "2027-01-19 resource_package r: 12"
            ])
    }

    @Test("Where days were settled ahead of the clock, what is posted from the forfeit day on finds nothing left")
    func postedAfterTheForfeit() throws {
        let usage: [Usage] = [
            .late("2027-01-19", posted: "2027-01-23", 3), .late("2027-01-19", posted: "2027-01-24", 3),
        ]
        #expect(
            try Rater.lines(plain, [.resource("r", 10, to: "2027-01-20")], usage) == [
                "2027-01-23 forfeit r: 10", "2027-01-23 of 2027-01-19 overage tier 1: 3 = 1.50",
                "2027-01-24 of 2027-01-19 overage tier 1: 3 = 1.50",
            ])
        // One that was recorded when its forfeit day was final already takes no part in it, and covers what is left.
        let late = Grant.resource("r", 10, to: "2027-01-20", takesPartFrom: "2027-01-24")
        #expect(
            try Rater.lines(plain, [late], usage) == [
                "2027-01-23 of 2027-01-19 overage tier 1: 3 = 1.50", "2027-01-24 of 2027-01-19 resource_package r: 3",
            ])
    }

    @Test(
        "The forfeit day is the end where usage can't be older than a day is open",
        arguments: [
            (3, 35, "2027-02-22"), (3, 3, "2027-01-21"), (3, 2, "2027-01-20"), (3, 0, "2027-01-20"),
            (1, 0, "2027-01-20"), (1, 1, "2027-01-21"), (31, 40, "2027-01-30"), (31, 5, "2027-01-20"),
        ])
    func forfeitDay(finalAfterDays: Int, maxAgeDays: Int, expected: String) {
        let rule = FinalityRule(finalAfterDays: finalAfterDays, maxAgeDays: maxAgeDays)
        let life = GrantLife(effective: day("2026-01-20"), end: day("2027-01-20"))
        func grant(_ coverage: Coverage, from first: String) -> Grant {
            Grant(
                code: named("g"), coverage: coverage, life: life, purchasedAt: Instant(micros: 0),
                firstPostingDay: day(first), finality: rule)
        }
        let calls = Coverage.resourcePackage(item: named("calls"), total: Quantity(1))
        #expect(grant(calls, from: "2026-01-20").forfeitDay == day(expected))
        // By the last arrival of usage of the last day, and the day on which it is posted then.
        let arrival = day("2027-01-19") + maxAgeDays
        let posted = rule.postingDay(usageDay: day("2027-01-19"), today: arrival, closedThrough: nil)
        #expect(posted + 1 == day(expected))
        #expect(grant(calls, from: "\(posted + 1)").forfeitDay == day(expected))
        #expect(grant(calls, from: "\(posted + 2)").forfeitDay == nil)
        #expect(grant(.package(monthly: [named("calls"): Quantity(1)]), from: "2026-01-20").forfeitDay == nil)
        #expect(grant(.subscription, from: "2026-01-20").forfeitDay == nil)
    }

    @Test("Packages forfeit nothing, subscriptions cover nothing")
    func noForfeit() throws {
        let armor = Grant(
            code: named("s"), coverage: .subscription,
            life: GrantLife(effective: day("2027-01-01"), end: day("2027-01-20")), purchasedAt: Instant(micros: 0),
            firstPostingDay: day("2027-01-01"), finality: finality)
        let package = Grant.package("p", 10, to: "2027-01-20")
        #expect(
            try Rater.lines(plain, [armor, package], [.on("2027-01-19", 11)], also: ["2027-01-20"]) == [
                "2027-01-19 package p: 10", "2027-01-19 overage tier 1: 1 = 0.50",
            ])
    }

    @Test("A resource package's total lasts over the months of its life")
    func overMonths() throws {
        #expect(
            try Rater.lines(plain, [.resource("r", 10)], [.on("2027-01-31", 6), .on("2027-02-01", 6)]) == [
                "2027-01-31 resource_package r: 6", "2027-02-01 resource_package r: 4",
                "2027-02-01 overage tier 1: 2 = 1.00",
            ])
    }
}
