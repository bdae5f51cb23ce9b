// What the system lets this process have: open files, for which connections wait, and memory, without which it ends.

import Foundation
import Logging

enum ProcessLimits {
    /// What the daemon needs beside connections: its files, its event loops, lines to commands.
    private static let own = 64

    /// Says so where memory is limited: where it is refused there is no going on, and no word either.
    static func tellOfMemory(_ logger: Logger) {
        for (resource, option) in [(RLIMIT_AS, "-v"), (RLIMIT_DATA, "-d")] {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur != .max else {
                continue
            }
            logger.warning(
                """
                memory is limited (ulimit \(option)): should it run out, the daemon ends at once; what it has \
                acknowledged is stored, start it again with more
                """, metadata: ["limit": "\(limit.rlim_cur)"])
        }
    }

    /// Raises this process's limit of open files as far as it may be raised.
    ///
    /// - Returns: how many connections there is room for, at most those that are wanted.
    static func makeRoom(forConnections wanted: Int, _ logger: Logger) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // Where even this question is forbidden, as by the service's unit, whoever forbids it has set the limit.
        guard getrlimit(resource, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + own)
        if limit.rlim_cur < needed {
            var raised = limit
            raised.rlim_cur = min(needed, limit.rlim_max)
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        guard limit.rlim_cur < needed else { return wanted }
        let room = max(1, Int(limit.rlim_cur) - own)
        logger.warning(
            """
            the limit of open files (ulimit -n) leaves no room for max_connections; who comes beyond what it has room \
            for waits until another connection ends
            """,
            metadata: ["limit": "\(limit.rlim_cur)", "max_connections": "\(wanted)", "room_for": "\(room)"])
        return room
    }
}
