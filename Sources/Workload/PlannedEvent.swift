// What the event at each place of a workload is.

import Quantities

/// An event, before it is written.
struct PlannedEvent {
    enum Use {
        /// `device` is the device's key, from which its text follows, and its platform.
        case activity(feature: Int, device: UInt64)
        case calls(Int)
    }

    var use: Use
    /// The rank of the app.
    var app: Int
    /// What the event's id is made of; no two events of a workload share it.
    var id: UInt64
    /// How long before its arrival it happened.
    var delayMs: Int64 = 0
}

/// Which events a workload has, each to be had by its place alone.
protocol EventPlan: Sendable {
    var count: Int { get }

    /// The place of the event whose line is the one at a place: another one for a duplicate.
    func origin(of place: Int) -> Int

    /// The event at a place that is its own origin.
    subscript(place: Int) -> PlannedEvent { get }
}

extension EventPlan {
    @inline(__always)
    func origin(of place: Int) -> Int { place }
}

/// A day of ``Workload/day(_:)``.
struct DayOfUse: EventPlan {
    let count: Int
    private let key: UInt64
    private let idKey: UInt64
    private let deviceKey: UInt64
    private let apps: AppSizes
    private let active: ActiveDevices
    private let features: [FeatureUse]
    private let callsBelow: UInt64
    private let duplicatesBelow: UInt64
    private let lateBelow: UInt64
    private let afterFinalityBelow: UInt64

    /// The part of the active devices that uses a feature on this day.
    private struct FeatureUse {
        /// The end of the feature's part of 32 random bits.
        let end: UInt64
        let devices: Int
        let shuffle: Shuffle
    }

    private static let msPerHour: Int64 = 3_600_000

    init(_ workload: Workload, _ day: LocalDay) {
        let shape = workload.shape
        key = subkey(subkey(workload.key, 1), day.day.number)
        idKey = subkey(key, 1)
        deviceKey = workload.deviceKey
        apps = workload.apps
        let active = ActiveDevices(on: day.day, of: shape.devices, key: subkey(workload.key, 3))
        self.active = active
        var uses = Feature.all.map { Int(Double(active.count) * $0.share + 0.5) }
        if active.count > 0 { uses = uses.map { max(1, $0) } }
        count = Int(Double(uses.reduce(0, +)) * shape.eventsPerItem + 0.5)
        let users = uses.map { max(1, Int(Double($0) * (1 - shape.callsShare) + 0.5)) }
        let total = Double(users.reduce(0, +))
        var features: [FeatureUse] = []
        var sum = 0.0
        for (number, devices) in users.enumerated() {
            sum += Double(devices)
            // Each feature has other devices, so it takes them from an order of its own.
            features.append(
                FeatureUse(
                    end: UInt32.threshold(min(1, sum / total)), devices: devices,
                    shuffle: Shuffle(count: max(1, active.count), key: subkey(key, 100 + number))))
        }
        self.features = features
        callsBelow = UInt32.threshold(shape.callsShare)
        duplicatesBelow = UInt32.threshold(shape.duplicates)
        lateBelow = UInt32.threshold(shape.duplicates + shape.late)
        afterFinalityBelow = UInt32.threshold(shape.duplicates + shape.late + shape.afterFinality)
    }

    private func chance(_ place: Int) -> Chance { Chance(key: mixed(key &+ UInt64(place) &* Chance.step)) }

    @inline(__always)
    func origin(of place: Int) -> Int {
        var place = place
        while place > 0 {
            var chance = chance(place)
            let word = chance.next()
            guard word.high < duplicatesBelow else { break }
            // Sent again within two hours or so.
            place -= 1 + word.low.below(min(place, 1 + count / 12))
        }
        return place
    }

