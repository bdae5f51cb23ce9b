// Random histories from a seed: short, but at the corners of the rules more often than life is.

extension History {
    /// The same history for the same seed, everywhere.
    package static func random(seed: UInt64) -> History {
        var generator = HistoryGenerator(seed: seed)
        return generator.history(name: "seed \(seed)")
    }
}

struct HistoryGenerator {
    private var random: SplitMix64
    private var settings: History.Settings
    private let local: LocalDates
    private let book: History.PriceBook
    private let pace: Pace
    private var events: RandomEvents
    private var grants: RandomGrants
    private var now: Int64
    private var lastBookDay: Int
    /// Apps that are named by events before they are added.
    private var laterApps: [History.App]
    /// While the clock runs ahead: what time it is in truth, and for how many steps more nobody notices.
    private var ahead: (truth: Int64, steps: Int)?
    private let isClockUnsteady: Bool
    /// What speaks for the instants is chosen by chance of its own, so that a seed has the steps that it had before.
    private var clockChance: SplitMix64
    /// Of the next step, where it is no usual one.
    private var nextTrust: History.Trust?
    private var hasRated = false
    /// An eighth of all histories; told by the seed, so that the others are as they were.
    private let hasManyVoids: Bool
    private var steps: [History.Step] = []

    /// How fast time passes.
    private struct Pace: Sendable {
        var longestDays: Int
        var maxStepDays: Int

