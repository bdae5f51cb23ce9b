// Events of one transaction: scanned and hashed, not yet judged.

package import EventCodec
package import UsageStore

/// What the scanner made of a run of texts. Owns the scratch that its events point into; the scanned buffers must
/// outlive it.
///
/// All that can be told of an event without the ledger is told here, its keyed hash too, so that another thread than
/// the writer's can do it.
package final class EventBatch {
    /// What could be read, in order.
    @exclusivity(unchecked) private(set) var events: ContiguousArray<ScannedEvent> = []
    /// Of each of the events: its device's fingerprint, or as the low half the hash of its identity.
    @exclusivity(unchecked) private(set) var hashes: ContiguousArray<Fingerprint> = []
    /// What could not be read, each with its place among all.
    private(set) var refusals: [(place: Int, refusal: ScanRefusal)] = []
    private(set) var hasSumEvents = false
    let scanner = EventScanner()
    private let key: FingerprintKey

    /// - Parameter key: of the ledger that the events are for.
    package init(key: FingerprintKey) { self.key = key }

    package var count: Int { events.count + refusals.count }

    /// How many of the texts were no JSON object, so no event at all.
    package private(set) var unreadableCount = 0

    /// Whether the events were hashed with a ledger's key.
    package func isKeyed(by other: FingerprintKey) -> Bool { key == other }

    /// What the batch takes in memory beside the texts, about.
    package var weight: Int {
        events.count * (MemoryLayout<ScannedEvent>.stride + MemoryLayout<Fingerprint>.stride)
            + refusals.count * Self.refusalBytes
    }

    /// A refusal with its reason, and what is made of it for the answer.
    private static let refusalBytes = 400

    /// Whether any of the texts is an event, be it one that a rule refuses; also if there are none.
    package var isReadable: Bool { count == 0 || unreadableCount < count }

    /// Why the first text that could not be taken was not.
    package var firstRefusal: ScanRefusal? { refusals.first?.refusal }

    /// Scans one text, which is one event or refused as one.
    package func add(_ text: UnsafeBufferPointer<UInt8>) {
        switch scanner.scan(text) {
        case .event(let event):
            events.append(event)
            if event.kind != .deviceActivity { hasSumEvents = true }
            hashes.append(hash(event))
        case .refused(let refusal): add(refusal: refusal)
        }
    }

    @inline(__always)
    private func hash(_ event: ScannedEvent) -> Fingerprint {
        event.kind == .deviceActivity
            ? key.device(event.device.buffer)
            : Fingerprint(identity: key.identity(source: event.source.buffer, id: event.id.buffer))
    }

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

    /// Makes room for as many events as a text of so many bytes may have, so that nothing moves while it is scanned.
    package func reserve(textBytes: Int) {
        let expected = textBytes / Self.typicalBytes + 1
        events.reserveCapacity(expected)
        hashes.reserveCapacity(expected)
    }

    /// Less than the usual event has; shorter ones still find room, as they come.
    private static let typicalBytes = 200

    /// Adds what stands for an event that could not even be handed to the scanner.
    package func add(refusal: ScanRefusal) {
        refusals.append((count, refusal))
        if refusal.raw == nil { unreadableCount += 1 }
    }

    /// Empties the batch for the next run; all events become invalid.
    package func reset() {
        events.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        hasSumEvents = false
        unreadableCount = 0
        scanner.reset()
    }
}

/// A batch that is stored in one transaction or several, and what has become of it so far.
package struct BatchInProgress {
    package let batch: EventBatch
    /// Of the events that are stored; their places count from the batch's first.
    package private(set) var report = BatchReport()
    private(set) var nextEvent = 0
    private(set) var nextRefusal = 0

    package init(_ batch: EventBatch) { self.batch = batch }

    package var isComplete: Bool { report.received == batch.count }

    mutating func note(_ part: BatchReport, nextEvent: Int, nextRefusal: Int) {
        if report.received == 0 { report = part } else { report.append(part) }
        self.nextEvent = nextEvent
        self.nextRefusal = nextRefusal
    }
}
