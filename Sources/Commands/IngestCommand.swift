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
            Lines that are no JSON object and events over 64 KiB are refused and not kept. The exit status is 1 when every \
            event was refused.

            From a pipe, each event is stored within a second of its arrival, and other commands may write the ledger while \
            the input is silent.
            """)

    @OptionGroup var options: ChangeOptions
    @OptionGroup var output: FormatOptions

    @Argument(help: ArgumentHelp("Files of events, or - for standard input.", valueName: "file"))
    var files: [String]

    func run() throws {
        let inputs = try files.map { try EventFile($0) }
        let ledger = try LedgerTurns(options)
        var summary = IngestSummary(progress: Progress(totalBytes: Self.totalBytes(inputs)))
        do {
            for input in inputs { try FileIngestion(input: input, ledger: ledger).run(into: &summary) }
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
        summary.print(output)
        try summary.failIfAllRefused()
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
    let ledger: LedgerTurns

    /// How long the ledger is kept from others for a batch that may come at once: to open it again takes as long.
    private static let linger = Duration.milliseconds(250)

    func run(into summary: inout IngestSummary) throws {
        let ahead = LineReader.ahead(of: input, key: ledger.key)
        let start = summary.bytesOfEarlierFiles
        while let chunk = try next(of: ahead) {
            let report = try ledger.ingest(chunk)
            summary.noteFirstLine(chunk)
            summary.add(report) { "\(input.name), line \(chunk.lines[$0.index].number)" }
            summary.progress.show(events: summary.report.received, bytes: start + chunk.inputOffset)
            ahead.giveBack(chunk)
        }
        summary.bytesOfEarlierFiles += input.size ?? 0
    }

    /// Others may write the ledger while an input makes this wait.
    private func next(of ahead: WorkAhead<LineChunk>) throws -> LineChunk? {
        if input.isLive, !ahead.isReady(within: Self.linger) { try ledger.end() }
        return try ahead.next()
    }
}

/// What came of all inputs, with a few refusals as examples.
struct IngestSummary {
    private(set) var report = BatchReport()
    private var examples: [String] = []
    /// What the first line of all looks like, if it is not like an event.
    private var shape: String?
    private var hasFirstLine = false
    var progress: Progress
    var bytesOfEarlierFiles = 0

    private static let maxExamples = 5

    init(progress: Progress) { self.progress = progress }

    /// - Parameter place: names a result's place in the input, for the examples.
    mutating func add(_ part: BatchReport, place: (EventResult) -> String) {
        report.add(part)
        for result in part.results where examples.count < Self.maxExamples {
            guard case .refused(let code, let reason) = result.outcome else { continue }
            examples.append("\(place(result)): \(code.rawValue): \(reason)".fitToShow)
        }
    }

    /// - Parameter batch: the next of an input.
    mutating func noteFirstLine(_ batch: LineBatch) {
        guard !hasFirstLine, let line = batch.lines.first else { return }
        hasFirstLine = true
        shape = line.bytes.flatMap { InputShape.hint(firstLine: $0) }
    }

    /// - Throws: when there were events and all of them were refused; the summary has said so.
    func failIfAllRefused() throws {
        if report.received > 0, report.refusedCount == report.received { throw ExitCode.failure }
    }

    /// `3 accepted, 1 duplicate, 0 corrections, 2 refused`.
    var outcomes: String {
        "\(grouped(report.accepted)) accepted, \(counted(report.duplicates, "duplicate")), "
            + "\(counted(report.corrections, "correction")), \(grouped(report.refusedCount)) refused"
    }

    /// - Parameter also: further counts for programs.
    func print(_ output: FormatOptions, also: [(String, Int)] = []) {
        progress.end()
        let refused = report.refused.sorted { $0.key.rawValue < $1.key.rawValue }
        switch output.format {
        case .text:
            Terminal.print("\(counted(report.received, "event")): \(outcomes)")
            for (code, events) in refused { Terminal.print("  \(code.rawValue): \(grouped(events))") }
            if report.notKept > 0 {
                Terminal.print(
                    "  not kept in quarantine: \(grouped(report.notKept)) (it is full, or they are over 64 KiB)")
            }
        case .json, .csv:
            let counts: [(String, Int)] =
                [
                    ("received", report.received), ("accepted", report.accepted), ("duplicates", report.duplicates),
                    ("corrections", report.corrections), ("refused", report.refusedCount),
                    ("not_kept", report.notKept),
                ] + also
            if output.format == .json {
                let codes = refused.map { "\"\($0.key.rawValue)\":\(output.numbers.json($0.value))" }.joined(
                    separator: ",")
                let members = counts.map { "\"\($0.0)\":\(output.numbers.json($0.1))" }.joined(separator: ",")
                Terminal.print("{\(members),\"refused_by_code\":{\(codes)}}")
            } else {
                Terminal.print(counts.map(\.0).joined(separator: ","))
                Terminal.print(counts.map { String($0.1) }.joined(separator: ","))
            }
        }
        for example in examples { Terminal.error(example) }
        if report.received > 0, report.unreadable == report.received {
            Terminal.error(
                "no line was a JSON object: meterd reads NDJSON, one event on each line"
                    + (shape.map { "; \($0)" } ?? ""))
        }
        if report.refusedCount > examples.count {
            let more = counted(report.refusedCount - examples.count, "more refusal")
            Terminal.error("… \(more); see 'meterd quarantine list' for what was kept")
        }
    }
}
