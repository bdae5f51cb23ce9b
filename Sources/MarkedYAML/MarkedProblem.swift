// What is wrong in a file, told so that the reader of the message finds the place and the way out.

/// One mistake of a file.
package struct MarkedProblem: Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    /// From 1, in Unicode scalars. The problem of a value that an alias repeats stands where its anchor is.
    package let column: Int
    /// The way to the value from the top of the file: `items.gateway_calls.tiers[1].up_to`; list positions count
    /// from 0. Empty for a problem of the whole file.
    package let field: String
    /// What is wrong with which value, and what to write instead.
    package let message: String

    package init(line: Int, column: Int, field: String, message: String) {
        self.line = line
        self.column = column
        self.field = field
        self.message = message
    }

    /// `line 12, column 7: items.gateway_calls.tiers[1].up_to: …`
    package var description: String {
        "line \(line), column \(column): \(field.isEmpty ? "" : "\(field): ")\(message)"
    }
}

/// Why a file could not be read: every problem that could be found, at least one, in the order of the file.
package struct MarkedProblems: Error, Hashable, CustomStringConvertible {
    package let problems: [MarkedProblem]

    package init(_ problems: [MarkedProblem]) {
        precondition(!problems.isEmpty)
        self.problems = problems.enumerated()
            .sorted { left, right in
                (left.element.line, left.element.column, left.offset)
                    < (right.element.line, right.element.column, right.offset)
            }
            .map(\.element)
    }

    /// One problem per line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
