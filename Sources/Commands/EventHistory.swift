// A whole history in memory: the order of its events, and the batches in which a replay stores them.

import EventCodec
import Foundation
import Ingestion
import LedgerStore
import Quantities
import UsageStore

/// Every line of the inputs, and the order of their times.
final class EventHistory: Sendable {
    private let bytes: HistoryBytes
    private let entries: [Entry]
    /// When the first event was; nil when there is none.
    let firstTime: Instant?

    private struct Entry {
        var time: Instant
        let start: Int
        let count: Int
        let line: Int
    }

    /// - Throws: ``Failure`` when an input can't be read.
    init(_ inputs: [EventFile]) throws {
        let bytes = try HistoryBytes(inputs)
        var entries: [Entry] = []
        let scanner = EventScanner()
        // What can't be read as an event is refused where it stands: at the time of the event before it.
        let unknown = Instant(micros: Int64.min)
        var time = unknown
        let buffer = bytes.buffer
        var splitter = LineSplitter(buffer, endsInput: true)
        while let line = splitter.next() {
            if case .event(let event) = scanner.scan(line) { time = Instant(micros: event.timeMicros) }
            scanner.reset()
            guard let address = line.baseAddress, let base = buffer.baseAddress else { continue }
            entries.append(Entry(time: time, start: address - base, count: line.count, line: splitter.lineNumber))
        }
        // Before the first event there is none before it: such lines stand at the first one's time.
        firstTime = entries.map(\.time).filter { $0 != unknown }.min()
        if let first = entries.first(where: { $0.time != unknown })?.time {
            for index in entries.indices {
                guard entries[index].time == unknown else { break }
                entries[index].time = first
            }
        }
        // Of equal times the one that stands first in the inputs is first.
        entries.sort { ($0.time, $0.start) < ($1.time, $1.start) }
        self.bytes = bytes
        self.entries = entries
    }

    var isEmpty: Bool { entries.isEmpty }

    private static let batchEvents = 10_000

    /// Cuts the history into batches and scans them on a thread of its own.
    ///
    /// - Parameters:
    ///   - zone: the billing time zone.
    ///   - key: of the ledger, to scan with; nil where somebody else scans.
    func batches(in zone: TimeZone, key: FingerprintKey?) -> WorkAhead<HistoryBatch> {
        WorkAhead((0..<3).map { _ in HistoryBatch(key: key) }) { [self] exchange in
            var rest = entries[...]
            while let first = rest.first {
                let dayEnd = LedgerDays.nextChange(after: first.time, in: zone)
                let batch = try exchange.takeEmpty()
                var bytes = 0
                while let entry = rest.first, batch.lines.count < Self.batchEvents, bytes < LineReader.chunkBytes,
                    entry.time < dayEnd
                {
                    let line = UnsafeBufferPointer(rebasing: self.bytes.buffer[entry.start..<entry.start + entry.count])
                    batch.lines.append(LineBatch.Line(number: entry.line, bytes: line))
                    batch.lastTime = entry.time
                    bytes += entry.count
                    rest.removeFirst()
                }
                batch.scan()
                try exchange.hand(batch)
            }
        }
    }
}

/// Events of one local day. They lie in the history, which must outlive them.
final class HistoryBatch: LineBatch, @unchecked Sendable {
    /// When the last of the events was.
    fileprivate(set) var lastTime = Instant(micros: 0)
}

/// The text of all inputs, one after the other, each line ended. It does not change.
private final class HistoryBytes: @unchecked Sendable {
    private let text: GrowingBytes

    init(_ inputs: [EventFile]) throws {
        text = GrowingBytes(capacity: inputs.reduce(0) { $0 + ($1.size ?? 0) } + inputs.count)
        for input in inputs {
            let start = text.count
            try input.read { part, _ in text.append(part) }
            let mark = LineSplitter.byteOrderMark
            if text.bytes[start...].starts(with: mark) {
                for index in start..<start + mark.count { text[index] = UInt8(ascii: " ") }
            }
            if text.bytes[start...].last ?? UInt8(ascii: "\n") != UInt8(ascii: "\n") {
                [UInt8(ascii: "\n")].withUnsafeBufferPointer { text.append($0) }
            }
        }
    }

    var buffer: UnsafeBufferPointer<UInt8> { text.bytes }
}
