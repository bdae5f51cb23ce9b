// A mistyped option, told with the nearest option of the same command.

import ArgumentParser
import Foundation
import Quantities

/// The argument parser suggests any option that is within three letters: `--now` for `--from`.
struct UnknownOption {
    /// What the parser prints, with another first line.
    let message: String

    /// - Parameter text: what the parser would print: its message, then the usage of the command.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = lines[0].firstMatch(of: /^Error: Unknown option '--([^']+)'/)?.1,
            let path = text.firstMatch(of: /See '(.+) --help' for more information/)?.1
        else { return nil }
        let names = path.split(separator: " ").map(String.init)
        guard let command = Self.command(names) else { return nil }
        let nearest = nearest(to: String(name), of: Self.options(of: command)).map { " Did you mean '--\($0)'?" }
        let elsewhere =
            command.configuration.subcommands.isEmpty
            ? "" : " Options stand after the subcommand: \(path) <subcommand> --\(name) …"
        let advice = nearest ?? elsewhere
        message = (["Error: Unknown option '--\(name)'.\(advice)"] + lines.dropFirst()).joined(separator: "\n")
    }

    /// - Parameter path: the words of the command: `meterd tenant add`.
    private static func command(_ path: [String]) -> (any ParsableCommand.Type)? {
        var command: any ParsableCommand.Type = Meterd.self
        for name in path.dropFirst() {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == name }) else {
                return nil
            }
            command = next
        }
        return command
    }

    /// The names of a command's options, as its help lists them.
    private static func options(of command: any ParsableCommand.Type) -> [String] {
        Meterd.helpMessage(for: command).matches(of: /(?m)^  (?:-\w, )?--([\w-]+)/).map { String($0.1) }
    }
}
