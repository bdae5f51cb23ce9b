// A Bloom filter in blocks of one cache line: most questions for an identity that a day does not hold end here.

import CPrefetch
package import Foundation

/// Two bytes an identity; about one question in a thousand is passed on for nothing.
package final class IdentityFilter {
    private let words: UnsafeMutableBufferPointer<UInt64>
    private let blocks: UInt64

    private init(blocks: Int) {
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: blocks * 64, alignment: 64)
        words = raw.initializeMemory(as: UInt64.self, repeating: 0)
        self.blocks = UInt64(blocks)
    }

    convenience init(identities: Int) { self.init(blocks: Self.blocks(identities)) }

    private static func blocks(_ identities: Int) -> Int { max(1, (identities * 16 + 511) / 512) }

    /// Whether so many bytes are those of a filter for so many identities.
    package static func isFilter(bytes: Int, identities: Int) -> Bool { bytes == blocks(identities) * 64 }

    /// - Precondition: what ``bytes`` gave.
    package convenience init(bytes: Data) {
        self.init(blocks: bytes.count / 64)
        bytes.withUnsafeBytes { raw in
            for index in words.indices {
                words[index] = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
        }
    }

    deinit { words.deallocate() }

    var bytes: Data { words.map(\.littleEndian).withUnsafeBytes { Data($0) } }

    /// The block, one cache line, by the hash's upper bits.
    @inline(__always)
    private func block(_ hash: UInt64) -> UnsafeMutablePointer<UInt64> {
        let block = Int(truncatingIfNeeded: hash.multipliedFullWidth(by: blocks).high)
        return words.baseAddress.unsafelyUnwrapped + block * 8
    }

    /// In each word of the block one bit, by six bits of a remix of the hash.
    @inline(__always)
    private func bit(_ hash: UInt64, word: Int) -> UInt64 {
        1 << ((hash &* 0x9E37_79B9_7F4A_7C15) >> UInt64(word * 6 + 8) & 63)
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) { meterd_prefetch(block(hash)) }

    func insert(_ hash: UInt64) {
        let block = block(hash)
        for word in 0..<8 { block[word] |= bit(hash, word: word) }
    }

    @inline(__always)
    package func mayHold(_ hash: UInt64) -> Bool {
        let block = block(hash)
        for word in 0..<8 where block[word] & bit(hash, word: word) == 0 { return false }
        return true
    }
}
