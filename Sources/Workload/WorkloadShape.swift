// What a workload is made of: sizes, shares, and the habits of devices.

/// The sizes and shares of a workload; the same shape gives the same events, byte for byte.
package struct WorkloadShape: Sendable {
    package var seed: UInt64 = 1
    /// 1 to ``maxApps``; the app of rank r has 1/r of the devices and calls of the first.
    package var apps = 20
    /// 1 to `apps`; they own the apps in turn.
    package var tenants = 5
    /// Devices that exist on any one day, 1 to ``maxDevices``. About a sixth of them is active.
    package var devices = 20_000
    /// The mean of the events of an active device, item and day. At 5, four of five events of devices tell nothing new.
    package var eventsPerItem = 5.0
    /// Which part of the events are gateway calls; the others are device activity. A day has the same number of events
    /// whatever this is: with more calls fewer devices are active.
    package var callsShare = 0.2
    /// Which part of the lines are the same, byte for byte, as an earlier one of their day.
    package var duplicates = 0.01
    /// Which part of the events happened 1 to 8 hours before they arrive, some of them on the day before.
    package var late = 0.03
    /// Which part of the events happened 3 to 21 days before they arrive: after their day was final, within the age limit
    /// of 35 days.
    package var afterFinality = 0.001

    package static let maxApps = 9_999
    package static let maxDevices = 1_000_000_000

    package init() {}
}

/// The features of the built-in price book that count devices, one item each, and which part of the devices that are
/// active on a day uses each of them.
enum Feature {
    static let all: [(code: String, share: Double)] = [
        ("basic_analysis", 1), ("message_push", 0.5), ("data_sync", 0.35), ("h5_offline_package", 0.25),
        ("custom_analysis", 0.2), ("performance_analysis", 0.15), ("version_upgrade", 0.05),
    ]
}

/// When people use their devices.
enum Habit {
    /// The part of a day's events in each hour of it, in hundredths of the busiest's.
    static let hours: [Double] = [
        11, 6, 4, 3, 3, 4, 9, 20, 34, 43, 48, 52, 59, 54, 50, 50, 52, 59, 70, 84, 100, 95, 68, 34,
    ]

    /// How active devices are on each weekday, from Monday.
    static let weekdays: [Double] = [1, 0.98, 0.98, 1, 1.04, 0.92, 0.88]

    /// After so many days a device is given up; a new one takes its place.
    static let lifeDays = 365
    static let returnsNextDay = 0.6
    static let returnsAtLast = 0.15
    static let decayPerDay = 0.93

    /// With what probability a device is active, by its age in days: on its first day for certain, then less and less.
    static let returns: [Double] = {
        var probabilities = [1.0]
        var excess = returnsNextDay - returnsAtLast
        for _ in 1..<lifeDays {
            probabilities.append(returnsAtLast + excess)
            excess *= decayPerDay
        }
        return probabilities
    }()
}
