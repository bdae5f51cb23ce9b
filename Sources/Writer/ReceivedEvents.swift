// Events on their way to the writer: the bytes that arrived, and what the scanner made of them.

package import Ingestion
package import UsageStore

/// A request's events. Owns the bytes that the scanned events point into, so it may wait in a queue and be handed from
/// the thread that received it to the writer; no two threads use it at once.
package final class ReceivedEvents: @unchecked Sendable {
    package let batch: EventBatch
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter key: of the ledger that the events are for.
    package init(copying bytes: some Collection<UInt8>, key: FingerprintKey) {
        batch = EventBatch(key: key)
        text = .allocate(capacity: bytes.count)
        _ = text.initialize(from: bytes)
    }

    deinit { text.deallocate() }

    /// The bytes, for `batch` to scan parts of.
    package var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(text) }

    /// What it weighs in a queue: its bytes, and what a scanned event takes beside them.
    package var weight: Int { text.count + batch.weight }
}
