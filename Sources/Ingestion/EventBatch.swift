// Events of one transaction: scanned, not yet judged.

package import EventCodec

/// What the scanner made of a run of texts. Owns the scratch that its events point into; the scanned buffers must
/// outlive it.
package final class EventBatch {
    package private(set) var events: [ScanResult] = []
    package let scanner = EventScanner()

    package init() {}

    package var count: Int { events.count }

    /// Scans one text, which is one event or refused as one.
    package func add(_ text: UnsafeBufferPointer<UInt8>) { events.append(scanner.scan(text)) }

    /// Scans a line of an input.
    ///
    /// - Parameter line: without its line feed; nil stands for one that is over the bound of an event.
    package func add(line: UnsafeBufferPointer<UInt8>?) {
        if let line {
            add(line)
        } else {
            add(
                refusal: ScanRefusal(
                    code: .malformed, reason: "the line is over \(EventLimits.standard.eventBytes) bytes",
                    source: nil, id: nil, raw: nil))
        }
    }

    /// Adds what stands for an event that could not even be handed to the scanner.
    package func add(refusal: ScanRefusal) { events.append(.refused(refusal)) }

    /// Empties the batch for the next run; all events become invalid.
    package func reset() {
        events.removeAll(keepingCapacity: true)
        scanner.reset()
    }
}
