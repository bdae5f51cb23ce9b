// How long tests wait for what must happen. A new user's laptop may be busy with twenty other things.

/// The one limit of tests that wait: it only says that a test ends when what it waits for never comes. A test that wants to
/// know how fast something is compares it with a time that it has measured in the same run.
package enum Patience {
    package static let wholeSeconds = 600
    package static let seconds = Double(wholeSeconds)
    package static let milliseconds = wholeSeconds * 1_000
    package static let duration = Duration.seconds(wholeSeconds)
}
