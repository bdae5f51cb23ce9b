// Bytes that are gathered and then stay where they are, for those who point into them.

import Foundation

/// Owned memory that grows while bytes are added; until the next change its address stays the same.
final class GrowingBytes {
    private var memory: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(capacity: Int) { memory = .allocate(capacity: capacity) }

    deinit { memory.deallocate() }

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: memory[0..<count]) }

    subscript(index: Int) -> UInt8 {
        get { bytes[index] }
        set { memory[index] = newValue }
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        if count + bytes.count > memory.count {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(
                capacity: max(memory.count * 2, count + bytes.count))
            _ = larger.update(fromContentsOf: self.bytes)
            memory.deallocate()
            memory = larger
        }
        _ = UnsafeMutableBufferPointer(rebasing: memory[count...]).update(fromContentsOf: bytes)
        count += bytes.count
    }

    /// Drops all bytes but these, which are some of its own.
    func keep(_ rest: UnsafeBufferPointer<UInt8>) {
        if let from = rest.baseAddress, let to = memory.baseAddress { memmove(to, from, rest.count) }
        count = rest.count
    }
}
