// Lines of a workload, read as the ledger reads them.

import EventCodec
import Quantities
import Testing
import Workload

struct GeneratedLine {
    let text: String
    let kind: EventKind
    let source: String
    let id: String
    let app: String
    let timeMs: Int64
    let feature: String
    let device: String
    let quantity: Int64
}

enum Generated {
    static let day = Day(20_828)  // 2027-01-10, a Sunday

    /// A day at UTC+8, 24 hours long.
    static func local(_ day: Day = day) -> LocalDay {
        let start = Instant(micros: Int64(day.number) * 86_400_000_000) + -8 * 3_600
        return LocalDay(day, start: start, end: start + 86_400, offsetMinutes: 480)
    }

    static func shape(_ change: (inout WorkloadShape) -> Void = { _ in }) -> WorkloadShape {
        var shape = WorkloadShape()
        shape.devices = 10_000
        change(&shape)
        return shape
    }

    static func bytes(_ stream: EventStream, maxBytes: Int = .max) -> [UInt8] {
        var stream = stream
        var bytes: [UInt8] = []
        stream.append(to: &bytes, maxBytes: maxBytes)
        return bytes
    }

    /// All lines of a stream; each must be an event.
    static func lines(_ stream: EventStream) throws -> [GeneratedLine] {
        let bytes = bytes(stream)
        let scanner = EventScanner()
        var lines: [GeneratedLine] = []
        try bytes.withUnsafeBufferPointer { buffer in
            var splitter = LineSplitter(buffer, endsInput: true)
            while let line = splitter.next() {
                guard case .event(let event) = scanner.scan(line) else {
                    throw NotAnEvent(line: String(decoding: line, as: UTF8.self))
                }
                lines.append(
                    GeneratedLine(
                        text: String(decoding: line, as: UTF8.self), kind: event.kind, source: event.source.string,
                        id: event.id.string, app: event.subject.string, timeMs: event.timeMicros / 1_000,
                        feature: event.feature.string, device: event.device.string, quantity: event.quantity))
                scanner.reset()
            }
        }
        try #require(lines.count == stream.count)
        return lines
    }

    private struct NotAnEvent: Error { let line: String }
}

/// A device, an item and a usage day.
struct DeviceItemDay: Hashable {
    let device: String
    let feature: String
    let day: Int64

    init(_ line: GeneratedLine) {
        device = line.device
        feature = line.feature
        day = (line.timeMs + 8 * 3_600_000) / 86_400_000
    }
}

/// Whether a part of a whole is as large as it should be.
func isAbout(_ part: Int, of whole: Int, _ share: Double, within tolerance: Double) -> Bool {
    abs(Double(part) / Double(whole) - share) <= tolerance
}
