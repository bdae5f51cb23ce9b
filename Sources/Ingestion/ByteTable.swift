// From texts to values, for what every event asks: cheaper than a dictionary of strings.

import EventCodec

/// A small table whose keys are runs of bytes. It only grows.
struct ByteTable<Value> {
    private var entries: ContiguousArray<(key: [UInt8], value: Value)> = []
    /// The index of an entry plus one, 0 where there is none; at most half full.
    private var places: ContiguousArray<UInt32> = [0, 0]
    /// Of this table alone: senders can't choose texts that crowd in one place.
    private let seed = UInt64.random(in: .min ... .max)

    @inline(__always)
    private func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: count)
        func mix(_ word: UInt64) {
            let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low
        }
        var at = 0
        while at + 8 <= count {
            mix(UnsafeRawPointer(bytes + at).loadUnaligned(as: UInt64.self))
            at += 8
        }
        var rest: UInt64 = 0
        while at < count {
            rest = rest << 8 | UInt64(bytes[at])
            at += 1
        }
        mix(rest)
        return hash
    }

    @inline(__always)
    func value(of key: Bytes) -> Value? {
        var place = Int(truncatingIfNeeded: hash(key.start, key.count)) & (places.count - 1)
        while true {
            let mark = places[place]
            if mark == 0 { return nil }
            let entry = Int(mark - 1)
            if isKey(entry, key) { return entries[entry].value }
            place = (place + 1) & (places.count - 1)
        }
    }

    @inline(__always)
    private func isKey(_ entry: Int, _ key: Bytes) -> Bool {
        entries[entry].key.withUnsafeBufferPointer { Bytes($0) == key }
    }

    /// All keys, in the order in which they came.
    var keys: some Sequence<[UInt8]> { entries.lazy.map(\.key) }

    /// - Precondition: the key is not there.
    mutating func insert(_ key: [UInt8], _ value: Value) {
        entries.append((key, value))
        if entries.count * 2 > places.count {
            places = ContiguousArray(repeating: 0, count: places.count * 2)
            for index in entries.indices { put(index) }
        } else {
            put(entries.count - 1)
        }
    }

    private mutating func put(_ entry: Int) {
        var place = entries[entry].key.withUnsafeBufferPointer { key in
            let bytes = Bytes(key)
            return Int(truncatingIfNeeded: hash(bytes.start, bytes.count)) & (places.count - 1)
        }
        while places[place] != 0 { place = (place + 1) & (places.count - 1) }
        places[place] = UInt32(entry + 1)
    }
}
