// Journals of programs that sync less than they should: what a test of power loss must find out.

package import Interposing

extension [JournalRecord] {
    /// As SQLite with `synchronous=NORMAL`: the log is synced only before it is moved into the file, not at each commit.
    ///
    /// - Parameters:
    ///   - file: the database's name.
    ///   - log: the name of its write-ahead log.
    package func withoutSyncs(ofCommitsIn log: String, exceptBeforeWritesTo file: String) -> [JournalRecord] {
        var inodes: [UInt64: String] = [:]
        for record in self {
            if case .create(let inode, let name) = record { inodes[inode] = name }
            if case .open(let inode, let name) = record { inodes[inode] = name }
        }
        return enumerated().filter { index, record in
            guard case .sync(_, log) = record else { return true }
            // What others do meanwhile says nothing.
            for next in self[(index + 1)...] {
                switch next {
                case .write(let inode, _, _), .truncate(let inode, _):
                    if inodes[inode] == file { return true }
                    if inodes[inode] == log { return false }
                case .sync(_, log): return false
                default: continue
                }
            }
            return false
        }.map(\.element)
    }

    /// As SQLite with `synchronous=OFF`: no file is synced.
    package var withoutFileSyncs: [JournalRecord] {
        filter { record in
            if case .sync = record { return false }
            return true
        }
    }

    /// As a program that never syncs one of its files.
    package func withoutSyncs(of name: String) -> [JournalRecord] {
        filter { record in
            if case .sync(_, name) = record { return false }
            return true
        }
    }

    /// As a program that gives a file its name and does not sync the folder then.
    package func withoutFolderSync(afterRenameTo name: String) -> [JournalRecord] {
        var isRenamed = false
        return filter { record in
            if case .rename(_, name) = record { isRenamed = true }
            guard isRenamed, case .syncFolder = record else { return true }
            isRenamed = false
            return false
        }
    }
}
