// How many columns of a terminal a text takes, so that tables align whatever the names in them are written in.

extension String {
    /// Columns on a terminal: two for a character of East Asian width Wide or Fullwidth (UAX 11) and for an emoji, none for a
    /// mark that combines with the character before it, one for any other.
    var displayWidth: Int {
        if utf8.allSatisfy({ $0 < 0x7F }) { return utf8.count }
        return reduce(0) { $0 + $1.displayWidth }
    }

    /// The text with spaces behind it, or before it, up to a width.
    func padded(to width: Int, onTheLeft: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - displayWidth))
        return onTheLeft ? padding + self : self + padding
    }
}

extension Character {
    /// A sequence that makes one emoji (with a skin tone, joined ones, a flag) takes the place of one.
    fileprivate var displayWidth: Int {
        let scalars = unicodeScalars
        guard scalars.count > 1 else { return scalars.first?.displayWidth ?? 0 }
        // U+FE0F asks for the colourful form of what else is a plain sign.
        if scalars.first?.properties.isEmojiPresentation ?? false || scalars.contains("\u{FE0F}") { return 2 }
        return scalars.reduce(0) { $0 + $1.displayWidth }
    }
}

extension Unicode.Scalar {
    fileprivate var displayWidth: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        // The vowels and final consonants of a Hangul syllable stand within its first consonant's two columns.
        if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value) { return 0 }
        // Half of a flag.
        if (0x1F1E6...0x1F1FF).contains(value) { return 1 }
        return properties.isEmojiPresentation || Self.wide.contains(where: { $0.contains(value) }) ? 2 : 1
    }

    /// Wide and Fullwidth in EastAsianWidth.txt of Unicode 16, without emoji; gaps without characters are bridged.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E, 0x3041...0x3247,
        0x3250...0xA4C6, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B,
        0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FB, 0x1D300...0x1D376, 0x1F200...0x1F265,
        0x20000...0x3FFFD,
    ]
}
