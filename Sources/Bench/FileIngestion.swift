// `meterd ingest` of a file as one process, with the moment in it at which loading is over and the file begins.

import Foundation

/// A process that first stores a few events, for which it loads all that its memory holds, and then the file.
struct FileIngestion {
    let start: Sample
    /// Only the file.
    let rate: Sample
    /// From the start of the process to its end.
    let whole: Sample

    /// - Parameters:
    ///   - first: what makes the process load its memory: an event an app.
    ///   - file: it is the process's standard input, so that how far it has been read can be seen from here. A process
    ///     that reads ahead would have some of its loading counted with the file, never the other way round.
    init(_ bench: Bench, first: EventFiles.File, file: EventFiles.File, ledger: String, now: String) throws {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BenchFailure(system: file.path) }
        defer { close(descriptor) }
        let watch = Stopwatch()
        let program = try bench.begin(
            ["ingest", first.path, "-", "--format", "json", "--now", now], ledger: ledger,
            input: .descriptor(descriptor))
        while lseek(descriptor, 0, SEEK_CUR) == 0, program.isRunning, watch.seconds < Bench.commandSeconds {
            usleep(500)
        }
        let loaded = watch.seconds
        let process = try program.success(withinSeconds: Bench.commandSeconds)
        try IngestAnswer.check(program.output, events: first.events + file.events)
        program.removeFiles()
        start = Sample(seconds: loaded)
        var rate = Sample(count: file.events, process: process, ledger: ledger)
        rate.seconds = process.seconds - loaded
        self.rate = rate
        whole = Sample(count: file.events, seconds: process.seconds)
    }
}
