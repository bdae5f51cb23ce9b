// What a mistyped word probably meant, for messages that offer it.

/// The word that a mistyped one probably meant: one that it begins with or that begins with it, or the one with the
/// fewest changed, missing, surplus and swapped letters, if they are at most a third of it.
package func nearest(to text: String, of words: [String]) -> String? {
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
