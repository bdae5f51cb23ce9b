// What a mistyped word probably meant, for messages that offer it.

/// The word that a mistyped one probably meant. The one that differs only in capital letters comes first; then one that
/// begins with it, if no other does, or that it begins with; then the one with the fewest changed, missing, surplus and
/// swapped letters, if they are at most a third of it and something is left of it. Capital letters count as small ones.
package func nearest(to text: String, of words: [String]) -> String? {
    guard text.utf8.count <= 64 else { return nil }
    let typed = folded(text)
    let known = words.map { (word: $0, bytes: folded($0)) }
    if let same = known.first(where: { $0.bytes == typed }) { return same.word }
    let isBeginning = typed.count >= 3 && known.count { $0.bytes.starts(with: typed) } == 1
    let distances = known.map { word, bytes in
        let beginsAlike =
            isBeginning && bytes.starts(with: typed) || bytes.count >= 3 && typed.starts(with: bytes)
        return (word: word, distance: beginsAlike ? 1 : editDistance(typed, bytes))
    }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.word.utf8.count / 3) && best.distance < typed.count ? best.word : nil
}

/// The bytes of a word, with small letters for the capital ones of ASCII.
private func folded(_ text: String) -> [UInt8] {
    text.utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
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
