// The format of a transcript: a story in comments, commands, and what each command printed.
//
//     # A comment, or an empty line: part of the story.
//     $ a command
//     > its next lines, for a here-document
//     what it printed on standard output
//     ! what it printed on standard error
//     ? its exit status, when that is not 0
//
// A line of output that is empty or begins with one of the marks has a backslash before it.

struct Transcript {
    enum Part: Equatable {
        case story(String)
        case command(String)
    }

    /// The story and the commands; what was printed is not among them.
    private(set) var parts: [Part] = []
    let text: String

    private static let marks: Set<Character> = ["#", "$", ">", "!", "?", "\\"]

    init(_ text: String) {
        self.text = text
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
        {
            if line.isEmpty || line.hasPrefix("#") {
                parts.append(.story(String(line)))
            } else if line.hasPrefix("$ ") {
                parts.append(.command(String(line.dropFirst(2))))
            } else if line == ">" || line.hasPrefix("> "), case .command(let command)? = parts.last {
                parts[parts.count - 1] = .command(command + "\n" + line.dropFirst(2))
            }
        }
    }

    /// The text of this transcript if its commands print what `run` says they do.
    func replayed(_ run: (String) throws -> CommandOutcome) rethrows -> String {
        var lines: [String] = []
        for part in parts {
            switch part {
            case .story(let line): lines.append(line)
            case .command(let command):
                let commandLines = command.split(separator: "\n", omittingEmptySubsequences: false)
                lines.append("$ \(commandLines[0])")
                lines += commandLines.dropFirst().map { $0.isEmpty ? ">" : "> \($0)" }
                lines += try Self.lines(of: run(command))
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func lines(of outcome: CommandOutcome) -> [String] {
        var lines = printed(outcome.output).map { line in
            guard let first = line.first else { return "\\" }
            return marks.contains(first) ? "\\" + line : line
        }
        lines += printed(outcome.errors).map { $0.isEmpty ? "!" : "! \($0)" }
        switch outcome.end {
        case .exited(0): break
        case .exited(let status): lines.append("? \(status)")
        case .killed(let signal): lines.append("? killed by signal \(signal)")
        case .timedOut(let seconds): lines.append("? not done after \(seconds) seconds")
        }
        return lines
    }

    private static func printed(_ text: String) -> [String] {
        guard !text.isEmpty else { return [] }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() } else { lines.append("\\ (no line feed at the end)") }
        return lines
    }
}
