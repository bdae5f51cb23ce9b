// Random usage events: on time, late to the microsecond, ahead, repeated, conflicting, and of every feature there is.

struct RandomEvents {
    let local: LocalDates
    let settings: History.Settings
    /// Those of the ledger, and some that are added later.
    let apps: [String]
    private let favourites: [String]
    private var sent: [History.Event] = []
    private var nextID = 1
    private var hugeLeft = 3

    init(local: LocalDates, settings: History.Settings, apps: [String], random: inout SplitMix64) {
        self.local = local
        self.apps = apps
        self.settings = settings
        favourites = random.some(3, of: Self.deviceFeatures)
    }

    mutating func batch(at now: Int64, _ random: inout SplitMix64) -> [History.Event] {
        let count = random.chance(percent: 8) ? random.int(10...25) : random.int(1...4)
        return (0..<count).map { _ in event(at: now, &random) }
    }

    /// Some of all that was ever sent, unchanged.
    func sentBefore(_ random: inout SplitMix64) -> [History.Event] { random.some(random.int(1...5), of: sent) }

    private static let deviceFeatures = [
        "basic_analysis", "code_scanner", "mini_program_analysis", "mini_program_release", "h5_offline_package",
        "message_push", "version_upgrade", "version_release", "data_sync", "custom_analysis", "social_sharing",
    ]
    /// Refused when a device names them: unknown, not metered, of sums, of both.
    private static let badDeviceFeatures = [
        "no_such_feature", "kernel", "security_armor", "mobile_gateway", "synchronized_messages", "mixed",
    ]
    private static let sumFeatures = [
        "mobile_gateway", "gateway_calls", "synchronized_messages", "synchronized_messages", "pushed_messages",
        "api_bundle",
    ]
    /// In data; the first two lines are refused: each may be meant as the quantity.
    private static let bareMembers = [
        "Calls", "call", "quantity", "count", "cal_ls", "Qty", "apiCalls", "call_counts", "number_of_call",
        "total_quantity", "gateway_calls",
        "api", "note", "caller", "country", "cell", "quality", "account", "discount", "recall",
    ]
    /// Beside where data would be; the first line is refused: each may be meant as the data or the quantity.
    private static let membersBeside = [
        "Data", "DATA", "payload", "dataBase64", "datas", "body", "calls", "totalcount",
        "traceparent", "sequence", "dataschema", "date", "metadata",
    ]
    private static let badSumFeatures = ["no_such_feature", "kernel", "basic_analysis", "mixed", "data_sync"]
    /// The last two look the same and are not.
    static let devices = ["d1", "d2", "d3", "d4", "d5", "caf\u{E9}", "cafe\u{301}"]

    private mutating func event(at now: Int64, _ random: inout SplitMix64) -> History.Event {
        if let last = sent.last, random.chance(percent: 15) {
            let recent = random.chance(percent: 70) ? Array(sent.suffix(8)) : sent
            var again = random.chance(percent: 30) ? last : random.pick(recent)
            if random.chance(percent: 40) { again = changed(again, at: now, &random) }
            sent.append(again)
            return again
        }
        let app = random.chance(percent: 3) ? "nobody" : random.pick(apps)
        let event = History.Event(
            kind(&random), app: app, source: random.pick(["/s1", "/s2"]), id: freshID(&random),
            timeMicros: time(at: now, &random))
        sent.append(event)
        return event
    }

    /// The same identity with something else in it.
    private func changed(
        _ event: History.Event, at now: Int64, _ random: inout SplitMix64
    ) -> History.Event {
        var event = event
        switch (random.int(1...5), event.kind) {
        case (1, _): event.app = random.pick(apps)
        case (2, .gatewayCall(let calls)): event.kind = .usage(feature: "mobile_gateway", quantity: calls)
        case (2, .usage(let feature, let quantity)): event.kind = .usage(feature: feature, quantity: quantity + 1)
        case (3, .gatewayCall(let calls)): event.kind = .usage(feature: "gateway_calls", quantity: calls)
        default: event.timeMicros = time(at: now, &random)
        }
        return event
    }

    private mutating func freshID(_ random: inout SplitMix64) -> String {
        nextID += 1
        return random.chance(percent: 4) ? random.pick(["caf\u{E9}", "cafe\u{301}"]) : "n\(nextID)"
    }

    private mutating func kind(_ random: inout SplitMix64) -> History.Event.Kind {
        switch random.int(1...200) {
        case 1: return .unreadable(random.pick(["", "{", "[]", "{\"a\":1,}"]))
        case 2: return .deviceActivity(features: features(&random), device: "")
        case 3: return .gatewayCall(calls: random.pick([0, -1, 1_000_000_000_001]))
        case 4, 5:
            let member = random.pick(Self.bareMembers + Self.membersBeside)
            let value = random.pick(["7", "null", "\"x\""])
            return Self.membersBeside.contains(member)
                ? .callBeside(member: member, value: value) : .bareCall(member: member, value: value)
        default: break
        }
        if random.chance(percent: 60) {
            return .deviceActivity(features: features(&random), device: random.pick(Self.devices))
        }
        let quantity = quantity(&random)
        if random.chance(percent: 40) { return .gatewayCall(calls: quantity) }
        let bad = random.chance(percent: 12)
        return .usage(feature: random.pick(bad ? Self.badSumFeatures : Self.sumFeatures), quantity: quantity)
    }

    /// One feature, or several that differ; never more than one bad one, so that there is one reason to refuse.
    private func features(_ random: inout SplitMix64) -> [String] {
        let pool = random.chance(percent: 80) ? favourites : Self.deviceFeatures
        var features = random.chance(percent: 70) ? [random.pick(pool)] : random.some(random.int(2...3), of: pool)
        if random.chance(percent: 6) {
            features.insert(random.pick(Self.badDeviceFeatures), at: random.int(0...features.count))
        } else if random.chance(percent: 4) {
            features = [random.pick(Self.badDeviceFeatures)]
        }
        return features
    }

    private mutating func quantity(_ random: inout SplitMix64) -> Int64 {
        if hugeLeft > 0, random.chance(percent: 3) {
            hugeLeft -= 1
            return 1_000_000_000_000 - random.int64(0...7)
        }
        return random.weighted([
            (30, 1), (50, random.int64(1...30)), (10, random.int64(1...2_000)), (10, 5),
        ])
    }

    private func time(at now: Int64, _ random: inout SplitMix64) -> Int64 {
        let minute: Int64 = 60 * 1_000_000
        let today = local.day(of: now)
        let dayMicros = 24 * 60 * minute
        switch random.int(1...20) {
        case 1...6: return now - random.int64(0...(2 * 60 * minute))
        case 7...9: return now - random.int64(0...dayMicros)
        case 10...12: return now - random.int64(0...(Int64(settings.finalAfterDays + 2) * dayMicros))
        case 13...15: return around(today - random.int(0...settings.finalAfterDays), &random)
        case 16: return around(today - settings.maxAgeDays, &random)
        case 17: return now - random.int64(0...(Int64(settings.maxAgeDays + 1) * dayMicros))
        case 18: return min(around(today + 1, &random), now + 11 * minute)
        case 19: return now + random.pick([9 * minute, 10 * minute, 10 * minute + 1, 11 * minute])
        default: return now
        }
    }

    /// The first microsecond of the day or the last one before it.
    private func around(_ day: Int, _ random: inout SplitMix64) -> Int64 {
        local.firstInstant(of: day) - random.pick([0, 1])
    }
}
