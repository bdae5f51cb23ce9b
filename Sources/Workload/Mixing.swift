// Chance without state: numbers that follow from a key alone, the same on every machine.

/// The finalizer of SplitMix64: maps 64 bits to 64 bits, no two to the same.
@inline(__always)
func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
}

/// A key made of another key and a number.
@inline(__always)
func subkey(_ key: UInt64, _ number: UInt64) -> UInt64 { mixed(mixed(key &+ Chance.step) ^ (number &* Chance.step)) }

@inline(__always)
func subkey(_ key: UInt64, _ number: Int) -> UInt64 { subkey(key, UInt64(truncatingIfNeeded: number)) }

/// The random words of one decision after another (SplitMix64).
struct Chance {
    static let step: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    init(key: UInt64) { state = key }

    @inline(__always)
    mutating func next() -> UInt64 {
        state &+= Self.step
        return mixed(state)
    }
}

extension UInt32 {
    /// A number from 0 up to but not including `count`, out of 32 random bits.
    @inline(__always)
    func below(_ count: Int) -> Int { Int((UInt64(self) &* UInt64(count)) >> 32) }

    /// What 32 random bits must be less than to happen with the given probability, as 33 bits: 1 always happens.
    @inline(__always)
    static func threshold(_ probability: Double) -> UInt64 { UInt64(probability * 4_294_967_296) }
}

extension UInt64 {
    @inline(__always)
    var low: UInt32 { UInt32(truncatingIfNeeded: self) }
    @inline(__always)
    var high: UInt32 { UInt32(truncatingIfNeeded: self >> 32) }
}

/// An order of the numbers below `count` in which any place can be asked for alone.
struct Shuffle {
    let count: Int
    private let mask: UInt64
    private let shift: UInt64
    private let factors: (UInt64, UInt64, UInt64)
    private let start: UInt64

    init(count: Int, key: UInt64) {
        self.count = count
        let bits = UInt64(max(1, Int.bitWidth - max(count - 1, 1).leadingZeroBitCount))
        mask = (1 << bits) - 1
        shift = (bits + 1) / 2
        var chance = Chance(key: key)
        factors = (chance.next() | 1, chance.next() | 1, chance.next() | 1)
        start = chance.next()
    }

    /// The number at a place; each is at exactly one.
    ///
    /// Odd factors and shifted bits permute the words below a power of two; what lands at or above `count` goes on until
    /// it does not.
    @inline(__always)
    subscript(place: Int) -> Int {
        var word = UInt64(place)
        repeat {
            word = ((word &+ start) &* factors.0) & mask
            word ^= word >> shift
            word = (word &* factors.1) & mask
            word ^= word >> shift
            word = (word &* factors.2) & mask
            word ^= word >> shift
        } while word >= count
        return Int(word)
    }
}
