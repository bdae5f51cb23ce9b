// A hash table of fingerprints in many small tables, so that growing never stops the writer for long.

import CPrefetch

/// A key that is a good hash already.
protocol TableKey: Equatable, BitwiseCopyable {
    /// Evenly distributed bits: the upper ones choose the small table, the others the place in it.
    var spread: UInt64 { get }
}

extension UInt64: TableKey {
    var spread: UInt64 { self }
}

/// From keys to 32-bit values. A key may stand several times (short hashes that collide); all its values are found.
///
/// A place takes the key and four bytes, and a small table is between three fifths and three quarters full: of 16-byte
/// keys an entry takes 27 to 33 bytes, of 8-byte keys 16 to 20.
final class FingerprintTable<Key: TableKey> {
    private let tables: UnsafeMutableBufferPointer<SmallTable<Key>>
    @exclusivity(unchecked) private(set) var count = 0
    private let bits: UInt64
    /// Where the tables are that were made together and have not grown since.
    @exclusivity(unchecked) private var region: LargePages?

    /// - Parameter tables: how many small ones, a power of two; one that grows stalls the writer for its share only.
    init(tables: Int = 1024) {
        precondition(tables > 1 && tables & (tables - 1) == 0)
        self.tables = .allocate(capacity: tables)
        self.tables.initialize(repeating: SmallTable())
        bits = UInt64(tables.trailingZeroBitCount)
    }

    deinit {
        for index in tables.indices { tables[index].leave(nil) }
        tables.deallocate()
    }

    @inline(__always)
    private func index(_ key: Key) -> Int { Int(truncatingIfNeeded: key.spread >> (64 - bits)) }

    /// Asks for the memory in which a key would be found, for a question that comes soon.
    @inline(__always)
    func prefetch(_ key: Key) { tables[index(key)].prefetch(key, hash: key.spread << bits) }

    @inline(__always)
    func value(of key: Key) -> UInt32? { value(of: key) { _ in true } }

    /// The first value of the key that satisfies a test.
    @inline(__always)
    func value(of key: Key, where matches: (UInt32) throws -> Bool) rethrows -> UInt32? {
        try tables[index(key)].value(of: key, hash: key.spread << bits, where: matches)
    }

    /// Makes room for so many, where many are known to come.
    ///
    /// - Parameter many: from so many on an empty table begins in large pages; in some megabytes of small ones the way is
    ///   as short.
    func reserve(_ expected: Int, many: Int = 200_000) {
        let share = UInt32((count + expected) / tables.count)
        let bytes = SmallTable<Key>.bytes(for: share)
        guard count == 0, region == nil, expected >= many, let pages = LargePages(bytes: bytes * tables.count) else {
            for index in tables.indices { tables[index].reserve(share, bits: bits, region) }
            return
        }
        // Side by side in one region.
        for index in tables.indices { tables[index].begin(share, at: pages.start + index * bytes) }
        region = pages
    }

    func insert(_ key: Key, _ value: UInt32) {
        tables[index(key)].insert(key, value, bits: bits, region)
        count += 1
    }

    /// Takes back an insertion.
    func remove(_ key: Key, _ value: UInt32) {
        if tables[index(key)].remove(key, value, bits: bits) { count -= 1 }
    }

    /// Removes everything and keeps the memory.
    func removeAll() {
        for index in tables.indices { tables[index].removeAll() }
        count = 0
    }
}

/// Open addressing with linear probing. A key's home is its share of the capacity, which so need not be a power of two.
private struct SmallTable<Key: TableKey> {
    /// Places side by side: the key, then the value plus one, 0 marking a free place.
    private var places: UnsafeMutableRawPointer?
    private var capacity: UInt32 = 0
    private var used: UInt32 = 0
    /// The places are a part of a region that many tables share.
    private var isLent = false

    private static var keyBytes: Int { MemoryLayout<Key>.size }
    private static var placeBytes: Int { MemoryLayout<Key>.size + 4 }

    /// Lets go of the places.
    ///
    /// - Parameter region: what they may be a part of; nil when all of that goes.
    mutating func leave(_ region: LargePages?) {
        guard let places else { return }
        if isLent {
            region?.giveBack(UnsafeMutableRawBufferPointer(start: places, count: Int(capacity) * Self.placeBytes))
        } else {
            places.deallocate()
        }
        self.places = nil
        isLent = false
    }

