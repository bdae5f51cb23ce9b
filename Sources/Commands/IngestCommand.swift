// meterd ingest: stores events from files and standard input.

import ArgumentParser
import EventCodec
import Forwarding
import Foundation
import Ingestion
import LedgerStore
import Operations
import Quantities
import Storage

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Store usage events: CloudEvents, one JSON object a line.",
        discussion: """
            Files may be gzipped; '-' is standard input. An event, which has one line in the file and not three as here:

              {"specversion":"1.0","type":"meterd.device_activity","source":"/sdk",
              "id":"1","time":"2027-01-10T12:00:00+08:00","subject":"shop",
              "data":{"feature":"basic_analysis","device":"b6f3f0a2"}}

            Feeding the same file again counts nothing twice: a device that is known already is accepted and counts no \
            more, a gateway call or usage event with the same source and id is a duplicate.

            Refused events do not stop the others: they are counted by code and wait in quarantine, identical ones once. \
            Lines that are no JSON object and events over 64 KiB are refused and not kept.
            """)

    @OptionGroup var options: ChangeOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("Files of events, or - for standard input.", valueName: "file"))
    var files: [String]

    func run() throws {
        let inputs = try files.map { try EventFile($0) }
        let ledger = try options.openForWriting()
        var summary = IngestSummary(progress: Progress(totalBytes: Self.totalBytes(inputs)))
        do {
            try ledger.prepareIngestion(clock: options.clock)
            var clock = options.clock
            for input in inputs {
                try FileIngestion(input: input, ledger: ledger).run(&clock, into: &summary)
            }
        } catch {
            summary.progress.end()
            let stored = summary.report.received
            guard stored > 0 else {
                // A batch whose sync failed may be there all the same.
                let isUnknown =
                    (error as? DaemonError)?.leavesOutcomeUnknown ?? (error as? StorageError)?.isFatal ?? false
                throw Failure(isUnknown ? "\(error)" : "\(error)\nnothing was stored")
            }
            throw Failure(
                "\(error)\nstored before it: \(counted(stored, "event")) (\(summary.outcomes)); "
                    + "the same command again counts none of them twice")
        }
        summary.print(output.format)
    }

    private static func totalBytes(_ inputs: [EventFile]) -> Int? {
        var total = 0
        for input in inputs {
            guard let size = input.size else { return nil }
            total += size
        }
        return total
    }
}

/// One input, batch by batch.
private struct FileIngestion {
    let input: EventFile
    let ledger: LedgerAccess

    /// - Parameter clock: the system's clock is confirmed for the first batch only: with it the instant is recorded, and an
    ///   input may go on for days.
    func run(_ clock: inout LedgerClock, into summary: inout IngestSummary) throws {
        let ahead = LineReader.ahead(of: input, key: ledger.key)
        let start = summary.bytesOfEarlierFiles
        while let chunk = try ahead.next() {
            let report = try ledger.ingest(chunk.lines.lazy.map(\.bytes), scanned: chunk.events, clock: clock)
            if clock.given == nil { clock.isConfirmed = false }
            summary.add(report) { "\(input.name), line \(chunk.lines[$0.index].number)" }
            summary.progress.show(events: summary.report.received, bytes: start + chunk.inputOffset)
            ahead.giveBack(chunk)
        }
        summary.bytesOfEarlierFiles += input.size ?? 0
    }
}

/// What came of all inputs, with a few refusals as examples.
struct IngestSummary {
    private(set) var report = BatchReport()
    private var examples: [String] = []
    var progress: Progress
    var bytesOfEarlierFiles = 0

    private static let maxExamples = 5

    init(progress: Progress) { self.progress = progress }

    /// - Parameter place: names a result's place in the input, for the examples.
    mutating func add(_ part: BatchReport, place: (EventResult) -> String) {
        report.add(part)
        for result in part.results where examples.count < Self.maxExamples {
            guard case .refused(let code, let reason) = result.outcome else { continue }
            examples.append("\(place(result)): \(code.rawValue): \(reason)")
        }
    }

    /// `3 accepted, 1 duplicate, 0 corrections, 2 refused`.
    var outcomes: String {
        "\(grouped(report.accepted)) accepted, \(counted(report.duplicates, "duplicate")), "
            + "\(counted(report.corrections, "correction")), \(grouped(report.refusedCount)) refused"
    }

    /// - Parameter also: further counts for programs.
    func print(_ format: OutputFormat, also: [(String, Int)] = []) {
        progress.end()
        let refused = report.refused.sorted { $0.key.rawValue < $1.key.rawValue }
        switch format {
        case .text:
            Terminal.print("\(counted(report.received, "event")): \(outcomes)")
            for (code, events) in refused { Terminal.print("  \(code.rawValue): \(grouped(events))") }
        case .json, .csv:
            let counts: [(String, Int)] =
                [
                    ("received", report.received), ("accepted", report.accepted), ("duplicates", report.duplicates),
                    ("corrections", report.corrections), ("refused", report.refusedCount),
                ] + also
            if format == .json {
                let codes = refused.map { "\"\($0.key.rawValue)\":\($0.value)" }.joined(separator: ",")
                let members = counts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
                Terminal.print("{\(members),\"refused_by_code\":{\(codes)}}")
            } else {
                Terminal.print(counts.map(\.0).joined(separator: ","))
                Terminal.print(counts.map { String($0.1) }.joined(separator: ","))
            }
        }
        for example in examples { Terminal.error(example) }
        if report.received > 0, report.refused[.malformed] == report.received {
            Terminal.error("no line was an event; is it NDJSON, one JSON object on each line?")
        }
        if report.refusedCount > examples.count {
            let more = counted(report.refusedCount - examples.count, "more refusal")
            Terminal.error("… \(more); see 'meterd quarantine list' for what was kept")
        }
    }
}
