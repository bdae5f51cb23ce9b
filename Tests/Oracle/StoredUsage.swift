// The usage that was taken, as a plain list, and the quantities that follow from it (billing rules, section 2).

struct StoredUsage {
    /// Device activity: a device was seen by some items of an app.
    struct Activity {
        var app: String
        var device: Bytes
        var items: [String]
        var usageDay: Int
        var usageMonth: Int
        var postingDay: Int
    }

    /// A sum event, with its identity and its content.
    struct Sum {
        var source: Bytes
        var id: Bytes
        var app: String
        var feature: String
        var timeMicros: Int64
        var quantity: Int64
        var items: [String]
        var arrivalDay: Int
        var usageDay: Int
        var postingDay: Int
    }

    var activities: [Activity] = []
    var sums: [Sum] = []

    var firstPostingDay: Int? {
        (activities.map(\.postingDay) + sums.map(\.postingDay)).min()
    }

    /// Rows without quantity and active devices are left out.
    func daily() -> [BillingOracle.UsageKey: BillingOracle.Usage] {
        var daily: [BillingOracle.UsageKey: BillingOracle.Usage] = [:]
        let none = BillingOracle.Usage(quantity: 0, activeDevices: 0)
        for (seen, place) in countedDevices() {
            let key = BillingOracle.UsageKey(
                app: seen.app, item: seen.item, usageDay: place.usageDay, postingDay: place.postingDay)
            daily[key, default: none].quantity += 1
        }
        for seen in activeDevices() {
            let key = BillingOracle.UsageKey(
                app: seen.app, item: seen.item, usageDay: seen.period, postingDay: seen.period)
            daily[key, default: none].activeDevices += 1
        }
        for sum in sums {
            for item in sum.items {
                let key = BillingOracle.UsageKey(
                    app: sum.app, item: item, usageDay: sum.usageDay, postingDay: sum.postingDay)
                daily[key, default: none].quantity += sum.quantity
            }
        }
        return daily
    }

    func monthlyDevices() -> [BillingOracle.MonthKey: Int64] {
        var devices: [BillingOracle.MonthKey: Int64] = [:]
        for seen in countedDevices().keys {
            devices[BillingOracle.MonthKey(app: seen.app, item: seen.item, month: seen.period), default: 0] += 1
        }
        return devices
    }

    func evidence(_ isErased: (AppDevice) -> Bool) -> [BillingOracle.EvidenceKey: Int] {
        var evidence: [BillingOracle.EvidenceKey: Int] = [:]
        for (seen, place) in countedDevices() {
            let device = isErased(AppDevice(app: seen.app, device: seen.device)) ? nil : seen.device.utf8
            let key = BillingOracle.EvidenceKey(
                app: seen.app, item: seen.item, month: seen.period, usageDay: place.usageDay,
                postingDay: place.postingDay, device: device)
            evidence[key, default: 0] += 1
        }
        return evidence
    }

    /// How many devices were seen by an item at a place that was not their final one when they were first seen there:
    /// later events moved them to a smaller place.
    var movedDevices: Int {
        var places: [SeenDevice: Place] = [:]
        var moved = 0
        for (seen, place) in sightings() {
            if let held = places[seen] {
                guard place < held else { continue }
                moved += 1
            }
            places[seen] = place
        }
        return moved
    }

    /// A device, as one item of one app sees it in a month or on a day.
    private struct SeenDevice: Hashable {
        var device: Bytes
        var app: String
        var item: String
        /// The usage month, or the usage day.
        var period: Int
    }

    private struct Place: Comparable {
        var postingDay: Int
        var usageDay: Int

        static func < (left: Place, right: Place) -> Bool {
            (left.postingDay, left.usageDay) < (right.postingDay, right.usageDay)
        }
    }

    private func sightings() -> [(SeenDevice, Place)] {
        activities.flatMap { activity in
            activity.items.map { item in
                (
                    SeenDevice(
                        device: activity.device, app: activity.app, item: item, period: activity.usageMonth),
                    Place(postingDay: activity.postingDay, usageDay: activity.usageDay)
                )
            }
        }
    }

    /// Each device of a month with the one place where it counts: the smallest of its events.
    private func countedDevices() -> [SeenDevice: Place] {
        var smallest: [SeenDevice: Place] = [:]
        for (seen, place) in sightings() {
            smallest[seen] = min(smallest[seen] ?? place, place)
        }
        return smallest
    }

    /// The devices of every day, on-time events only.
    private func activeDevices() -> Set<SeenDevice> {
        var active: Set<SeenDevice> = []
        for activity in activities where activity.postingDay == activity.usageDay {
            for item in activity.items {
                active.insert(
                    SeenDevice(device: activity.device, app: activity.app, item: item, period: activity.usageDay))
            }
        }
        return active
    }
}
