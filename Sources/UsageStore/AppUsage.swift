// What memory holds of one app: how many devices it has, and where they count.

import Quantities
import Storage

/// The months of one app's items. Owned by the store.
final class AppUsage {
    /// Makes the fingerprint of a device one within this app.
    let fingerprint: Fingerprint
    var isLoaded = false
    var deviceCount: UInt32 = 0
    /// By item: the month that was asked for last, nearly always the one that is asked for next.
    @exclusivity(unchecked) private var latest: ContiguousArray<Unmanaged<MonthSet>?> = []
    private var sets: [(item: ItemID, set: MonthSet)] = []

    init(fingerprint: Fingerprint) { self.fingerprint = fingerprint }

    /// The month of an item, empty if there was nothing of it yet. Lent: it is this object's until days are sealed, so
    /// that the many who ask need not count references.
    @inline(__always)
    func set(_ item: ItemID, _ month: Month, sealedThrough: Day?) -> Unmanaged<MonthSet> {
        let index = Int(item.number)
        if index < latest.count, let set = latest[index], set._withUnsafeGuaranteedRef({ $0.month == month }) {
            return set
        }
        return findSet(item, month, sealedThrough)
    }

    private func findSet(_ item: ItemID, _ month: Month, _ sealedThrough: Day?) -> Unmanaged<MonthSet> {
        let index = Int(item.number)
        while latest.count <= index { latest.append(nil) }
        let set: MonthSet
        if let known = sets.first(where: { $0.item == item && $0.set.month == month }) {
            set = known.set
        } else {
            set = MonthSet(month: month, isSealed: sealedThrough.map { month.last <= $0 } ?? false)
            sets.append((item, set))
        }
        let lent = Unmanaged.passUnretained(set)
        latest[index] = lent
        return lent
    }

    /// Days through this one are sealed: of months that are over only the places of open posting days stay.
    func noteSealed(through day: Day) {
        latest.removeAll()
        sets = sets.compactMap { item, set in
            guard set.month.last <= day else { return (item, set) }
            let rest = set.sealed(through: day)
            return rest.isEmpty ? nil : (item, rest)
        }
    }
}
