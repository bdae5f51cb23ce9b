// meterd replay: a history under the test clock, each midnight rated.

import ArgumentParser
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
            Takes events in the order of their times, sets the clock to each of them, and rates at each local midnight, \
            also at the one after the last event: a year takes seconds. It needs a ledger made with 'init --test-clock'. \
            The clock starts at --now if that is given. The whole history is held in memory.
            """)

    @OptionGroup var options: LedgerOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("Files of events, or - for standard input.", valueName: "file"))
    var files: [String]

    func run() throws {
        let inputs = try files.map { try EventFile($0) }
        let properties = try options.openForReading().read { try LedgerProperties.read($0) }
        guard properties.hasTestClock else {
            throw Failure("replay is for a ledger made with 'init --test-clock'; use 'meterd ingest' for this one")
        }
        // The ledger is opened for writing only after the whole history has come, which others need not wait for.
        let history = try EventHistory(inputs)
        guard history.isEmpty || history.firstTime != nil else {
            throw Failure("the history has no event with a time; is it one CloudEvent a line?")
        }
        let ledger = try options.openForWriting()
        let state = try options.openForReading().read { try LedgerState.read($0) }
        if let start = options.now ?? state.latestInstant, let first = history.firstTime, first < start {
            let what = options.now == nil ? "the latest instant that the ledger has recorded" : "the --now given"
            throw Failure(
                "the history begins at \(first), before \(start), \(what); "
                    + "replay what comes after it, or into a new ledger")
        }
        var replay = Replay(
            ledger: ledger, zone: properties.timeZone, history: history, start: options.now ?? state.latestInstant)
        try replay.run()
        replay.summary.print(output, also: [("midnights", replay.midnights), ("entries", replay.entries)])
        if output.format == .text { Terminal.print(replay.ratings) }
        try RateCommand.fail(unrated: replay.unrated)
        try replay.summary.failIfAllRefused()
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
    /// As of the last midnight.
    private(set) var unrated: [UnratedTenant] = []

    init(ledger: LedgerAccess, zone: TimeZone, history: EventHistory, start: Instant?) {
        self.ledger = ledger
        self.zone = zone
        self.history = history
        // A ledger that has seen time before owes the midnights since.
        today = start.map { LedgerDays.date(of: $0, in: zone) }
    }

    mutating func run() throws {
        let ahead = history.batches(in: zone, key: ledger.key)
        while let batch = try ahead.next() {
            // The day is the same for all of them, so they may arrive together, with the last one.
            let day = LedgerDays.date(of: batch.lastTime, in: zone)
            try rateMidnights(before: day)
            let report = try ledger.ingest(
                batch.lines.lazy.map(\.bytes), scanned: batch.events, clock: Self.clock(at: batch.lastTime))
            summary.add(report) { "line \(batch.lines[$0.index].number)" }
            summary.progress.show("\(day): \(counted(summary.report.received, "event"))")
            ahead.giveBack(batch)
        }
        guard !history.isEmpty, let today else { return }
        // The date after the last event's may be one that the zone skips.
        let next = LedgerDays.segments(of: today + 1...today + 3, in: zone).first
        if let next { try rateMidnights(before: next.day) }
    }

    /// A history may have gaps of years: nobody is asked about each.
    private static func clock(at instant: Instant) -> LedgerClock { LedgerClock(given: instant, isConfirmed: true) }

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
            let report = try ledger.perform(RateDay(segment.day - 1), clock: Self.clock(at: segment.start))
            midnights += 1
            entries += report.appended.count
            settledThrough = report.settled.last ?? settledThrough
            unrated = report.unrated
        }
        today = day
    }

    var ratings: String {
        let settled = settledThrough.map { ", settled through \($0)" } ?? ""
        return "\(counted(midnights, "midnight")) rated: "
            + "\(counted(entries, "ledger entry", plural: "ledger entries"))\(settled)"
    }
}