    @inline(__always)
    subscript(place: Int) -> PlannedEvent {
        var chance = chance(place)
        let fate = UInt64(chance.next().high)
        let choice = chance.next()
        let detail = chance.next()
        var event: PlannedEvent
        let id = mixed(idKey &+ UInt64(place) &* Chance.step)
        if choice.high < callsBelow {
            // One in sixteen stands for several.
            let calls = choice.low & 15 == 0 ? 2 + detail.low.below(99) : 1
            event = PlannedEvent(use: .calls(calls), app: apps.rank(of: detail.high), id: id)
        } else {
            var feature = 0
            while feature < features.count - 1, UInt64(choice.low) >= features[feature].end { feature += 1 }
            let use = features[feature]
            let device = subkey(deviceKey, active.number(at: use.shuffle[detail.low.below(use.devices)]))
            event = PlannedEvent(
                use: .activity(feature: feature, device: device), app: apps.rank(of: mixed(device).high), id: id)
        }
        if fate >= duplicatesBelow, fate < afterFinalityBelow {
            let ms = Int64(chance.next().high.below(1 << 30))
            event.delayMs =
                fate < lateBelow
                ? Self.msPerHour + ms * 7 * Self.msPerHour >> 30
                : 73 * Self.msPerHour + ms * (21 * 24 - 73) * Self.msPerHour >> 30
        }
        return event
    }
}

/// See ``Workload/newDevices(first:events:on:)``.
struct NewDevices: EventPlan {
    let count: Int
    private let firstNumber: UInt64
    private let deviceKey: UInt64
    private let idKey: UInt64
    private let apps: AppSizes

    private static let itemsPerDevice = 3
    private static let devicesPerBlock = 64
    /// What the items of a device are apart in the list of features: three different ones, wherever it begins.
    private static let featureSteps = [0, 1, 3]

    init(_ workload: Workload, first: Int, events: Int, on day: Day) {
        precondition((0...Workload.maxEvents).contains(first) && (0...Workload.maxEvents).contains(events))
        count = events - events % Self.itemsPerDevice
        // No device of ``DayOfUse`` has a number so high, and each day has its own.
        firstNumber = 1 << 63 | (UInt64(day.number) & 0x3F_FFFF) << 40 | UInt64(first)
        deviceKey = workload.deviceKey
        idKey = subkey(workload.key, 4)
        apps = workload.apps
    }

    /// Blocks of devices send their first events, then their second ones, then their third ones, each time beginning with
    /// another device. What would be a small last block is part of the one before it.
    @inline(__always)
    subscript(place: Int) -> PlannedEvent {
        let devices = count / Self.itemsPerDevice
        let block = min(
            place / (Self.itemsPerDevice * Self.devicesPerBlock), max(0, devices / Self.devicesPerBlock - 1))
        let start = block * Self.devicesPerBlock
        let size = block >= devices / Self.devicesPerBlock - 1 ? devices - start : Self.devicesPerBlock
        let (turn, inTurn) = (place - Self.itemsPerDevice * start).quotientAndRemainder(dividingBy: size)
        let number = firstNumber + UInt64(start + (inTurn + turn * (size / 4)) % size)
        let device = subkey(deviceKey, number)
        let feature = (Int(mixed(device).low & 0xFF) + Self.featureSteps[turn]) % Feature.all.count
        return PlannedEvent(
            use: .activity(feature: feature, device: device), app: apps.rank(of: mixed(device).high),
            id: mixed(idKey &+ (number &* UInt64(Self.itemsPerDevice) &+ UInt64(turn)) &* Chance.step))
    }
}

/// See ``Workload/calls(first:events:on:)``.
struct SingleCalls: EventPlan {
    let count: Int
    private let first: Int
    private let idKey: UInt64
    private let apps: AppSizes

    init(_ workload: Workload, first: Int, events: Int, on day: Day) {
        precondition((0...Workload.maxEvents).contains(first) && (0...Workload.maxEvents).contains(events))
        count = events
        self.first = first
        idKey = subkey(subkey(workload.key, 5), day.number)
        apps = workload.apps
    }

    @inline(__always)
    subscript(place: Int) -> PlannedEvent {
        let id = mixed(idKey &+ UInt64(first + place) &* Chance.step)
        return PlannedEvent(use: .calls(1), app: apps.rank(of: mixed(id).high), id: id)
    }
}
