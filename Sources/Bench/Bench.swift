// What all workloads share: where files lie, which programs are measured, how large everything is.

import Foundation

/// One benchmark, from its folder to its report.
final class Bench {
    let folder: String
    let scale: Scale
    let report = Report()
    /// Where the built programs lie.
    private let programs: String
    private var started = 0
    private let watch = Stopwatch()

    /// Nothing takes longer than this without something being wrong.
    static let commandSeconds = 900.0

    init(folder: String, programs: String, scale: Scale) {
        self.folder = folder
        self.programs = programs
        self.scale = scale
    }

    func path(_ name: String) -> String { folder + "/" + name }

    func program(_ name: String) -> String { programs + "/" + name }

    /// Files for the output of the next program.
    func scratch(_ name: String) -> String {
        started += 1
        return path("\(name)-\(started)")
    }

    /// Says what is being done: a full benchmark takes a while.
    func progress(_ text: String) {
        FileHandle.standardError.write(Data("bench: \(Int(watch.seconds)) s: \(text)\n".utf8))
    }

    /// Whether another workload may begin; notes that it is left out when the time of the form is over.
    func isInTime(for workload: String) -> Bool {
        if watch.seconds < scale.maxSeconds { return true }
        progress("no time left for \(workload)")
        report.note("not measured, since \(Int(scale.maxSeconds / 60)) minutes were over: \(workload)")
        return false
    }

    // MARK: meterd

    /// Starts `meterd` on a ledger.
    func begin(
        _ arguments: [String], ledger: String, environment: [String: String] = [:], input: Program.Input = .nothing
    ) throws -> Program {
        // A file without settings: one of the machine's must not matter.
        let settings = path("meterd.yaml")
        if !FileManager.default.fileExists(atPath: settings) {
            try "log_level: info\n".write(toFile: settings, atomically: false, encoding: .utf8)
        }
        let own = ["METERD_DB": ledger, "METERD_CONFIG": settings, "METERD_RATE_AT": "off"]
        return try Program(
            program("meterd"), arguments, environment: own.merging(environment) { $1 }, input: input,
            scratch: scratch(arguments[0]))
    }

    /// Runs `meterd` to its end, which must be a good one.
    @discardableResult
    func run(_ arguments: [String], ledger: String) throws -> (ProcessMeasure, output: String) {
        let program = try begin(arguments, ledger: ledger)
        let measure = try program.success(withinSeconds: Self.commandSeconds)
        defer { program.removeFiles() }
        return (measure, program.output)
    }

    /// Runs `meterd ingest` on events that are made while it reads them.
    ///
    /// - Throws: also when an event is refused, or another number of events was read.
    func ingest(_ events: inout some EventLines, ledger: String, now: String) throws {
        let pipe = try EventPipe()
        let program = try begin(
            ["ingest", "-", "--format", "json", "--now", now], ledger: ledger, input: .descriptor(pipe.readEnd))
        let count = try pipe.feed(&events)
        try program.success(withinSeconds: Self.commandSeconds)
        try IngestAnswer.check(program.output, events: count)
        program.removeFiles()
    }
}

/// What `meterd ingest --format json` prints.
struct IngestAnswer: Decodable {
    let received: Int
    let refused: Int

    static func check(_ output: String, events: Int) throws {
        let answer = try JSONDecoder().decode(IngestAnswer.self, from: Data(output.utf8))
        guard answer.received == events, answer.refused == 0 else {
            throw BenchFailure("of \(events) events \(answer.received) were read and \(answer.refused) refused")
        }
    }
}
