// Events on their way to the writer: the bytes that arrived, and what the scanner made of them.

import Foundation
package import Ingestion
package import UsageStore

/// A request's events. Owns the bytes that the scanned events point into, so it may wait in a queue and be handed from
/// the thread that received it to the writer; no two threads use it at once.
///
/// First the bytes are appended as they come, then `batch` scans parts of them.
package final class ReceivedEvents: @unchecked Sendable {
    package let batch: EventBatch
    private var text = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    package private(set) var byteCount = 0

    /// - Parameters:
    ///   - capacity: how many bytes are expected; more may come.
    ///   - key: of the ledger that the events are for.
    package init(capacity: Int = 0, key: FingerprintKey) {
        batch = EventBatch(key: key)
        grow(to: capacity)
    }

    package convenience init(copying bytes: some Collection<UInt8>, key: FingerprintKey) {
        self.init(capacity: bytes.count, key: key)
        _ = text.update(fromContentsOf: bytes)
        byteCount = bytes.count
    }

    deinit { free(text.baseAddress) }

    /// Appends bytes; none may have been scanned yet.
    package func append(_ part: UnsafeBufferPointer<UInt8>) {
        let end = byteCount + part.count
        if end > text.count { grow(to: max(end, text.count * 2)) }
        _ = UnsafeMutableBufferPointer(rebasing: text[byteCount...]).update(fromContentsOf: part)
        byteCount = end
    }

    /// The C library moves large pieces without copying them.
    private func grow(to capacity: Int) {
        guard let memory = realloc(text.baseAddress, max(1, capacity)) else { fatalError("no memory for events") }
        text = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: capacity)
    }

    /// The bytes, for `batch` to scan parts of.
    package var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: text[..<byteCount]) }

    /// What it takes of the memory for requests. That is promised as four times their bound, for events of the usual
    /// length have scanned about their own once more, and as much again in the answer; only short ones have more.
    package var memoryShare: Int { max(byteCount, batch.weight / 2) }

    /// What it weighs in a queue: its bytes, and what a scanned event takes beside them.
    package var weight: Int { text.count + batch.weight }
}
