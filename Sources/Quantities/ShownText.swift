// Text from elsewhere, made fit to show: nothing in it moves the cursor, ends the line, or turns the reading order round.

/// Which characters a terminal, a table or a log must not get as they are, and what stands in their place.
package enum ShownText {
    /// Whether a character says something to whatever shows it, and nothing to the reader: control characters (C0, DEL, C1),
    /// the separators of lines and paragraphs, and invisible characters of format, as those that turn the reading order
    /// round, and the byte order mark. The two joiners stay: names in Persian, in Indian scripts and emoji need them.
    package static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
        // Most text ends here.
        if scalar.value < 0x7F { return scalar.value < 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        case .format: return !isVisibleFormat(scalar)
        default: return false
        }
    }

    /// Joiners, and signs of Arabic, Syriac and Kaithi that are written around numbers.
    private static func isVisibleFormat(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200C, 0x200D, 0x0600...0x0605, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD: true
        default: false
        }
    }

    /// The first character of a text that is not fit to show.
    package static func firstUnfit(in text: String) -> Unicode.Scalar? { text.unicodeScalars.first(where: isUnfit) }

    /// `\n`, `\t`, `\r`, and `\u{202E}` for the others.
    package static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
    }

    /// `U+202E`: how a message names a character.
    package static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension String {
    /// The text in one line, with an escape for each character that is not fit to show.
    package var fitToShow: String { fitToShow { _ in false } }

    /// The text with an escape for each character that is not fit to show, but for line feeds.
    package var linesFitToShow: String { fitToShow { $0 == "\n" } }

    private func fitToShow(keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        guard unicodeScalars.contains(where: { ShownText.isUnfit($0) && !isKept($0) }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if ShownText.isUnfit(scalar), !isKept(scalar) {
                text += ShownText.escape(scalar)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
