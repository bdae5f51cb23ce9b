// Tells the operator of a file's log that grows, before it is so long that nothing is stored.

import Logging

/// Logs a warning at each further quarter of the bound, and a notice when the log is short again.
struct LogWatch {
    private var quarters = 0

    mutating func note(bytes: Int, of mostBytes: Int, _ logger: Logger) {
        let reached = bytes / (mostBytes / 4)
        guard reached != quarters else { return }
        if reached > quarters {
            logger.warning(
                """
                the write-ahead log grows: somebody has been reading the ledger for long; end it, or nothing more \
                is stored once the bound is reached
                """,
                metadata: ["bytes": "\(bytes)", "bound": "\(mostBytes)"])
            quarters = reached
        } else if reached == 0 {
            logger.notice("the write-ahead log is short again", metadata: ["bytes": "\(bytes)"])
            quarters = 0
        }
    }
}
