// The command line of the benchmark.

package import ArgumentParser
import Foundation

/// `meterd-bench`, behind `scripts/bench`.
package struct BenchCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "meterd-bench", abstract: "Measure meterd on this machine.",
        discussion: """
            Prints one table. Ratios are to R, rows stored by SQLite itself in the same run on the same disk. Workloads:

            \(WorkloadName.list)
            """)

    @Flag(help: "The large form, medians of three; up to 40 minutes and 40 GB.")
    var full = false

    @Option(help: ArgumentHelp("How often each workload is run; medians are printed.", valueName: "count"))
    var runs: Int?

    @Option(help: ArgumentHelp("How long the workload 'soak' takes (default: 10).", valueName: "count"))
    var minutes: Double?

    @Option(help: ArgumentHelp("Where its files go, made and removed again.", valueName: "folder"))
    var folder = ".build/bench"

    @Flag(help: "Print the names of the workloads and end.")
    var list = false

    @Option(help: ArgumentHelp("Where the built programs lie (default: beside this one).", valueName: "folder"))
    var programs: String?

    @Argument(help: ArgumentHelp("Workloads, all when none is named.", valueName: "workload"))
    var workloads: [String] = []

    package init() {}

    /// Runs the program.
    package static func start() { main() }

    package func validate() throws {
        if let runs, !(1...99).contains(runs) { throw ValidationError("--runs takes 1 to 99") }
        if let minutes, !(0.5...1_440).contains(minutes) { throw ValidationError("--minutes takes 0.5 to 1440") }
    }

    package func run() throws {
        guard !list else { return say(WorkloadName.list + "\n") }
        Remains.endOnSignals()
        defer { Remains.clearAway() }
        do {
            try measure()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Remains.waitIfEnding()
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            Remains.clearAway()
            throw ExitCode.failure
        }
    }

    private func measure() throws {
        let selection = try Selection(workloads)
        var scale = full ? Scale.full(runs: runs) : Scale.quick(runs: runs)
        if let minutes { scale.soakMinutes = minutes }
        let here = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path
        let programs = programs ?? here
        guard access(programs + "/meterd", X_OK) == 0 else {
            throw BenchFailure(
                "there is no program \(programs)/meterd; build it: swift build -c release --product meterd")
        }
        let folder = try makeFolder(scale)
        let machine = try Machine(folder: folder)
        say(machine.lines.joined(separator: "\n") + "\n\n")
        let watch = Stopwatch()
        let bench = Bench(folder: folder, programs: programs, scale: scale)
        try Course(bench: bench, selection: selection).run()
        bench.progress("done in \(Wording.time(seconds: watch.seconds))")
        say(bench.report.text)
        guard bench.report.failures.isEmpty else { throw ExitCode.failure }
    }

    private func say(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// A folder of its own in the one that is named, so that nothing else is ever removed.
    private func makeFolder(_ scale: Scale) throws -> String {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw BenchFailure("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        let free = Machine.freeBytes(in: folder)
        guard free >= scale.neededBytes else {
            throw BenchFailure(
                "\(folder) has \(Wording.bytes(free)) free, and this form needs \(Wording.bytes(scale.neededBytes)); "
                    + "name another folder with --folder")
        }
        let own = URL(filePath: folder).resolvingSymlinksInPath().path + "/run-\(getpid())"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
        Remains.add(folder: own)
        return own
    }
}