    mutating func removeAll() {
        used = 0
        places?.initializeMemory(as: UInt8.self, repeating: 0, count: Int(capacity) * Self.placeBytes)
    }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(capacity)).high)
    }

    @inline(__always)
    private func next(_ place: Int) -> Int { place + 1 == Int(capacity) ? 0 : place + 1 }

    @inline(__always)
    private func key(_ places: UnsafeMutableRawPointer, _ place: Int) -> Key {
        places.loadUnaligned(fromByteOffset: place * Self.placeBytes, as: Key.self)
    }

    @inline(__always)
    private func mark(_ places: UnsafeMutableRawPointer, _ place: Int) -> UInt32 {
        places.loadUnaligned(fromByteOffset: place * Self.placeBytes + Self.keyBytes, as: UInt32.self)
    }

    @inline(__always)
    private func put(_ key: Key, _ mark: UInt32, _ places: UnsafeMutableRawPointer, _ place: Int) {
        places.storeBytes(of: key, toByteOffset: place * Self.placeBytes, as: Key.self)
        places.storeBytes(of: mark, toByteOffset: place * Self.placeBytes + Self.keyBytes, as: UInt32.self)
    }

    @inline(__always)
    func prefetch(_ key: Key, hash: UInt64) {
        guard let places else { return }
        meterd_prefetch(places + home(hash) * Self.placeBytes)
    }

    @inline(__always)
    func value(of key: Key, hash: UInt64, where matches: (UInt32) throws -> Bool) rethrows -> UInt32? {
        guard let places else { return nil }
        var place = home(hash)
        while true {
            let mark = mark(places, place)
            if mark == 0 { return nil }
            if self.key(places, place) == key, try matches(mark - 1) { return mark - 1 }
            place = next(place)
        }
    }

    @inline(__always)
    mutating func insert(_ key: Key, _ value: UInt32, bits: UInt64, _ region: LargePages?) {
        if (used + 1) * 4 > capacity * 3 { grow(to: max(4, capacity + capacity / 4), bits: bits, region) }
        guard let places else { preconditionFailure("a table that has grown has places") }
        place(key, value + 1, places, hash: key.spread << bits)
        used += 1
    }

    private func place(_ key: Key, _ mark: UInt32, _ places: UnsafeMutableRawPointer, hash: UInt64) {
        var place = home(hash)
        while self.mark(places, place) != 0 { place = next(place) }
        put(key, mark, places, place)
    }

    private static func capacity(for entries: UInt32) -> UInt32 { entries + entries / 2 }

    /// What room for so many entries takes, a multiple of a cache line.
    static func bytes(for entries: UInt32) -> Int { (Int(capacity(for: entries)) * placeBytes + 63) & ~63 }

    /// Gets room for so many entries, being empty.
    ///
    /// - Parameter places: zeroed, in a region.
    mutating func begin(_ entries: UInt32, at places: UnsafeMutableRawPointer) {
        leave(nil)
        (self.places, capacity, isLent) = (places, Self.capacity(for: entries), true)
    }

    mutating func reserve(_ entries: UInt32, bits: UInt64, _ region: LargePages?) {
        let needed = Self.capacity(for: entries)
        if needed > capacity { grow(to: needed, bits: bits, region) }
    }

    /// By a quarter as a rule: doubling would leave half of the memory empty.
    private mutating func grow(to larger: UInt32, bits: UInt64, _ region: LargePages?) {
        var old = self
        let bytes = Int(larger) * Self.placeBytes
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        fresh.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        (places, capacity, isLent) = (fresh, larger, false)
        guard let left = old.places else { return }
        for place in 0..<Int(old.capacity) {
            let mark = mark(left, place)
            guard mark != 0 else { continue }
            let key = key(left, place)
            self.place(key, mark, fresh, hash: key.spread << bits)
        }
        old.leave(region)
    }

    /// Removes one entry and moves those behind it up, so that no probe ends early at the gap.
    mutating func remove(_ key: Key, _ value: UInt32, bits: UInt64) -> Bool {
        guard let places else { return false }
        var gap = home(key.spread << bits)
        while mark(places, gap) != 0, !(self.key(places, gap) == key && mark(places, gap) == value + 1) {
            gap = next(gap)
        }
        guard mark(places, gap) != 0 else { return false }
        func distance(from home: Int, to place: Int) -> Int {
            place >= home ? place - home : place - home + Int(capacity)
        }
        var place = next(gap)
        while mark(places, place) != 0 {
            let entry = self.key(places, place)
            if distance(from: home(entry.spread << bits), to: place) >= distance(from: gap, to: place) {
                put(entry, mark(places, place), places, gap)
                gap = place
            }
            place = next(place)
        }
        put(key, 0, places, gap)
        used -= 1
        return true
    }
}
