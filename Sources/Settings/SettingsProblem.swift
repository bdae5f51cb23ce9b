// What is wrong in the configuration, told so that the reader of the message finds the place and the way out.

/// One mistake of the file or of the environment.
package struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    /// `/etc/meterd/meterd.yaml:3:9: listen`, `METERD_LISTEN`, or the file alone if the whole of it is wrong.
    package let place: String
    /// What is wrong with which value, and what to write instead.
    package let message: String

    package init(_ place: String, _ message: String) {
        self.place = place
        self.message = message
    }

    /// `/etc/meterd/meterd.yaml:3:9: listen: …`
    package var description: String { "\(place): \(message)" }
}

/// Why the daemon can't be set up so: every problem that could be found, at least one; those of the file first.
package struct SettingsProblems: Error, Hashable, CustomStringConvertible {
    package let problems: [SettingsProblem]

    /// One problem per line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
