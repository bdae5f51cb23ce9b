// A hash table of fingerprints in many small tables, so that growing never stops the writer for long.

/// A key that is a good hash already.
protocol TableKey: Equatable {
    /// Evenly distributed bits: the upper ones choose the small table, the lower ones the place in it.
    var spread: UInt64 { get }
    /// Fills the places that are free; may be a key like any other.
    static var filler: Self { get }
}

extension UInt64: TableKey {
    var spread: UInt64 { self }
    static var filler: UInt64 { 0 }
}

/// From keys to 32-bit values. A key may stand several times (short hashes that collide); all its values are found.
struct FingerprintTable<Key: TableKey> {
    private var tables: [SmallTable]
    private(set) var count = 0
    private let shift: UInt64

    /// - Parameter tables: how many small ones, a power of two; one that doubles stalls the writer for its share only.
    init(tables: Int = 1024) {
        precondition(tables > 1 && tables & (tables - 1) == 0)
        self.tables = Array(repeating: SmallTable(), count: tables)
        shift = UInt64(64 - tables.trailingZeroBitCount)
    }

    @inline(__always)
    func value(of key: Key) -> UInt32? { value(of: key) { _ in true } }

    /// The first value of the key that satisfies a test.
    @inline(__always)
    func value(of key: Key, where matches: (UInt32) throws -> Bool) rethrows -> UInt32? {
        try tables[Int(key.spread >> shift)].value(of: key, where: matches)
    }

    mutating func insert(_ key: Key, _ value: UInt32) {
        tables[Int(key.spread >> shift)].insert(key, value)
        count += 1
    }

    /// Takes back an insertion.
    mutating func remove(_ key: Key, _ value: UInt32) {
        if tables[Int(key.spread >> shift)].remove(key, value) { count -= 1 }
    }

    /// Open addressing with linear probing, at most three quarters full.
    private struct SmallTable {
        private var keys: [Key] = []
        /// The value plus one; 0 marks a free place.
        private var marks: [UInt32] = []
        private var used = 0

        @inline(__always)
        private func home(_ key: Key) -> Int { Int(truncatingIfNeeded: key.spread) & (keys.count - 1) }

        @inline(__always)
        func value(of key: Key, where matches: (UInt32) throws -> Bool) rethrows -> UInt32? {
            guard !keys.isEmpty else { return nil }
            var slot = home(key)
            while marks[slot] != 0 {
                if keys[slot] == key, try matches(marks[slot] - 1) { return marks[slot] - 1 }
                slot = (slot + 1) & (keys.count - 1)
            }
            return nil
        }

        mutating func insert(_ key: Key, _ value: UInt32) {
            if (used + 1) * 4 > keys.count * 3 { grow() }
            place(key, value + 1)
            used += 1
        }

        private mutating func place(_ key: Key, _ mark: UInt32) {
            var slot = home(key)
            while marks[slot] != 0 { slot = (slot + 1) & (keys.count - 1) }
            keys[slot] = key
            marks[slot] = mark
        }

        private mutating func grow() {
            let (oldKeys, oldMarks) = (keys, marks)
            let capacity = max(4, keys.count * 2)
            keys = Array(repeating: Key.filler, count: capacity)
            marks = Array(repeating: 0, count: capacity)
            for (index, mark) in oldMarks.enumerated() where mark != 0 { place(oldKeys[index], mark) }
        }

        /// Removes one entry and moves those behind it up, so that no probe ends early at the gap.
        mutating func remove(_ key: Key, _ value: UInt32) -> Bool {
            guard !keys.isEmpty else { return false }
            let mask = keys.count - 1
            var gap = home(key)
            while marks[gap] != 0, !(keys[gap] == key && marks[gap] == value + 1) { gap = (gap + 1) & mask }
            guard marks[gap] != 0 else { return false }
            var slot = (gap + 1) & mask
            while marks[slot] != 0 {
                if (slot - home(keys[slot])) & mask >= (slot - gap) & mask {
                    keys[gap] = keys[slot]
                    marks[gap] = marks[slot]
                    gap = slot
                }
                slot = (slot + 1) & mask
            }
            marks[gap] = 0
            used -= 1
            return true
        }
    }
}
