// What must hold of any history, whatever happened in it.

import Oracle
import TestSupport
import Testing

@Suite("The oracle on random histories", .computing)
struct RuleTests {
    private static let seeds: ClosedRange<UInt64> = 1...300

    @Test("a settled day never changes again")
    func settledDaysStay() {
        for seed in Self.seeds {
            let oracle = BillingOracle.run(History.random(seed: seed))
            #expect(oracle.settledDrift.isEmpty, "seed \(seed)")
        }
    }

    @Test("the entries of a day, item and app add up to its usage, as of every rating")
    func entriesAddUpToUsage() {
        for seed in Self.seeds {
            let history = History.random(seed: seed)
            var oracle = BillingOracle(history)
            for step in history.steps {
                guard oracle.take(step) == .rating(.rated), let ratedThrough = oracle.ratedThrough else { continue }
                var rated: [BillingOracle.UsageKey: Int64] = [:]
                for (key, net) in oracle.ledger where key.source.isUsage {
                    let usage = BillingOracle.UsageKey(
                        app: key.app ?? "", item: key.item ?? "", usageDay: key.usageDay, postingDay: key.postedDay)
                    rated[usage, default: 0] += net.quantity
                }
                let used = oracle.usageDaily.filter { $0.key.postingDay <= ratedThrough && $0.value.quantity != 0 }
                #expect(rated == used.mapValues(\.quantity), "seed \(seed)")
            }
        }
    }

    @Test("the quantities of a month's days add up to its devices")
    func daysAddUpToTheMonth() {
        for seed in Self.seeds {
            let oracle = BillingOracle.run(History.random(seed: seed))
            var summed: [BillingOracle.MonthKey: Int64] = [:]
            for (key, usage) in oracle.usageDaily {
                let month = BillingOracle.MonthKey(
                    app: key.app, item: key.item, month: Dates.month(ofDay: key.usageDay))
                summed[month, default: 0] += usage.quantity
            }
            for (month, devices) in oracle.monthlyDevices {
                #expect(summed[month] == devices, "seed \(seed), \(month)")
            }
        }
    }

    @Test("rating again at the same instant changes nothing")
    func ratingTwiceIsRatingOnce() {
        for seed in Self.seeds {
            let history = History.random(seed: seed)
            var oracle = BillingOracle(history)
            for step in history.steps {
                _ = oracle.take(step)
                guard case .rate = step.action else { continue }
                var again = oracle
                _ = again.take(step)
                #expect(again.ledger == oracle.ledger, "seed \(seed)")
                #expect(again.settledThrough == oracle.settledThrough, "seed \(seed)")
            }
        }
    }

    @Test("ratings in between leave a settled ledger as it would be without them")
    func ratingsInBetweenLeaveNoTrace() {
        for seed in Self.seeds {
            let history = History.random(seed: seed)
            // A clock that was set back finds days closed that a rating had settled.
            // Ratings record instants, and may confirm them, by which others are believed or not.
            guard let last = history.steps.last, history.settings.hasTestClock, Self.isAlwaysBelieved(history)
            else { continue }
            let local = LocalDates(timeZone: history.settings.timeZone)
            let lastDay = local.day(of: last.at) + 1
            let settling = History.Step(
                at: local.firstInstant(of: lastDay + history.settings.finalAfterDays), .rate(day: lastDay))
            var all = history
            all.steps.append(settling)
            var fewer = history
            fewer.steps = history.steps.filter { if case .rate = $0.action { false } else { true } } + [settling]
            #expect(BillingOracle.run(fewer).ledger == BillingOracle.run(all).ledger, "seed \(seed)")
        }
    }

    private static func isAlwaysBelieved(_ history: History) -> Bool {
        var oracle = BillingOracle(history)
        return history.steps.allSatisfy { oracle.take($0) != .refusedByClock && $0.trust == .seen }
    }

    @Test("how events are put into batches, and that they come again, changes nothing")
    func batchesAndDuplicatesLeaveNoTrace() {
        for seed in Self.seeds {
            let history = History.random(seed: seed)
            var other = history
            other.steps = history.steps.flatMap { step in
                guard let events = step.events else { return [step] }
                let single = events.map { step.with(.ingest([$0])) }
                // Devices come a third time; for what is refused, and for identities, that would be another history.
                let devices = events.filter { if case .deviceActivity = $0.kind { true } else { false } }
                return single + [step.with(.ingest(devices + devices))]
            }
            let (one, two) = (BillingOracle.run(history), BillingOracle.run(other))
            #expect(one.ledger == two.ledger, "seed \(seed)")
            #expect(one.usageDaily == two.usageDaily, "seed \(seed)")
            #expect(one.evidence == two.evidence, "seed \(seed)")
            #expect(one.records == two.records, "seed \(seed)")
        }
    }

    @Test("in which order events arrive at an instant changes nothing")
    func orderOfArrivalLeavesNoTrace() {
        for seed in Self.seeds {
            // Each identity once: of two contents for one, the first to come is taken.
            var history = History.random(seed: seed)
            for index in history.steps.indices {
                guard let events = history.steps[index].events else { continue }
                history.steps[index].action = .ingest(
                    events.enumerated().map { place, event in
                        var event = event
                        event.id = "\(index)-\(place)"
                        return event
                    })
            }
            var reversed = history
            for index in history.steps.indices {
                guard let events = history.steps[index].events else { continue }
                reversed.steps[index].action = .ingest(events.reversed())
            }
            let (one, two) = (BillingOracle.run(history), BillingOracle.run(reversed))
            #expect(one.ledger == two.ledger, "seed \(seed)")
            #expect(one.evidence == two.evidence, "seed \(seed)")
            #expect(one.records == two.records, "seed \(seed)")
        }
    }
}
