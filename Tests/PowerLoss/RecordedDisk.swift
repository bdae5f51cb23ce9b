// A folder as the journal of a program's calls makes it: what is surely on the disk, and what may be.

package import Foundation
package import Interposing
package import Seeded

/// What may have become of what was not synced when the power failed.
package enum Loss: String, CaseIterable, Sendable {
    /// Nothing was lost: as when only the program dies.
    case none
    /// All that was not synced.
    case unsynced
    /// A file has its changes up to one of them, which may be torn; names alike.
    case tail
    /// Any of the changes, in no order.
    case some
    /// Any sectors of 512 bytes of any of the changes.
    case torn
}

/// Replays a journal. Asked at any point, it gives the files as a disk might hold them if the power failed there.
///
/// What is promised is only what POSIX promises: a file's data once the file was synced, a name once its folder was. So
/// a new name may be missing though its file was synced, a rename may have happened or not, and names may change in
/// another order than they were changed. File systems that promise more are among the cases.
package struct RecordedDisk: Sendable {
    /// A file's number here: an inode's is given again to other files.
    private typealias FileNumber = Int

    private enum Change: Sendable {
        case write(offset: Int, data: Data)
        case truncate(length: Int)
        case extend(length: Int)
    }

    private struct File: Sendable {
        var durable = Data()
        var pending: [Change] = []
        /// What is written through a mapping is not known: such a file may hold anything.
        var isMapped = false
    }

    /// A name is given to a file, or taken away.
    private struct Naming: Sendable {
        var removed: String?
        var set: (name: String, file: FileNumber)?
    }

    private var files: [File] = []
    private var fileByInode: [UInt64: FileNumber] = [:]
    /// The names as the program sees them.
    private var names: [String: FileNumber] = [:]
    private var durableNames: [String: FileNumber] = [:]
    private var pendingNames: [Naming] = []

    package struct Contradiction: Error {
        let what: String
    }

    /// - Parameter files: what the folder held when the journal was begun; all of it is on the disk.
    package init(files held: [String: Data] = [:]) {
        for (name, data) in held {
            names[name] = files.count
            files.append(File(durable: data))
        }
        durableNames = names
    }

    // MARK: Replaying

    /// - Throws: ``Contradiction`` for a record that can't follow those before it: then the journal lacks something.
    package mutating func apply(_ record: JournalRecord) throws {
        switch record {
        case .create(let inode, let name):
            names[name] = files.count
            fileByInode[inode] = files.count
            pendingNames.append(Naming(set: (name, files.count)))
            files.append(File())
        case .open(let inode, let name):
            guard let file = names[name] else { throw Contradiction(what: "\(name) was opened, and was not there") }
            fileByInode[inode] = file
        case .write(let inode, let offset, let data): try note(.write(offset: offset, data: data), inode)
        case .truncate(let inode, let length): try note(.truncate(length: length), inode)
        case .extend(let inode, let length): try note(.extend(length: length), inode)
        case .sync(let inode, _):
            let file = try number(inode)
            for change in files[file].pending { Self.make(change, in: &files[file].durable) }
            files[file].pending = []
        case .syncFolder:
            durableNames = names
            pendingNames = []
        case .rename(let from, let to): try rename(from, to)
        case .link(let from, let to):
            guard let file = names[from] else { throw Contradiction(what: "\(from) was linked, and was not there") }
            names[to] = file
            pendingNames.append(Naming(set: (to, file)))
        case .unlink(let name):
            names[name] = nil
            pendingNames.append(Naming(removed: name))
        case .map(let inode, _): files[try number(inode)].isMapped = true
        case .mark: break
        }
    }

    private mutating func rename(_ from: String?, _ to: String?) throws {
        guard let from, let to, let file = names[from] else {
            throw Contradiction(what: "\(from ?? "a file of another folder") was renamed to \(to ?? "one elsewhere")")
        }
        names[from] = nil
        names[to] = file
        pendingNames.append(Naming(removed: from, set: (to, file)))
    }

    private func number(_ inode: UInt64) throws -> FileNumber {
        guard let file = fileByInode[inode] else { throw Contradiction(what: "inode \(inode) was never opened") }
        return file
    }

    private mutating func note(_ change: Change, _ inode: UInt64) throws {
        files[try number(inode)].pending.append(change)
    }

    private static func make(_ change: Change, in data: inout Data) {
        switch change {
        case .write(let offset, let bytes):
            lengthen(&data, to: offset + bytes.count)
            data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        case .truncate(let length):
            if length < data.count { data.removeSubrange(length...) }
            lengthen(&data, to: length)
        case .extend(let length): lengthen(&data, to: length)
        }
    }

    private static func lengthen(_ data: inout Data, to length: Int) {
        if data.count < length { data.append(Data(count: length - data.count)) }
    }

    // MARK: The power fails

    private static let sectorSize = 512

    /// The files by name as the disk may hold them now.
    ///
    /// - Returns: also which of them nobody knows the contents of; they are filled by chance.
    package func files(
        after loss: Loss, _ chance: inout SeededGenerator
    ) -> (files: [String: Data], unknown: Set<String>) {
        var held: [String: Data] = [:]
        var unknown: Set<String> = []
        for (name, number) in names(after: loss, &chance).sorted(by: { $0.key < $1.key }) {
            let file = files[number]
            held[name] = contents(of: file, after: loss, &chance)
            guard file.isMapped else { continue }
            unknown.insert(name)
            let size = held[name]?.count ?? 0
            held[name] = Data((0..<(size + 7) / 8).flatMap { _ in withUnsafeBytes(of: chance.next()) { Array($0) } })
        }
        return (held, unknown)
    }

    private func names(after loss: Loss, _ chance: inout SeededGenerator) -> [String: FileNumber] {
        var held = durableNames
        let kept: [Naming] =
            switch loss {
            case .none: pendingNames
            case .unsynced: []
            case .tail: Array(pendingNames.prefix(Int.random(in: 0...pendingNames.count, using: &chance)))
            case .some, .torn: pendingNames.filter { _ in Bool.random(using: &chance) }
            }
        for naming in kept {
            if let removed = naming.removed { held[removed] = nil }
            if let set = naming.set { held[set.name] = set.file }
        }
        return held
    }

    private func contents(of file: File, after loss: Loss, _ chance: inout SeededGenerator) -> Data {
        var data = file.durable
        switch loss {
        case .none: for change in file.pending { Self.make(change, in: &data) }
        case .unsynced: break
        case .tail:
            let count = Int.random(in: 0...file.pending.count, using: &chance)
            for change in file.pending.prefix(count).dropLast() { Self.make(change, in: &data) }
            if count > 0 { tear(file.pending[count - 1], in: &data, &chance) }
        case .some:
            for change in file.pending where Bool.random(using: &chance) { Self.make(change, in: &data) }
        case .torn:
            for change in file.pending where Bool.random(using: &chance) { tear(change, in: &data, &chance) }
        }
        return data
    }

    /// Makes a change of which only some sectors have reached the disk. The file may have become longer all the same.
    private func tear(_ change: Change, in data: inout Data, _ chance: inout SeededGenerator) {
        guard case .write(let offset, let bytes) = change else { return Self.make(change, in: &data) }
        var start = offset
        let end = offset + bytes.count
        if Bool.random(using: &chance) { Self.lengthen(&data, to: end) }
        while start < end {
            let next = min(end, (start / Self.sectorSize + 1) * Self.sectorSize)
            if Bool.random(using: &chance) {
                let from = bytes.startIndex + start - offset
                Self.make(.write(offset: start, data: bytes[from..<from + next - start]), in: &data)
            }
            start = next
        }
    }
}
