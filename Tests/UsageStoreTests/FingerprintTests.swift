// SipHash against its reference vectors, the table of fingerprints against a dictionary, the filter against a set.

import Seeded
import TestSupport
import Testing

@testable import UsageStore

@Suite("Fingerprints", .computing)
struct FingerprintTests {
    private let key = FingerprintKey((0..<16).map { UInt8($0) })

    /// `vectors_sip128` of the reference implementation: key 00…0f, message 00, 01, 02 … of the length given.
    @Test(
        "are SipHash-2-4 with 128 bits",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"),
            (1, "da87c1d86b99af44347659119b22fc45"),
            (2, "8177228da4a45dc7fca38bdef60affe4"),
            (3, "9c70b60c5267a94e5f33b6b02985ed51"),
            (4, "f88164c12d9c8faf7d0f6e7c7bcd5579"),
            (5, "1368875980776f8854527a07690e9627"),
            (6, "14eeca338b208613485ea0308fd7a15e"),
            (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
            (8, "3b62a9ba6258f5610f83e264f31497b4"),
            (9, "264499060ad9baabc47f8b02bb6d71ed"),
            (10, "00110dc378146956c95447d3f3d0fbba"),
            (11, "0151c568386b6677a2b4dc6f81e5dc18"),
            (12, "d626b266905ef35882634df68532c125"),
            (13, "9869e247e9c08b10d029934fc4b952f7"),
            (14, "31fcefac66d7de9c7ec7485fe4494902"),
            (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
            (16, "6ee2a4ca67b054bbfd3315bf85230577"),
            (17, "473d06e8738db89854c066c47ae47740"),
            (63, "5150d1772f50834a503e069a973fbd7c"),
        ])
    func referenceVectors(length: Int, expected: String) {
        let message = (0..<length).map { UInt8($0) }
        let print = message.withUnsafeBufferPointer { key.fingerprint(prefix: nil, $0) }
        #expect(hexadecimal(print) == expected)
        #expect(Fingerprint(bytes: print.bytes) == print)
    }

    @Test("of a prefix and bytes are those of the prefix's eight bytes, little-endian, and the bytes")
    func prefix() {
        for length in 0..<20 {
            let rest = (0..<length).map { UInt8($0) &* 37 }
            let prefixed = rest.withUnsafeBufferPointer { key.fingerprint(prefix: 0x0807_0605_0403_0201, $0) }
            let whole = ([1, 2, 3, 4, 5, 6, 7, 8] + rest).withUnsafeBufferPointer { key.fingerprint(prefix: nil, $0) }
            #expect(prefixed == whole)
        }
    }

    private func hexadecimal(_ print: Fingerprint) -> String {
        print.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

@Suite("The table of fingerprints", .computing)
struct FingerprintTableTests {
    @Test("that begins in large pages keeps every key while one part after the other grows out of them")
    func largePages() {
        let table = FingerprintTable<Fingerprint>(tables: 4)
        table.reserve(4_000, many: 4_000)
        func key(_ number: UInt32) -> Fingerprint {
            var chance = SeededGenerator(seed: UInt64(number))
            return Fingerprint(bytes: (0..<16).map { _ in UInt8.random(in: 0...255, using: &chance) })
        }
        for round in 0..<2 {
            for number in 0..<9_000 as Range<UInt32> {
                table.insert(key(number), number)
                // As soon as a part has left, those that stay are looked through.
                if number % 100 == 0 {
                    #expect((0...number).allSatisfy { table.value(of: key($0)) == $0 }, "\(number)")
                }
            }
            #expect(table.count == 9_000, "round \(round)")
            table.removeAll()
            #expect((0..<9_000 as Range<UInt32>).allSatisfy { table.value(of: key($0)) == nil })
        }
    }

    @Test("that is emptied in large pages takes other keys")
    func emptiedLargePages() {
        let table = FingerprintTable<UInt64>(tables: 4)
        table.reserve(4_000, many: 4_000)
        var chance = SeededGenerator(seed: 1)
        let keys = (0..<4_000).map { _ in chance.next() }
        for (number, key) in keys.prefix(2_000).enumerated() { table.insert(key, UInt32(number)) }
        table.removeAll()
        for (number, key) in keys.suffix(2_000).enumerated() { table.insert(key, UInt32(number)) }
        #expect(keys.prefix(2_000).allSatisfy { table.value(of: $0) == nil })
        #expect(keys.suffix(2_000).enumerated().allSatisfy { table.value(of: $1) == UInt32($0) })
    }

    @Test("holds what a dictionary holds, through insertions and removals", arguments: UInt64(0)..<20)
    func model(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let table = FingerprintTable<UInt64>(tables: 4)
        // Half of them begin in large pages, and grow out of them.
        if seed % 2 == 1 { table.reserve(24, many: 24) }
        var model: [UInt64: [UInt32]] = [:]
        // Few homes and few small tables, so that keys crowd and probes run over the end of a table.
        let keys = (0..<200).map { _ in
            UInt64.random(in: 0...3, using: &chance) << 62 | UInt64.random(in: 0...15, using: &chance)
                | UInt64.random(in: 0...7, using: &chance) << 32
        }
        for step in 0..<4_000 {
            let key = keys[Int.random(in: 0..<keys.count, using: &chance)]
            let growing = step / 500 % 2 == 0
            if Int.random(in: 0..<10, using: &chance) < (growing ? 7 : 3) {
                let value = UInt32(step)
                table.insert(key, value)
                model[key, default: []].append(value)
            } else if let value = model[key]?.randomElement(using: &chance) {
                table.remove(key, value)
                model[key]?.removeAll { $0 == value }
            } else {
                // Nothing of the kind is there: a removal that removes nothing.
                table.remove(key, UInt32.max - 1)
            }
        }
        #expect(table.count == model.values.map(\.count).reduce(0, +))
        for key in Set(keys) {
            var found: [UInt32] = []
            let none = table.value(of: key) { value in
                found.append(value)
                return false
            }
            #expect(none == nil)
            #expect(found.sorted() == (model[key] ?? []).sorted(), "seed \(seed)")
            #expect((table.value(of: key) != nil) == (model[key]?.isEmpty == false))
            for value in model[key] ?? [] { #expect(table.value(of: key, where: { $0 == value }) == value) }
        }
    }

    @Test("empties completely, and holds the key that fills its free places like any other")
    func removal() {
        let table = FingerprintTable<UInt64>(tables: 2)
        for value in UInt32(0)..<100 { table.insert(0, value) }
        #expect(table.count == 100)
        for value in UInt32(0)..<100 {
            #expect(table.value(of: 0, where: { $0 == value }) == value)
            table.remove(0, value)
        }
        #expect(table.count == 0)
        #expect(table.value(of: 0) == nil)
    }
}

@Suite("The filter of identities", .computing)
struct IdentityFilterTests {
    @Test(
        "never says no to what it holds, before and after it was stored", arguments: [0, 1, 31, 32, 33, 5_000, 100_000])
    func noFalseNegatives(count: Int) {
        var chance = SeededGenerator(seed: UInt64(count))
        let hashes = (0..<count).map { _ in chance.next() }
        let filter = IdentityFilter(identities: count)
        for hash in hashes { filter.insert(hash) }
        let stored = IdentityFilter(bytes: filter.bytes)
        #expect(hashes.allSatisfy { filter.mayHold($0) })
        #expect(hashes.allSatisfy { stored.mayHold($0) })
        #expect(stored.bytes == filter.bytes)
        let passedOn = (0..<100_000).filter { _ in stored.mayHold(chance.next()) }.count
        #expect(passedOn < 1_000, "\(passedOn) of 100,000 strangers are passed on; about 100 are expected")
        if count == 0 { #expect(passedOn == 0) }
    }

    @Test("takes the smallest and the largest hash")
    func ends() {
        let filter = IdentityFilter(identities: 3)
        for hash in [UInt64.min, .max, 1 << 63] {
            filter.insert(hash)
            #expect(filter.mayHold(hash))
        }
    }
}
