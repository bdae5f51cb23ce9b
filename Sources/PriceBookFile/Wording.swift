// How values of a file appear in messages, and the small readings of text that the sections share.

import Yams

/// A value between backquotes: shortened, control characters spelled out.
func shown(_ text: String) -> String { "`\(printable(text))`" }

func printable(_ text: String) -> String {
    let limit = 64
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        result += isControl(scalar) ? "<\(codePoint(scalar))>" : String(scalar)
    }
    return text.unicodeScalars.count > limit ? result + "…" : result
}

/// Control characters, and the two separators that end a line as they do.
func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}

/// `U+0007`.
func codePoint(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

func isNull(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
}

/// What stands in the file, for a message about a value of another kind.
func kind(of node: Node) -> String {
    switch node {
    case .scalar(let scalar): isNull(node) ? "the value is missing" : "\(shown(scalar.string)) is a single value"
    case .mapping: "here stands a map"
    case .sequence: "here stands a list"
    case .alias: "here stands an alias"
    }
}

/// `a, b, c`.
func joined(_ words: [String]) -> String { words.joined(separator: ", ") }

/// Digits without a sign and without leading zeros (YAML 1.1 takes `010` for 8).
func wholeNumber(_ text: String) -> Int64? {
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), text == "0" || text.utf8.first != 48 else { return nil }
    return Int64(text)
}

/// The word that a mistyped one probably meant: one that it begins with or that begins with it, or the one with the
/// fewest changed, missing, surplus and swapped letters, if they are at most a third of it.
func nearest(to text: String, of words: [String]) -> String? {
    guard text.utf8.count <= 64 else { return nil }
    let distances = words.map { word in
        let isPrefix = text.count >= 3 && word.count >= 3 && (text.hasPrefix(word) || word.hasPrefix(text))
        return (word: word, distance: isPrefix ? 1 : editDistance(Array(text.utf8), Array(word.utf8)))
    }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.word.utf8.count / 3) ? best.word : nil
}

private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var rows = [Array(0...right.count)]
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let change = left[row] == right[column] ? 0 : 1
            var distance = min(rows[row][column + 1] + 1, current[column] + 1, rows[row][column] + change)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, rows[row - 1][column - 1] + 1)
            }
            current.append(distance)
        }
        rows.append(current)
    }
    return rows[left.count][right.count]
}
