// What a journal says was done, by the names of the files.

import Interposing

extension [JournalRecord] {
    /// The places of the writes to a file that is opened, or made, by this name.
    func writes(to name: String) -> [Int] {
        var nameByInode: [UInt64: String] = [:]
        return indices.filter { index in
            switch self[index] {
            case .create(let inode, let name), .open(let inode, let name): nameByInode[inode] = name
            case .write(let inode, _, _): return nameByInode[inode] == name
            default: break
            }
            return false
        }
    }

    func syncs(of name: String) -> [Int] {
        indices.filter { index in
            guard case .sync(_, name) = self[index] else { return false }
            return true
        }
    }

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
