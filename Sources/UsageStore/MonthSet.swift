// The memory of one app, item and month: which devices count, where, and on which days they were active.

import Quantities

/// A word a device (by its ordinal within the app): bit d - 1 is set when it had on-time usage on day d of the month.
/// The lowest day is then where it counts, unless late usage counts at a smaller place, noted aside.
final class MonthSet {
    let month: Month
    private var words: [UInt32] = []
    /// Places of late usage that were, when noted, the smallest of their device.
    private var late: [UInt32: CountingPlace] = [:]
    /// All days of the month are sealed: no on-time usage can come, where a device counts is looked up in the file, and
    /// only the places of open posting days are in memory.
    let isSealed: Bool

    init(month: Month, isSealed: Bool) {
        self.month = month
        self.isSealed = isSealed
    }

    /// What a device's entry was before a change, to take the change back.
    struct Before {
        let ordinal: UInt32
        let word: UInt32
        let late: CountingPlace?
    }

    /// Marks a word whose device has an entry in `late`.
    private static let hasLate: UInt32 = 1 << 31

    private func bit(_ day: Day) -> UInt32 { 1 << UInt32(day - month.first) }

    var isEmpty: Bool { words.isEmpty && late.isEmpty }

    func wasActive(_ ordinal: UInt32, on day: Day) -> Bool {
        Int(ordinal) < words.count && words[Int(ordinal)] & bit(day) != 0
    }

    /// Where the device counts as far as memory knows.
    func place(_ ordinal: UInt32) -> CountingPlace? {
        if isSealed { return late[ordinal] }
        guard Int(ordinal) < words.count else { return nil }
        let word = words[Int(ordinal)]
        guard word != 0 else { return nil }
        let late = word & Self.hasLate == 0 ? nil : self.late[ordinal]
        let days = word & ~Self.hasLate
        guard days != 0 else { return late }
        let day = month.first + days.trailingZeroBitCount
        let onTime = CountingPlace(postingDay: day, usageDay: day)
        return late.map { min($0, onTime) } ?? onTime
    }

    /// Notes usage at a place: for an on-time one the activity, for a late one only a smaller place than before.
    ///
    /// - Returns: what stood there, for ``restore(_:)``.
    @discardableResult
    func note(_ ordinal: UInt32, at place: CountingPlace) -> Before {
        let index = Int(ordinal)
        if !isSealed {
            while words.count <= index { words.append(0) }
        }
        let before = Before(ordinal: ordinal, word: isSealed ? 0 : words[index], late: late[ordinal])
        if place.isOnTime {
            precondition(!isSealed, "usage on time for a month that is sealed")
            words[index] |= bit(place.usageDay)
        } else if before.late.map({ place < $0 }) ?? true {
            if !isSealed { words[index] |= Self.hasLate }
            late[ordinal] = place
        }
        return before
    }

    func restore(_ before: Before) {
        if !isSealed { words[Int(before.ordinal)] = before.word }
        late[before.ordinal] = before.late
    }

    /// What stays in memory once all days of the month are sealed: the places of posting days that are still open.
    func sealed(through day: Day) -> MonthSet {
        let set = MonthSet(month: month, isSealed: true)
        set.late = late.filter { $0.value.postingDay > day }
        return set
    }
}
