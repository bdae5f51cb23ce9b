// The table that every event asks for its app and features, against a dictionary.

import EventCodec
import TestSupport
import Testing

@testable import Ingestion

@Suite("Texts to values", .computing)
struct ByteTableTests {
    @Test("finds what was inserted by its bytes and nothing else")
    func model() {
        var table = ByteTable<Int>()
        // Texts of every length around the eight bytes that are hashed at once, alike but for one byte.
        let texts = (0..<30).flatMap { length in
            (0..<max(1, length)).map { place in
                (0..<length).map { UInt8($0 == place ? 0xFF : 0x61) }
            }
        }
        for (value, text) in texts.enumerated() { table.insert(text, value) }
        for (value, text) in texts.enumerated() {
            #expect(text.withUnsafeBufferPointer { table.value(of: Bytes($0)) } == value)
            for other in [text + [0], [0] + text, text.map { $0 ^ 1 }] where !other.isEmpty && !texts.contains(other) {
                #expect(other.withUnsafeBufferPointer { table.value(of: Bytes($0)) } == nil)
            }
        }
    }

    @Test("is empty at first")
    func empty() {
        let table = ByteTable<Int>()
        #expect([1, 2].withUnsafeBufferPointer { table.value(of: Bytes($0)) } == nil)
        #expect(table.value(of: .empty) == nil)
    }
}
