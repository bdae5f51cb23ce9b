// The memory of one app, item and month: which devices count, where, and on which days they were active.

import CPrefetch
import Quantities

/// A word a device (by its ordinal within the app): bit d - 1 is set when it had on-time usage on day d of the month.
/// The lowest day is then where it counts, unless late usage counts at a smaller place, noted aside.
final class MonthSet {
    let month: Month
    private let first: Day
    @exclusivity(unchecked) private var words = Words()
    /// Places of late usage that were, when noted, the smallest of their device.
    @exclusivity(unchecked) private var late: [UInt32: CountingPlace] = [:]
    /// All days of the month are sealed: no on-time usage can come, where a device counts is looked up in the file, and
    /// only the places of open posting days are in memory.
    let isSealed: Bool

    init(month: Month, isSealed: Bool) {
        self.month = month
        first = month.first
        self.isSealed = isSealed
    }

    deinit { words.deallocate() }

    /// What a device's entry was before a change, to take the change back.
    struct Before {
        let ordinal: UInt32
        let word: UInt32
        let late: CountingPlace?
    }

    /// Marks a word whose device has an entry in `late`.
    private static let hasLate: UInt32 = 1 << 31

    @inline(__always)
    private func bit(_ day: Day) -> UInt32 { 1 << UInt32(truncatingIfNeeded: day - first) }

    var isEmpty: Bool { words.count == 0 && late.isEmpty }

    /// Asks for the memory of a device's word, for a question that comes soon.
    @inline(__always)
    func prefetch(_ ordinal: UInt32) {
        if let word = words.address(ordinal) { meterd_prefetch(word) }
    }

    @inline(__always)
    func wasActive(_ ordinal: UInt32, on day: Day) -> Bool { words[ordinal] & bit(day) != 0 }

    /// Where the device counts as far as memory knows.
    @inline(__always)
    func place(_ ordinal: UInt32) -> CountingPlace? {
        if isSealed { return late[ordinal] }
        let word = words[ordinal]
        guard word != 0 else { return nil }
        let late = word & Self.hasLate == 0 ? nil : self.late[ordinal]
        let days = word & ~Self.hasLate
        guard days != 0 else { return late }
        let day = first + days.trailingZeroBitCount
        let onTime = CountingPlace(postingDay: day, usageDay: day)
        return late.map { min($0, onTime) } ?? onTime
    }

    /// Notes usage at a place: for an on-time one the activity, for a late one only a smaller place than before.
    ///
    /// - Returns: what stood there, for ``restore(_:)``.
    @discardableResult
    @inline(__always)
    func note(_ ordinal: UInt32, at place: CountingPlace) -> Before {
        if !isSealed { words.reserve(ordinal) }
        let word = words[ordinal]
        let before = Before(ordinal: ordinal, word: word, late: late.isEmpty ? nil : late[ordinal])
        if place.isOnTime {
            precondition(!isSealed, "usage on time for a month that is sealed")
            words[ordinal] = word | bit(place.usageDay)
        } else if before.late.map({ place < $0 }) ?? true {
            if !isSealed { words[ordinal] = word | Self.hasLate }
            late[ordinal] = place
        }
        return before
    }

    func restore(_ before: Before) {
        if !isSealed { words[before.ordinal] = before.word }
        if before.late != nil || !late.isEmpty { late[before.ordinal] = before.late }
    }

    /// What stays in memory once all days of the month are sealed: the places of posting days that are still open.
    func sealed(through day: Day) -> MonthSet {
        let set = MonthSet(month: month, isSealed: true)
        set.late = late.filter { $0.value.postingDay > day }
        return set
    }
}

/// Words by ordinal, 0 where nothing was stored, in chunks that stay where they are: growing copies at most one.
private struct Words {
    private static let chunkWords: UInt32 = 2048

    /// All of full size, but for a first one that is alone: most apps are small.
    private var chunks: ContiguousArray<UnsafeMutablePointer<UInt32>> = []
    /// How many words there are.
    private(set) var count: UInt32 = 0

    func deallocate() {
        for chunk in chunks { chunk.deallocate() }
    }

    @inline(__always)
    func address(_ ordinal: UInt32) -> UnsafeMutablePointer<UInt32>? {
        guard ordinal < count else { return nil }
        return chunks[Int(ordinal / Self.chunkWords)] + Int(ordinal % Self.chunkWords)
    }

    subscript(ordinal: UInt32) -> UInt32 {
        @inline(__always)
        get { address(ordinal)?.pointee ?? 0 }
        @inline(__always)
        nonmutating set { address(ordinal)?.pointee = newValue }
    }

    /// Makes room for an ordinal.
    @inline(__always)
    mutating func reserve(_ ordinal: UInt32) {
        if ordinal >= count { grow(to: ordinal) }
    }

    private mutating func grow(to ordinal: UInt32) {
        if count < Self.chunkWords {
            var words = max(8, count)
            while words <= ordinal, words < Self.chunkWords { words *= 2 }
            let chunk = Self.chunk(words)
            if let old = chunks.popLast() {
                chunk.update(from: old, count: Int(count))
                old.deallocate()
            }
            chunks.append(chunk)
            count = words
        }
        while count <= ordinal {
            chunks.append(Self.chunk(Self.chunkWords))
            count += Self.chunkWords
        }
    }

    private static func chunk(_ words: UInt32) -> UnsafeMutablePointer<UInt32> {
        let chunk = UnsafeMutablePointer<UInt32>.allocate(capacity: Int(words))
        chunk.initialize(repeating: 0, count: Int(words))
        return chunk
    }
}
