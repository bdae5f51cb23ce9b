// What a mistyped word probably meant, of many words and for many texts: with a bound on the search.

/// Words that are looked through many times, with a bound on what that costs.
package struct WordIndex: Sendable {
    /// Longer texts are no mistyped words.
    private static let mostBytes = 64

    private struct Word {
        /// In the text of all words.
        let start: Int
        let count: Int
        let letters: UInt64
    }

    private let words: [String]
    private var index: ContiguousArray<Word> = []
    /// Their bytes one after the other, capitals of ASCII in lower case.
    private var text: ContiguousArray<UInt8> = []

    package init(_ words: [String]) {
        self.words = words
        index.reserveCapacity(words.count)
        for word in words {
            let start = text.count
            for byte in word.utf8 { text.append(Self.lowercased(byte)) }
            index.append(Word(start: start, count: text.count - start, letters: Self.letters(of: text[start...])))
        }
    }

    /// The word that a mistyped one probably meant: the same but for capitals, else one that it begins with or that begins
    /// with it, or the one with the fewest changed, missing, surplus and swapped letters, if they are at most a third of it.
    ///
    /// - Parameter work: how much the search may cost, in words looked at and pairs of letters compared; what it has cost
    ///   is taken off. Once nothing is left, nothing is searched.
    /// - Returns: the first of the nearest words, and whether all words have been looked at.
    package func nearest(to text: String, work: inout Int) -> (word: String?, isComplete: Bool) {
        guard text.utf8.count <= Self.mostBytes else { return (nil, true) }
        let typed = ContiguousArray(text.utf8.map(Self.lowercased))
        let letters = Self.letters(of: typed[...])
        var best: (word: Int, distance: Int)?
        var rows = EditDistance()
        for (number, word) in index.enumerated() {
            guard work > 0 else { return (best.map { words[$0.word] }, false) }
            work -= 1
            let most = min(max(1, word.count / 3), (best?.distance ?? .max) - 1)
            // A word that is found can't be outdone.
            if most < 0 { break }
            var distance: Int?
            if isPrefix(word, typed) { distance = word.count == typed.count ? 0 : 1 }
            // A change takes one letter away and brings one.
            if distance == nil, abs(word.count - typed.count) <= most,
                (letters ^ word.letters).nonzeroBitCount <= 2 * most
            {
                work -= word.count * typed.count
                distance = self.text[word.start..<word.start + word.count].withUnsafeBufferPointer { word in
                    typed.withUnsafeBufferPointer { rows.distance($0, word, most: most) }
                }
            }
            if let distance, distance <= most { best = (number, distance) }
        }
        return (best.map { words[$0.word] }, true)
    }

    /// Whether one of both begins with the other, which has three bytes or more; or they are the same.
    private func isPrefix(_ word: Word, _ typed: ContiguousArray<UInt8>) -> Bool {
        let shared = min(word.count, typed.count)
        guard shared >= 3 || word.count == typed.count else { return false }
        for at in 0..<shared where text[word.start + at] != typed[at] { return false }
        return true
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    /// A bit for each letter and digit that is there; what else there may be shares some bits.
    private static func letters(of bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { letters, byte in
            let bit: UInt8 =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a")
                case UInt8(ascii: "0")...UInt8(ascii: "9"): 26 + byte - UInt8(ascii: "0")
                default: 36 + byte & 15
                }
            return letters | 1 << UInt64(bit)
        }
    }
}

/// The number of changes that make one text of another, with rows of memory that are used again.
private struct EditDistance {
    private var (before, last, current): ([Int], [Int], [Int]) = ([], [], [])

    /// - Returns: nil for more than `most`.
    mutating func distance(
        _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, most: Int
    ) -> Int? {
        if current.count <= right.count {
            (before, last, current) = (
                Array(repeating: 0, count: right.count + 1), Array(repeating: 0, count: right.count + 1),
                Array(repeating: 0, count: right.count + 1)
            )
        }
        for column in 0...right.count { last[column] = column }
        for row in left.indices {
            current[0] = row + 1
            var least = row + 1
            for column in right.indices {
                let change = left[row] == right[column] ? 0 : 1
                var distance = min(last[column + 1] + 1, current[column] + 1, last[column] + change)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    distance = min(distance, before[column - 1] + 1)
                }
                current[column + 1] = distance
                least = min(least, distance)
            }
            // A swap may come back by one from the row before.
            if least > most + 1 { return nil }
            (before, last, current) = (last, current, before)
        }
        return last[right.count] <= most ? last[right.count] : nil
    }
}
