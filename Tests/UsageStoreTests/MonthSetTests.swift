// The memory of a month against the rule it stands for: the smallest (posting day, usage day) of a device's events.

import Quantities
import Seeded
import TestSupport
import Testing

@testable import UsageStore

@Suite("A month's devices in memory (Billing rules, section 2)", .computing)
struct MonthSetTests {
    private static let month = Month(year: 2027, month: 1)

    /// All places that were noted of each device.
    private struct Model: Equatable {
        var places: [UInt32: [CountingPlace]] = [:]

        func place(_ ordinal: UInt32) -> CountingPlace? { places[ordinal]?.min() }

        func wasActive(_ ordinal: UInt32, on day: Day) -> Bool {
            places[ordinal]?.contains { $0.isOnTime && $0.usageDay == day } ?? false
        }
    }

    private static func randomPlace(_ chance: inout SeededGenerator, late percent: Int) -> CountingPlace {
        let usage = month.first + Int.random(in: 0..<month.length, using: &chance)
        let delay = Int.random(in: 0..<100, using: &chance) < percent ? Int.random(in: 1...40, using: &chance) : 0
        return CountingPlace(postingDay: usage + delay, usageDay: usage)
    }

    private func compare(_ set: MonthSet, _ model: Model, _ place: Comment) {
        for ordinal in UInt32(0)..<40 {
            #expect(set.place(ordinal) == model.place(ordinal), place)
            for day in 0..<Self.month.length {
                let day = Self.month.first + day
                #expect(set.wasActive(ordinal, on: day) == model.wasActive(ordinal, on: day), place)
            }
        }
    }

    @Test("A device counts at its smallest place; a batch that fails is taken back whole", arguments: UInt64(0)..<30)
    func smallestPlace(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let set = MonthSet(month: Self.month, isSealed: false)
        var model = Model()
        for batch in 0..<20 {
            let before = model
            var undo: [MonthSet.Before] = []
            for _ in 0..<Int.random(in: 1...15, using: &chance) {
                let ordinal = UInt32.random(in: 0..<40, using: &chance)
                let place = Self.randomPlace(&chance, late: 60)
                undo.append(set.note(ordinal, at: place))
                model.places[ordinal, default: []].append(place)
            }
            compare(set, model, "seed \(seed), batch \(batch)")
            if Bool.random(using: &chance) {
                for change in undo.reversed() { set.restore(change) }
                model = before
                compare(set, model, "seed \(seed), batch \(batch) taken back")
            }
        }
    }

    @Test("The order in which events arrive makes no difference", arguments: UInt64(0)..<20)
    func order(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let places = (0..<12).map { _ in Self.randomPlace(&chance, late: 50) }
        for _ in 0..<10 {
            let set = MonthSet(month: Self.month, isSealed: false)
            for place in places.shuffled(using: &chance) { set.note(7, at: place) }
            #expect(set.place(7) == places.min(), "seed \(seed)")
        }
    }

    @Test(
        "A sealed month keeps the late places of open posting days, and takes more of them", arguments: UInt64(0)..<20)
    func sealed(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let open = MonthSet(month: Self.month, isSealed: false)
        var late: [UInt32: CountingPlace] = [:]
        for _ in 0..<60 {
            let ordinal = UInt32.random(in: 0..<40, using: &chance)
            let place = Self.randomPlace(&chance, late: 70)
            open.note(ordinal, at: place)
            if !place.isOnTime { late[ordinal] = min(late[ordinal] ?? place, place) }
        }
        let through = Self.month.last + Int.random(in: 0...20, using: &chance)
        let set = open.sealed(through: through)
        late = late.filter { $0.value.postingDay > through }
        #expect(set.isEmpty == late.isEmpty)
        var undo: [MonthSet.Before] = []
        let before = late
        for _ in 0..<20 {
            let ordinal = UInt32.random(in: 0..<60, using: &chance)
            let usage = Self.month.first + Int.random(in: 0..<31, using: &chance)
            let place = CountingPlace(postingDay: through + Int.random(in: 1...3, using: &chance), usageDay: usage)
            guard !place.isOnTime else { continue }
            undo.append(set.note(ordinal, at: place))
            late[ordinal] = min(late[ordinal] ?? place, place)
        }
        for ordinal in UInt32(0)..<60 { #expect(set.place(ordinal) == late[ordinal], "seed \(seed)") }
        for change in undo.reversed() { set.restore(change) }
        for ordinal in UInt32(0)..<60 { #expect(set.place(ordinal) == before[ordinal], "seed \(seed), taken back") }
    }
}
