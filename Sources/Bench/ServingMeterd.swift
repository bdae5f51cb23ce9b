// The daemon that is measured: started, waited for until it serves, stopped.

import Foundation

/// `meterd serve` on a free port of this machine.
final class ServingMeterd {
    let program: Program
    private(set) var port = 0
    /// From the start of the process until it listened.
    private(set) var secondsToReady = 0.0

    private static let startSeconds = 600.0
    private static let stopSeconds = 120.0

    /// - Parameter now: at what time the clock of the ledger stands; nil leaves it where it was.
    init(_ bench: Bench, ledger: String, now: String?, environment: [String: String] = [:]) throws {
        let watch = Stopwatch()
        program = try bench.begin(
            ["serve", "--listen", "127.0.0.1:0"] + (now.map { ["--now", $0] } ?? []), ledger: ledger,
            environment: environment)
        while port == 0 {
            let isRunning = program.isRunning
            if let port = Self.port(in: program.errors) {
                self.port = port
                secondsToReady = watch.seconds
                return
            }
            guard isRunning else { throw BenchFailure("meterd serve ended before it served\(program.lastWords)") }
            guard watch.seconds < Self.startSeconds else {
                throw BenchFailure("meterd serve did not serve within \(Int(Self.startSeconds)) s\(program.lastWords)")
            }
            usleep(1_000)
        }
    }

    private static func port(in log: String) -> Int? {
        guard let place = log.range(of: " address=127.0.0.1:"), log[place.upperBound...].contains("\n") else {
            return nil
        }
        return Int(log[place.upperBound...].prefix { $0.isNumber })
    }

    func stop() throws {
        program.send(signal: SIGTERM)
        try program.success(withinSeconds: Self.stopSeconds)
        program.removeFiles()
    }
}
