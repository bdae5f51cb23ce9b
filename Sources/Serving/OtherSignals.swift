// The signals that other daemons take as a request to reload, or to open their logs again. Unless a process handles them,
// they end it without a word.

import Foundation
import Logging

/// Where the handler of signals writes to: a handler may do little else.
nonisolated(unsafe) private var pipeOfSignals: Int32 = -1

enum OtherSignals {
    private static let names = [SIGHUP: "SIGHUP", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2"]

    /// Logs each of these signals from now on, and does nothing else about them.
    static func tell(_ logger: Logger) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler never waits: what does not fit is passed over.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        pipeOfSignals = ends[1]
        for number in names.keys {
            signal(number) { number in
                let error = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(pipeOfSignals, &byte, 1)
                errno = error
            }
        }
        let thread = Thread { [end = ends[0]] in
            var byte: UInt8 = 0
            while true {
                let count = read(end, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { return }
                logger.notice(
                    "nothing to reload; restart the daemon to have its settings read again",
                    metadata: ["signal": "\(names[Int32(byte)] ?? "\(byte)")"])
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
