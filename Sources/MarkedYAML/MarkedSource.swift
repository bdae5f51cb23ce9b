// The text of a file with marks put into keys that would otherwise be equal, and the way back to the places of the
// file.

import Yams

/// A place in a file: line and column from 1, columns in Unicode scalars.
package struct Place: Hashable, Sendable {
    package let line: Int
    package let column: Int
}

struct MarkedSource {
    /// A character of the private use area, which the keys of our files do not contain.
    private static let mark: Unicode.Scalar = "\u{E000}"

    private var scalars: String.UnicodeScalarView
    /// For each mark, the place in the file of the character that it stands before.
    private var marks: [Place] = []

    init(_ text: String) {
        scalars = text.unicodeScalars
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
    }

    var text: String { String(scalars) }

    /// A key as it stands in the file.
    static func withoutMarks(_ key: String) -> String {
        String(String.UnicodeScalarView(key.unicodeScalars.drop { $0 == mark }))
    }

    /// The place in the file of a place in the marked text.
    func place(_ position: Mark) -> Place {
        let columns = marks.filter { $0.line == position.line }.map(\.column).sorted()
        let before = columns.enumerated().count { $0.element + $0.offset < position.column }
        return Place(line: position.line, column: position.column - before)
    }

    /// Puts marks into the key at a place of the file. False where something else than a plain or quoted key begins.
    mutating func markKey(at place: Place, times: Int) -> Bool {
        let before = marks.count { $0.line == place.line && $0.column < place.column }
        guard var index = index(of: Place(line: place.line, column: place.column + before)) else { return false }
        var column = place.column
        switch scalars[index] {
        case "\"", "'":
            index = scalars.index(after: index)
            column += 1
        case "a"..."z", "A"..."Z", "0"..."9", "_": break
        default: return false
        }
        scalars.insert(contentsOf: repeatElement(Self.mark, count: times), at: index)
        marks += Array(repeating: Place(line: place.line, column: column), count: times)
        return true
    }

    /// The first character outside YAML's printable set. The parser would take a NUL for the end of the file.
    var firstUnprintable: (Place, Unicode.Scalar)? {
        var found: (Place, Unicode.Scalar)?
        visit { place, index in
            switch scalars[index].value {
            case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: return true
            default:
                found = (place, scalars[index])
                return false
            }
        }
        return found
    }

    private func index(of wanted: Place) -> String.Index? {
        var found: String.Index?
        visit { place, index in
            if place == wanted { found = index }
            return found == nil
        }
        return found
    }

    /// Visits the characters until the visitor says false. Lines end where the parser sees them end.
    private func visit(_ visitor: (Place, String.Index) -> Bool) {
        var line = 1
        var column = 1
        var previous: Unicode.Scalar = " "
        for index in scalars.indices {
            guard visitor(Place(line: line, column: column), index) else { return }
            let scalar = scalars[index]
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                line += 1
                column = 1
            default: column += 1
            }
            previous = scalar
        }
    }
}
