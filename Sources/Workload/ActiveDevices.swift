// Which devices are active on a day.

import Quantities

/// The devices that are active on a day, each to be had by its place alone.
///
/// Devices have no state. Those born on one day are a cohort; how many of a cohort are active follows from its age and
/// the weekday, and which ones from a shuffle of its own for the day. So memory grows with the days of a life only.
struct ActiveDevices {
    /// Which of the devices of one birthday are active.
    private struct Cohort {
        /// How many are active in the cohorts before it.
        let start: Int
        let birthday: Int
        let shuffle: Shuffle
    }

    private let cohorts: [Cohort]
    let count: Int

    /// - Parameters:
    ///   - key: the seed's.
    ///   - devices: how many there are on any one day.
    init(on day: Day, of devices: Int, key seed: UInt64) {
        var cohorts: [Cohort] = []
        var count = 0
        // 1970-01-01 was a Thursday.
        let weekday = Habit.weekdays[((day.number + 3) % 7 + 7) % 7]
        for age in 0..<Habit.lifeDays {
            let birthday = day.number - age
            let born = Self.born(on: birthday, of: devices)
            let key = subkey(subkey(seed, day.number), birthday)
            let expected = Double(born) * min(1, Habit.returns[age] * weekday)
            let chance = Double(mixed(key).high) / 4_294_967_296
            let active = min(born, Int(expected + chance))
            guard active > 0 else { continue }
            cohorts.append(Cohort(start: count, birthday: birthday, shuffle: Shuffle(count: born, key: key)))
            count += active
        }
        self.cohorts = cohorts
        self.count = count
    }

    /// How many devices are born on a day: as many as fill the population in a life.
    private static func born(on day: Int, of devices: Int) -> Int {
        func bornBefore(_ day: Int) -> Int {
            let (lives, days) = day.quotientAndRemainder(dividingBy: Habit.lifeDays)
            return lives * devices + days * devices / Habit.lifeDays
        }
        return bornBefore(day + 1) - bornBefore(day)
    }

    /// The number of the device at a place below `count`; no two devices of any days share one.
    @inline(__always)
    func number(at place: Int) -> UInt64 {
        var low = 0
        var high = cohorts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if cohorts[middle].start <= place { low = middle } else { high = middle }
        }
        let cohort = cohorts[low]
        return UInt64(UInt32(truncatingIfNeeded: cohort.birthday)) << 32
            | UInt64(cohort.shuffle[place - cohort.start])
    }
}
