// A Bloom filter in blocks of one cache line: most questions for an identity that a day does not hold end here.

import Foundation

/// Two bytes an identity; about one question in a thousand is passed on for nothing.
struct IdentityFilter {
    private var words: [UInt64]

    init(identities: Int) {
        let blocks = max(1, (identities * 16 + 511) / 512)
        words = Array(repeating: 0, count: blocks * 8)
    }

    init(bytes: Data) {
        words = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map {
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
            }
        }
    }

    var bytes: Data {
        words.map(\.littleEndian).withUnsafeBytes { Data($0) }
    }

    /// The block by the hash's upper bits; in each of its words one bit, by six bits of a remix of the hash.
    private func place(_ hash: UInt64) -> (block: Int, bits: UInt64) {
        let block = hash.multipliedFullWidth(by: UInt64(words.count / 8)).high
        return (Int(block) * 8, hash &* 0x9E37_79B9_7F4A_7C15)
    }

    mutating func insert(_ hash: UInt64) {
        let place = place(hash)
        for word in 0..<8 { words[place.block + word] |= 1 << (place.bits >> UInt64(word * 6 + 8) & 63) }
    }

    func mayHold(_ hash: UInt64) -> Bool {
        let place = place(hash)
        for word in 0..<8 where words[place.block + word] & 1 << (place.bits >> UInt64(word * 6 + 8) & 63) == 0 {
            return false
        }
        return true
    }
}
