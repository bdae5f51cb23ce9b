// What a batch changes in the counters: summed in memory, so that a counter is written once however many events.

import Quantities
import Storage

/// Which counter: an app's item on a usage day, as far as it entered a posting day.
struct CounterKey: BitwiseCopyable {
    let app: AppID
    let item: ItemID
    let place: CountingPlace
}

extension CounterKey: TableKey {
    /// Nobody gains by making these collide: apps and items are the operator's, and days are few.
    var spread: UInt64 {
        var hash = UInt64(bitPattern: app.number) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ UInt64(bitPattern: item.number)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ UInt64(bitPattern: Int64(place.usageDay.number))) &* 0x94D0_49BB_1331_11EB
        hash = (hash ^ UInt64(bitPattern: Int64(place.postingDay.number))) &* 0x9E37_79B9_7F4A_7C15
        return (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
    }
}

struct CounterChange {
    let key: CounterKey
    var quantity = Quantity.zero
    var activeDevices: Int64 = 0
}

/// The changes of one batch, in the order of their first mention.
struct CounterChanges {
    private(set) var changes: ContiguousArray<CounterChange> = []
    private var places = FingerprintTable<CounterKey>(tables: 2)

    /// - Throws: ``Quantities/Overflow``.
    @inline(__always)
    mutating func add(_ key: CounterKey, quantity: Quantity, activeDevices: Int64 = 0) throws(Overflow) {
        let index: Int
        if let known = places.value(of: key) {
            index = Int(known)
        } else {
            index = changes.count
            changes.append(CounterChange(key: key))
            places.insert(key, UInt32(index))
        }
        try changes[index].quantity += quantity
        changes[index].activeDevices += activeDevices
    }

    func quantity(of key: CounterKey) -> Quantity {
        places.value(of: key).map { changes[Int($0)].quantity } ?? .zero
    }

    mutating func removeAll() {
        guard !changes.isEmpty else { return }
        changes.removeAll(keepingCapacity: true)
        places.removeAll()
    }
}
