// A mistyped subcommand, told before the argument parser complains about the options that follow it.

import ArgumentParser
import Foundation
import Quantities

struct UnknownCommand {
    private let name: String
    /// The words of the command that has no such subcommand: `meterd price-book`.
    private let parent: String
    private let known: [String]

    /// Nil when the words before the first option name a command.
    init?(_ words: ArraySlice<String>) {
        var command: any ParsableCommand.Type = Meterd.self
        var path = [Meterd._commandName]
        for word in words {
            // 'help' takes the names of a command.
            if word == "help", path.count == 1 { continue }
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = subcommands.first(where: { $0._commandName == word }) else {
                name = word
                parent = path.joined(separator: " ")
                known = subcommands.map { $0._commandName }
                return
            }
            command = next
            path.append(word)
        }
        return nil
    }

    /// Says so as the argument parser would, with its exit status for wrong usage.
    func exit() -> Never {
        let nearest =
            nearest(to: name, of: known).map { " Did you mean '\($0)'?" }
            ?? " The commands are \(known.joined(separator: ", "))."
        Terminal.error(
            """
            Error: Unknown command '\(name)'.\(nearest)
            Usage: \(parent) <subcommand>
              See '\(parent) --help' for more information.
            """)
        Foundation.exit(ExitCode.validationFailure.rawValue)
    }
}
