// Standard output and error. Everything that a command prints goes through here, so nothing that a sender, a file or an
// argument holds reaches a terminal as a control sequence.

import Foundation
import Quantities

enum Terminal {
    /// Prints lines. Characters that are not fit to show stand as escapes, but for line feeds: a text from elsewhere that
    /// must stay in its line is made fit to show before it becomes a part of one.
    ///
    /// A broken pipe (`meterd ledger | head`) ends the process quietly, by its signal.
    static func print(_ text: String) { write(text.linesFitToShow + "\n", to: STDOUT_FILENO) }

    /// Prints lines on the standard error, as ``print(_:)`` does on the standard output.
    static func error(_ text: String) { write(text.linesFitToShow + "\n", to: STDERR_FILENO) }

    /// Prints a text as it is, to be read as a file again. A terminal gets it fit to show.
    static func printAsWritten(_ text: String) {
        if isatty(STDOUT_FILENO) == 1 { print(text) } else { write(text + "\n", to: STDOUT_FILENO) }
    }

    /// Text without a line feed, for progress that overwrites itself.
    static func progress(_ text: String) { write("\r\u{1B}[K" + text.fitToShow, to: STDERR_FILENO) }

    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                // Nobody can be told that the output is gone.
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
