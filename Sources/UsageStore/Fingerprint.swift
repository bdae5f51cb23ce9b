// Keyed fingerprints of device ids and identities: SipHash-2-4 with 128 bits, whose key is the ledger's own.

package import Storage

/// The 16-byte key of a ledger's fingerprints, made at `init`.
package struct FingerprintKey: Equatable, Sendable {
    let low: UInt64
    let high: UInt64

    /// - Precondition: 16 bytes.
    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == 16)
        (low, high) = bytes.withUnsafeBytes {
            (
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// The fingerprint of a device's id, whichever app it is in.
    package func device(_ id: UnsafeBufferPointer<UInt8>) -> Fingerprint { fingerprint(prefix: nil, id) }

    /// The digest of an event in quarantine, by which a repeated one is recognised.
    package func quarantined(_ event: UnsafeBufferPointer<UInt8>) -> Fingerprint { fingerprint(prefix: nil, event) }

    /// The fingerprint of an app, told from that of any device by its prefix.
    package func app(_ app: AppID) -> Fingerprint {
        fingerprint(prefix: UInt64(app.number), UnsafeBufferPointer(start: nil, count: 0))
    }

    /// The hash of a sum event's source and id, which leads to its record.
    package func identity(source: UnsafeBufferPointer<UInt8>, id: UnsafeBufferPointer<UInt8>) -> UInt64 {
        fingerprint(prefix: fingerprint(prefix: UInt64(source.count), source).low, id).low
    }

    /// The fingerprint of eight bytes (the prefix, little-endian) followed by these.
    ///
    /// 128 bits under a secret key: two of 10⁹ devices share one with probability 10⁻²¹, by chance or by intent.
    package func fingerprint(prefix: UInt64?, _ bytes: UnsafeBufferPointer<UInt8>) -> Fingerprint {
        var state = SipState(self)
        if let prefix { state.compress(prefix) }
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset + 8 <= raw.count {
            state.compress(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: raw.count + (prefix == nil ? 0 : 8)) << 56
        var shift: UInt64 = 0
        while offset < raw.count {
            last |= UInt64(raw[offset]) << shift
            shift += 8
            offset += 1
        }
        state.compress(last)
        return state.finish()
    }
}

/// 128 bits that stand for a text under a ledger's key.
package struct Fingerprint: Hashable, BitwiseCopyable, Sendable {
    package let low: UInt64
    package let high: UInt64

    /// - Precondition: 16 bytes, as ``bytes`` gives them.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 16)
        func half(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(low: half(0..<8), high: half(8..<16))
    }

    /// The hash of an identity in the place of a fingerprint.
    package init(identity: UInt64) { self.init(low: identity, high: 0) }

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The 16 bytes as they are stored, the low half first, little-endian.
    package var bytes: [UInt8] {
        [low, high].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> ($0 * 8)) } }
    }
}

extension Fingerprint: TableKey {
    var spread: UInt64 { low }

    /// Of a device within an app: both are of 128 secret bits, so two pairs are no likelier to share one than two
    /// devices are.
    @inline(__always)
    package func within(app: Fingerprint) -> Fingerprint { Fingerprint(low: low ^ app.low, high: high ^ app.high) }
}

/// The state of SipHash (Aumasson and Bernstein), 2 rounds a word, 4 at the end of each half of the result.
private struct SipState {
    var v0: UInt64
    var v1: UInt64
    var v2: UInt64
    var v3: UInt64

    init(_ key: FingerprintKey) {
        v0 = key.low ^ 0x736f_6d65_7073_6575
        v1 = key.high ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.low ^ 0x6c79_6765_6e65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    @inline(__always)
    mutating func round() {
        v0 &+= v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 &+= v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 &+= v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }

    @inline(__always)
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> Fingerprint {
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return Fingerprint(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }
}
