// The difference of two texts, line by line, for people.

enum LineDiff {
    private static let context = 3

    /// Lines of the file that did not come (`-`) and lines that came instead (`+`), some lines around them; empty for
    /// equal texts. Line numbers are those of `expected`.
    static func text(expected: String, actual: String) -> String {
        let old = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let new = actual.split(separator: "\n", omittingEmptySubsequences: false)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var lines: [(mark: String, number: Int, text: Substring)] = []
        var (at, atNew) = (0, 0)
        while at < old.count || atNew < new.count {
            if removed.contains(at) {
                lines.append(("-", at + 1, old[at]))
                at += 1
            } else if inserted.contains(atNew) {
                lines.append(("+", at + 1, new[atNew]))
                atNew += 1
            } else {
                lines.append((" ", at + 1, old[at]))
                at += 1
                atNew += 1
            }
        }
        return shown(lines)
    }

    private static func shown(_ lines: [(mark: String, number: Int, text: Substring)]) -> String {
        let changed = lines.indices.filter { lines[$0].mark != " " }
        var text = ""
        var next = 0
        for index in changed {
            let first = max(next, index - context)
            let end = min(index + context + 1, lines.count)
            if first > next || text.isEmpty { text += "@ line \(lines[first].number)\n" }
            for line in lines[first..<max(first, end)] { text += "\(line.mark) \(line.text)\n" }
            next = max(next, end)
        }
        return text
    }
}
