// How the daemon is set up: typed values with their defaults, out of a file and the environment over it.

/// The daemon's configuration. The table in `Setting` says what each value means and what it may be.
package struct Settings: Hashable, Sendable {
    /// The path of the ledger's file.
    package var database = "meterd.db"
    package var listen = ListenAddress.tcp(host: "127.0.0.1", port: 8620)
    /// Whether a proxy in front does TLS and access control.
    package var behindProxy = false
    /// When the day before is rated, in the ledger's time zone; nil if something else rates.
    package var rateAt: TimeOfDay? = TimeOfDay(hour: 0, minute: 10)
    /// Of a request as it is sent.
    package var maxBodyBytes = 16 << 20
    /// Of a gzipped body, once expanded.
    package var maxExpandedBytes = 64 << 20
    /// Of the events in memory, and of answers that are not yet read.
    package var maxQueueBytes = 128 << 20
    /// Of the requests whose events wait for the writer.
    package var maxQueueRequests = 4096
    package var maxConnections = 1024
    /// Of the log beside the ledger's file.
    package var maxWALBytes = 1 << 30
    package var requestTimeoutSeconds = 30
    package var logLevel = LogLevel.info

    /// The defaults.
    package init() {}

    /// Where the file is looked for if nobody says where it is.
    package static let standardFile = "/etc/meterd/meterd.yaml"

    /// The defaults, over them the file, over that the environment, over that a command line's options. An empty
    /// variable is as good as none.
    ///
    /// - Parameters:
    ///   - file: The path of the file; nil takes the one that `METERD_CONFIG` names, else the standard file if there is
    ///     one, else none.
    ///   - environment: `METERD_DB` for `database`, and for every other key `METERD_` and the key in capitals.
    ///     Variables that are no setting are left alone, unless they are one mistyped.
    ///   - options: The option that was given for a key, as `--listen`, and its text.
    /// - Throws: ``SettingsProblems`` with all that is wrong in the file and in the environment.
    package static func load(
        file: String?, environment: [String: String], options: [String: (name: String, text: String)] = [:],
        standardFile: String = Settings.standardFile
    ) throws(SettingsProblems) -> Settings {
        var reader = SettingsReader()
        if let file {
            reader.readFile(file)
        } else if let file = environment["METERD_CONFIG"], !file.isEmpty {
            reader.readFile(file, namedBy: "METERD_CONFIG")
        } else {
            reader.readFile(standardFile, mayBeAbsent: true)
        }
        reader.readVariables(environment)
        reader.readOptions(options)
        reader.checkAddress()
        guard reader.problems.isEmpty else { throw SettingsProblems(problems: reader.problems) }
        return reader.settings
    }
}

/// A time on the clock of the ledger's time zone.
package struct TimeOfDay: Hashable, Sendable, CustomStringConvertible {
    package let hour: Int
    package let minute: Int

    package init(hour: Int, minute: Int) {
        precondition((0...23).contains(hour) && (0...59).contains(minute))
        self.hour = hour
        self.minute = minute
    }

    /// `HH:MM`, from 00:00 to 23:59.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
            bytes.enumerated().allSatisfy({ $0.offset == 2 || (48...57).contains($0.element) })
        else { return nil }
        let digits = bytes.map { Int($0) - 48 }
        let (hour, minute) = (digits[0] * 10 + digits[1], digits[3] * 10 + digits[4])
        guard hour <= 23, minute <= 59 else { return nil }
        self.init(hour: hour, minute: minute)
    }

    /// `00:10`.
    package var description: String { "\(hour / 10)\(hour % 10):\(minute / 10)\(minute % 10)" }
}

/// From the most to the least talkative.
package enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}
