// The lines of a workload, a bufferful at a time.

import Quantities

/// The events of one workload on one day, in the order in which they arrive, each a line of JSON of 200 to 280 bytes.
package struct EventStream: Sendable {
    enum Plan: Sendable {
        case day(DayOfUse)
        case newDevices(NewDevices)
        case calls(SingleCalls)
    }

    /// How many events the whole stream has.
    package let count: Int
    /// How many have been written.
    package private(set) var written = 0
    private let plan: Plan
    private let texts: LineTexts
    private let rhythm: Rhythm
    private let jitterKey: UInt64
    private let offsetMs: Int64
    private var date = WrittenDate()

    /// A buffer must have room for so many bytes, or no line is written into it.
    package static let maxLineBytes = LineTexts.maxLineBytes

    init(_ plan: Plan, on local: LocalDay, of workload: Workload) {
        self.plan = plan
        let planned =
            switch plan {
            case .day(let plan): plan.count
            case .newDevices(let plan): plan.count
            case .calls(let plan): plan.count
            }
        // A day that the zone skips has no time for anything.
        count = local.end > local.start ? max(0, planned) : 0
        texts = LineTexts(offsetMinutes: local.offsetMinutes, apps: workload.shape.apps)
        rhythm = Rhythm(count: planned, on: local)
        jitterKey = subkey(subkey(workload.key, 6), local.day.number)
        offsetMs = Int64(local.offsetMinutes) * 60_000
    }

    /// Writes the next lines, whole ones only.
    ///
    /// - Parameters:
    ///   - buffer: written from its beginning, until there is less room than ``maxLineBytes``.
    ///   - maxEvents: at most so many.
    /// - Returns: bytes and events written; no events when there are no more.
    package mutating func write(
        into buffer: UnsafeMutableBufferPointer<UInt8>, maxEvents: Int = .max
    ) -> (bytes: Int, events: Int) {
        switch plan {
        case .day(let plan): write(plan, into: buffer, maxEvents)
        case .newDevices(let plan): write(plan, into: buffer, maxEvents)
        case .calls(let plan): write(plan, into: buffer, maxEvents)
        }
    }

    @inline(__always)
    private mutating func write(
        _ plan: some EventPlan, into buffer: UnsafeMutableBufferPointer<UInt8>, _ maxEvents: Int
    ) -> (bytes: Int, events: Int) {
        let first = written
        let end = first + min(maxEvents, count - first)
        let texts = texts
        let bytes = texts.bytes.withUnsafeBufferPointer { shared -> Int in
            guard let start = buffer.baseAddress, let shared = shared.baseAddress else { return 0 }
            var pen = Pen(at: start, texts: shared)
            while written < end, buffer.count - (pen.at - start) >= Self.maxLineBytes {
                let place = plan.origin(of: written)
                write(plan[place], at: place, texts, with: &pen)
                written += 1
            }
            return pen.at - start
        }
        return (bytes, written - first)
    }

    /// Appends the next lines, whole ones only.
    ///
    /// - Parameters:
    ///   - maxBytes: at most so many, and no line unless it has room for ``maxLineBytes``.
    ///   - maxEvents: at most so many.
    /// - Returns: how many events; 0 when there are no more.
    @discardableResult
    package mutating func append(to bytes: inout [UInt8], maxBytes: Int, maxEvents: Int = .max) -> Int {
        let scratchBytes = min(maxBytes, 1 << 16)
        var (left, events) = (maxBytes, 0)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(0, scratchBytes)) { scratch in
            while left >= Self.maxLineBytes, events < maxEvents {
                let room = UnsafeMutableBufferPointer(rebasing: scratch[..<min(left, scratchBytes)])
                let part = write(into: room, maxEvents: maxEvents - events)
                guard part.events > 0 else { return }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: room[..<part.bytes]))
                left -= part.bytes
                events += part.events
            }
        }
        return events
    }

    @inline(__always)
    private mutating func write(_ event: PlannedEvent, at place: Int, _ texts: LineTexts, with pen: inout Pen) {
        let jitter = mixed(jitterKey &+ UInt64(place) &* Chance.step)
        let time = rhythm.arrivalMs(of: place, jitter: jitter.high) - event.delayMs
        switch event.use {
        case .activity(let feature, let device):
            pen.write(texts.activities[Int(device & 1)])
            pen.write(hex: event.id, digits: 16)
            writeTime(time, texts, with: &pen)
            pen.write(texts.apps[event.app])
            pen.write(texts.features[feature])
            pen.write(uuid: device, mixed(device &+ Chance.step))
            pen.write(texts.end)
        case .calls(let calls):
            pen.write(texts.calls[Int(event.id & 3)])
            pen.write(uuid: event.id, mixed(event.id &+ Chance.step))
            writeTime(time, texts, with: &pen)
            pen.write(texts.apps[event.app])
            pen.write(texts.beforeCalls)
            pen.write(calls, digits: calls < 10 ? 1 : calls < 100 ? 2 : 3)
            pen.write(texts.apis[Int(event.id >> 2 & 3)])
        }
    }

    @inline(__always)
    private mutating func writeTime(_ ms: Int64, _ texts: LineTexts, with pen: inout Pen) {
        pen.write(texts.beforeTime)
        date.write(localMs: ms + offsetMs, with: &pen)
    }
}

/// `2027-01-10T12:00:00.123`; the date is kept until another one comes.
private struct WrittenDate: Sendable {
    private var day = Int.min
    private var year = 0
    private var month = 0
    private var dayOfMonth = 0

    private static let msPerDay: Int64 = 86_400_000

    @inline(__always)
    mutating func write(localMs: Int64, with pen: inout Pen) {
        let number = Int(localMs >= 0 ? localMs / Self.msPerDay : (localMs - Self.msPerDay + 1) / Self.msPerDay)
        if number != day {
            day = number
            (year, month, dayOfMonth) = Day(number).civil
        }
        let ms = Int(localMs - Int64(number) * Self.msPerDay)
        pen.write(year, digits: 4)
        pen.write(UInt8(ascii: "-"))
        pen.write(month, digits: 2)
        pen.write(UInt8(ascii: "-"))
        pen.write(dayOfMonth, digits: 2)
        pen.write(UInt8(ascii: "T"))
        pen.write(ms / 3_600_000, digits: 2)
        pen.write(UInt8(ascii: ":"))
        pen.write(ms / 60_000 % 60, digits: 2)
        pen.write(UInt8(ascii: ":"))
        pen.write(ms / 1_000 % 60, digits: 2)
        pen.write(UInt8(ascii: "."))
        pen.write(ms % 1_000, digits: 3)
    }
}