        static let hours = Pace(longestDays: 7, maxStepDays: 1)
        static let days = Pace(longestDays: 50, maxStepDays: 4)
        static let weeks = Pace(longestDays: 420, maxStepDays: 25)
    }

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let scene = random.pick(HistoryScene.all)
        let settings = Self.settings(timeZone: scene.timeZone, &random)
        laterApps = random.chance(percent: 25) ? [History.App("z", tenant: random.pick(settings.tenants).code)] : []
        isClockUnsteady = random.chance(percent: 20)
        clockChance = SplitMix64(seed: seed ^ 0xC10C)
        hasManyVoids = seed % 8 == 3
        self.settings = settings
        self.settings.hasTestClock = !isClockUnsteady
        local = LocalDates(timeZone: scene.timeZone)
        let start = Dates.day(random.pick(scene.days)) - random.int(0...3)
        now = local.firstInstant(of: start) + random.int64(0...86_400_000_000)
        book = random.priceBook(startDay: start)
        lastBookDay = book.effectiveDay
        pace = random.weighted([(40, Pace.hours), (40, Pace.days), (20, Pace.weeks)])
        events = RandomEvents(
            local: local, settings: settings, apps: (settings.apps + laterApps).map(\.code), random: &random)
        grants = RandomGrants(local: local, settings: settings)
        self.random = random
    }

    mutating func history(name: String) -> History {
        let end = now + Int64(pace.longestDays) * 86_400_000_000
        let steps = random.weighted([(70, random.int(3...12)), (20, random.int(10...25)), (10, random.int(20...60))])
        for _ in 0..<steps where now < end {
            addStep()
            if !isClockUnsteady { mistakeTheTime() }
            passTime()
        }
        if random.chance(percent: 70) { settleTheRest() }
        return History(name: name, settings: settings, priceBook: book, steps: self.steps)
    }

    private static func settings(timeZone: String, _ random: inout SplitMix64) -> History.Settings {
        let tenants = ["acme", "beta", "corp"].prefix(random.int(1...3)).map { code in
            History.Tenant(code, legacy: random.chance(percent: 50))
        }
        let apps = random.some(random.int(1...4), of: ["shop", "a", "b10", "b9", "acme"]).map { code in
            History.App(code, tenant: random.pick(Array(tenants)).code)
        }
        return History.Settings(
            timeZone: timeZone, finalAfterDays: random.pick([1, 2, 3, 3, 3, 3, 4, 5]),
            maxAgeDays: random.pick([2, 3, 5, 8, 20, 35, 40]), tenants: Array(tenants), apps: apps)
    }

    private mutating func addStep() {
        if hasManyVoids, random.chance(percent: 40) { return addVoidScene() }
        switch random.int(1...100) {
        case 1...53: add(.ingest(events.batch(at: now, &random)))
        case 54...74: addRating()
        case 75...84: add(.grant(grants.grant(at: now, &random)))
        case 85...87:
            if let code = grants.codeToVoid(&random) { add(.voidGrant(code: code)) }
        case 88...91: addPriceBook()
        case 92...93: add(.retryQuarantine)
        case 94 where random.chance(percent: 50): add(.dropQuarantine)
        case 94...95: add(.eraseDevice(app: random.pick(settings.apps).code, device: random.pick(RandomEvents.devices)))
        case 96:
            for app in laterApps { add(.addApp(app)) }
        default: add(.reopen)
        }
    }

    /// A purchase that is in force today, usage that may draw on it, mostly a rating, and the void, at once or days later.
    private mutating func addVoidScene() {
        let grant = grants.grantInForce(at: now, &random)
        add(.grant(grant))
        for _ in 0..<random.int(1...3) { add(.ingest(events.batch(at: now, &random))) }
        if random.chance(percent: 70) { add(.rate(day: local.day(of: now))) }
        if random.chance(percent: 50) { passTime() }
        add(.voidGrant(code: grant.code))
        if random.chance(percent: 30) { add(.grant(grant)) }
    }

    private mutating func add(_ action: History.Action) {
        var step = History.Step(at: now, action)
        step.trust = nextTrust ?? .seen
        nextTrust = nil
        if case .rate = action { hasRated = true }
        steps.append(step)
    }

    /// Of the day that ended, as the daemon does; of today, of days long rated or just final; sometimes twice.
    private mutating func addRating() {
        let today = local.day(of: now)
        let daysAgo = random.weighted([
            (40, 1), (20, 0), (15, settings.finalAfterDays), (15, random.int(0...8)), (10, random.int(0...60)),
        ])
        add(.rate(day: today - daysAgo))
        // Events that come while it is rated.
        if random.chance(percent: 25) { add(.ingest(events.batch(at: now, &random))) }
        if random.chance(percent: 2) { add(.rate(day: today + 1)) }
        if random.chance(percent: 15) { add(.rate(day: today - daysAgo)) }
        if random.chance(percent: 10) { add(.rate(day: today - random.int(0...3))) }
    }

    /// Mostly of the first day that it may have, or of a later one; now and then of one that is refused.
    private mutating func addPriceBook() {
        let firstOpenDay = local.day(of: now) - (settings.finalAfterDays - 1)
        let earliest = max(firstOpenDay, lastBookDay + 1)
        let effectiveDay =
            earliest + random.weighted([(45, 0), (40, random.int(1...5)), (10, random.int(6...30)), (8, -1)])
        lastBookDay = effectiveDay
        let action = History.Action.applyPriceBook(effectiveDay: effectiveDay, changes: random.priceBookChanges())
        add(action)
        if random.chance(percent: 8) { add(action) }
    }

    private mutating func passTime() {
        let hour: Int64 = 3_600_000_000
        let today = local.day(of: now)
        if isClockUnsteady {
            upsetClock()
            // Mostly the process sees the time pass; now and then the clock is set, or the machine was off.
            if nextTrust == nil, clockChance.chance(percent: 25) {
                nextTrust = clockChance.weighted([(60, .kernel), (25, .person), (15, .nothing)])
            }
        }
        switch random.int(1...12) {
        case 1...2: return
        case 3...5: now += random.int64(1...(4 * hour))
        case 6: now = local.firstInstant(of: today + 1)
        case 7: now = max(now, local.firstInstant(of: today + 1) - 1)
        case 8: now = local.firstInstant(of: today + random.int(1...(settings.finalAfterDays + 1)))
        default: now += random.int64(hour...(Int64(pace.maxStepDays) * 24 * hour))
        }
    }

    /// The clock runs ahead, and after some steps is set right; or it is set back a little.
    private mutating func upsetClock() {
        if let (truth, steps) = ahead {
            ahead = steps == 0 ? nil : (truth, steps - 1)
            if steps == 0 { setClock(truth) }
        } else if random.chance(percent: 15) {
            ahead = (now, random.int(1...6))
            now += Int64(random.pick([1, 2, 5, 20, settings.maxAgeDays + 2, 60])) * 86_400_000_000
            nextTrust = clockChance.weighted([(50, .nothing), (25, .kernel), (25, .person)])
        } else if random.chance(percent: 4) {
            setClock(now - random.pick([1, 1_000_000, 3_600_000_000, 86_400_000_000]))
        }
    }

    private mutating func setClock(_ instant: Int64) {
        now = instant
        nextTrust = .nothing
        add(.setClock)
        // What was sent before, as its sender may well do again.
        if random.chance(percent: 50) { add(.ingest(events.sentBefore(&random))) }
    }

    /// A test clock is told a time that is not meant: one that is too far ahead, or with nothing but events that are
    /// refused. The time then goes on as if nothing had been said. Now and then a time that is far ahead is meant.
    private mutating func mistakeTheTime() {
        let day: Int64 = 86_400_000_000
        // Whatever has been rated has recorded an instant; before, any time is taken.
        guard hasRated else { return }
        switch clockChance.int(1...100) {
        case 1...5:
            let far = now + clockChance.int64(402...3_000) * day
            let action = clockChance.pick([
                History.Action.rate(day: local.day(of: far)), .dropQuarantine, .retryQuarantine,
                .ingest(events.batch(at: far, &clockChance)),
            ])
            steps.append(History.Step(at: far, action))
        case 6...10:
            let later = now + clockChance.int64(1...300) * day
            let event = History.Event(
                .deviceActivity(features: ["basic_analysis"], device: "d1"), app: "nowhere", source: "/mistake",
                id: "\(steps.count)", timeMicros: later)
            steps.append(History.Step(at: later, .ingest([event])))
        case 11:
            now += clockChance.int64(402...500) * day
            nextTrust = .person
            add(.rate(day: local.day(of: now) - 1))
        default: break
        }
    }

    /// A last rating when all that was posted is final.
    private mutating func settleTheRest() {
        let today = local.day(of: now)
        now = local.firstInstant(of: today + 1 + settings.finalAfterDays)
        add(.rate(day: today + 1))
    }
}
