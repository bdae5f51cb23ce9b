// meterd replay: a history under the test clock, each midnight rated.

import ArgumentParser
import EventCodec
import Forwarding
import Foundation
import Ingestion
import LedgerStore
import Operations
import Quantities
import RatingRun
import Storage

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Replay a history of events under the test clock.",
        discussion: """
            Takes events in the order of their times, the clock following them, and rates at each local midnight, the one \
            after the last event too: a year in seconds. For a ledger made with 'init --test-clock'. The clock starts at \
            --now if it is given. The whole history is held in memory.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("Files of events, or - for standard input.", valueName: "file"))
    var files: [String]

    func run() throws {
        let inputs = try files.map { try EventFile($0) }
        let ledger = try options.openForWriting()
        let (properties, state) = try options.openForReading().read { database in
            (try LedgerProperties.read(database), try LedgerState.read(database))
        }
        guard properties.hasTestClock else {
            throw Failure("replay is for a ledger made with 'init --test-clock'; use 'meterd ingest' for this one")
        }
        let history = try EventHistory(inputs)
        guard history.count == 0 || history.firstTime != nil else {
            throw Failure("the history has no event with a time; is it one CloudEvent a line?")
        }
        if let start = options.now ?? state.latestInstant, let first = history.firstTime, first < start {
            let what = options.now == nil ? "the latest instant that the ledger has recorded" : "the --now given"
            throw Failure(
                "the history begins at \(first), before \(start), \(what); "
                    + "replay what comes after it, or into a new ledger")
        }
        var replay = Replay(
            ledger: ledger, zone: properties.timeZone, history: history, start: options.now ?? state.latestInstant)
        try replay.run()
        replay.summary.print(output.format, also: [("midnights", replay.midnights), ("entries", replay.entries)])
        if output.format == .text { Terminal.print(replay.ratings) }
    }
}

/// Every line of the inputs in memory, and the order of their times.
struct EventHistory {
    private let bytes: [UInt8]
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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(inputs.reduce(0) { $0 + ($1.size ?? 0) } + inputs.count)
        for input in inputs {
            let start = bytes.count
            try input.read { part, _ in bytes.append(contentsOf: part) }
            let mark = LineSplitter.byteOrderMark
            if bytes[start...].starts(with: mark) {
                bytes.replaceSubrange(start..<start + mark.count, with: mark.map { _ in UInt8(ascii: " ") })
            }
            if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        }
        var entries: [Entry] = []
        let scanner = EventScanner()
        // What can't be read as an event is refused where it stands: at the time of the event before it.
        let unknown = Instant(micros: Int64.min)
        var time = unknown
        bytes.withUnsafeBufferPointer { buffer in
            var splitter = LineSplitter(buffer, endsInput: true)
            while let line = splitter.next() {
                if case .event(let event) = scanner.scan(line) { time = Instant(micros: event.timeMicros) }
                scanner.reset()
                guard let address = line.baseAddress, let base = buffer.baseAddress else { continue }
                entries.append(
                    Entry(time: time, start: address - base, count: line.count, line: splitter.lineNumber))
            }
        }
        // Before the first event there is none before it: such lines stand at the first one's time.
        firstTime = entries.map(\.time).filter { $0 != unknown }.min()
        if let first = entries.first(where: { $0.time != unknown })?.time {
            for index in entries.indices {
                guard entries[index].time == unknown else { break }
                entries[index].time = first
            }
        }
        self.bytes = bytes
        // Of equal times the one that stands first in the inputs is first.
        entries.sort { ($0.time, $0.start) < ($1.time, $1.start) }
        self.entries = entries
    }

    var count: Int { entries.count }
    func time(at index: Int) -> Instant { entries[index].time }
    func byteCount(at index: Int) -> Int { entries[index].count }

    /// Hands over the events of a range where they lie.
    func withLines<Value>(
        _ range: Range<Int>, _ body: ([UnsafeBufferPointer<UInt8>], _ lineNumbers: [Int]) throws -> Value
    ) rethrows -> Value {
        try bytes.withUnsafeBufferPointer { buffer in
            let lines = entries[range].map { entry in
                UnsafeBufferPointer(rebasing: buffer[entry.start..<entry.start + entry.count])
            }
            return try body(lines, entries[range].map(\.line))
        }
    }
}

/// The clock's way through a history: a day's events in batches, then its midnight.
private struct Replay {
    private let ledger: LedgerAccess
    private let zone: TimeZone
    private let history: EventHistory
    private var today: Day?
    private(set) var summary = IngestSummary(progress: Progress(totalBytes: nil))
    private(set) var midnights = 0
    /// Ledger entries that the ratings appended.
    private(set) var entries = 0
    private var settledThrough: Day?

    private static let batchEvents = 10_000

    init(ledger: LedgerAccess, zone: TimeZone, history: EventHistory, start: Instant?) {
        self.ledger = ledger
        self.zone = zone
        self.history = history
        // A ledger that has seen time before owes the midnights since.
        today = start.map { LedgerDays.date(of: $0, in: zone) }
    }

    mutating func run() throws {
        var start = 0
        while start < history.count {
            let day = LedgerDays.date(of: history.time(at: start), in: zone)
            try rateMidnights(before: day)
            let dayEnd = LedgerDays.nextChange(after: history.time(at: start), in: zone)
            var end = start
            var bytes = 0
            while end < history.count, end - start < Self.batchEvents, bytes < LineReader.chunkBytes,
                history.time(at: end) < dayEnd
            {
                bytes += history.byteCount(at: end)
                end += 1
            }
            // The day is the same for all of them, so they may arrive together, with the last one.
            let clock = LedgerClock(given: history.time(at: end - 1))
            try history.withLines(start..<end) { lines, lineNumbers in
                summary.add(try ledger.ingest(lines.lazy.map(Optional.some), clock: clock)) {
                    "line \(lineNumbers[$0.index])"
                }
            }
            summary.progress.show("\(day): \(counted(summary.report.received, "event"))")
            start = end
        }
        guard history.count > 0, let today else { return }
        // The date after the last event's may be one that the zone skips.
        let next = LedgerDays.segments(of: today + 1...today + 3, in: zone).first
        if let next { try rateMidnights(before: next.day) }
    }

    /// Rates at each midnight up to the one at which a day begins.
    private mutating func rateMidnights(before day: Day) throws {
        guard let from = today else {
            today = day
            return
        }
        guard day > from else { return }
        for segment in LedgerDays.segments(of: from + 1...day, in: zone) {
            // A clock that is set back comes to a date again; the date began once.
            guard segment.day > from else { continue }
            let report = try ledger.perform(RateDay(segment.day - 1), clock: LedgerClock(given: segment.start))
            midnights += 1
            entries += report.appended.count
            settledThrough = report.settled.last ?? settledThrough
        }
        today = day
    }

    var ratings: String {
        let settled = settledThrough.map { ", settled through \($0)" } ?? ""
        return "\(counted(midnights, "midnight")) rated: "
            + "\(counted(entries, "ledger entry", plural: "ledger entries"))\(settled)"
    }
}
