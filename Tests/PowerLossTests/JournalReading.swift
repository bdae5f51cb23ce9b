// What a journal says was done, by the names of the files.

import Interposing

extension [JournalRecord] {
    /// From each mark with one note to the next one with another.
    func spans(from first: String, to last: String) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var start: Int?
        for (index, record) in enumerated() {
            if record == .mark(Evidence.note(first)) { start = index }
            if record == .mark(Evidence.note(last)), let begun = start {
                spans.append(begun..<index)
                start = nil
            }
        }
        return spans
    }
}
