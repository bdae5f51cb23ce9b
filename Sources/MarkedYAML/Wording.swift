// How values of a file appear in messages, and the small readings of text that files share.

import Quantities
import Yams

/// A value between backquotes: shortened and fit to show.
package func shown(_ text: String) -> String { "`\(printable(text))`" }

package func printable(_ text: String) -> String {
    let limit = 64
    let beginning = String(text.unicodeScalars.prefix(limit)).fitToShow
    return text.unicodeScalars.count > limit ? beginning + "…" : beginning
}

func isNull(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
}

/// What stands in the file, for a message about a value of another kind.
func kind(of node: Node) -> String {
    switch node {
    case .scalar(let scalar): isNull(node) ? "the value is missing" : "\(shown(scalar.string)) is a single value"
    case .mapping: "this is a map"
    case .sequence: "this is a list"
    case .alias: "this is an alias"
    }
}

/// `a, b, c`.
package func joined(_ words: [String]) -> String { words.joined(separator: ", ") }

/// Digits without a sign and without leading zeros (YAML 1.1 takes `010` for 8).
package func wholeNumber(_ text: String) -> Int64? {
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), text == "0" || text.utf8.first != 48 else { return nil }
    return Int64(text)
}
