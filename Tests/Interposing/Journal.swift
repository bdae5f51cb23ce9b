// The journal of an interposed program: what happened to the files of a folder, in order.

import CInterposerJournal
package import Foundation

/// One thing that happened. Names are relative to the folder.
package enum JournalRecord: Equatable, Sendable {
    /// A file that was there was opened for writing.
    case open(inode: UInt64, name: String)
    case create(inode: UInt64, name: String)
    case write(inode: UInt64, offset: Int, data: Data)
    case truncate(inode: UInt64, length: Int)
    /// It is at least so long from now on.
    case extend(inode: UInt64, length: Int)
    case sync(inode: UInt64, name: String)
    /// The empty name is the folder itself.
    case syncFolder(name: String)
    /// Without a name the file comes from elsewhere, or goes there.
    case rename(from: String?, to: String?)
    case link(from: String, to: String)
    case unlink(name: String)
    /// What is written through the mapping is not on record.
    case map(inode: UInt64, name: String)
    /// Noted from outside.
    case mark(String)
}

package enum Journal {
    package struct Unreadable: Error {
        let place: Int
    }

    private static let headSize = MemoryLayout<interposer_record>.size

    /// Reads all whole records: a process that was killed may have left a part of its last one.
    ///
    /// - Throws: ``Unreadable`` for anything else that is no record.
    package static func read(_ path: String) throws -> [JournalRecord] {
        let bytes = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
        var records: [JournalRecord] = []
        var place = 0
        while place + headSize <= bytes.count {
            let head = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: interposer_record.self) }
            guard head.magic == INTERPOSER_MAGIC else { throw Unreadable(place: place) }
            var next = place + headSize
            let end = next + Int(head.name_length) + Int(head.other_length) + Int(head.data_length)
            guard end <= bytes.count else { break }
            func text(_ length: UInt32) -> String {
                defer { next += Int(length) }
                return String(decoding: bytes[next..<next + Int(length)], as: UTF8.self)
            }
            let name = text(head.name_length)
            let other = text(head.other_length)
            guard let record = record(head, name, other, bytes[next..<end]) else { throw Unreadable(place: place) }
            records.append(record)
            place = end
        }
        return records
    }

    private static func record(
        _ head: interposer_record, _ name: String, _ other: String, _ data: Data
    ) -> JournalRecord? {
        switch interposer_kind(head.kind) {
        case INTERPOSER_OPEN: .open(inode: head.inode, name: name)
        case INTERPOSER_CREATE: .create(inode: head.inode, name: name)
        case INTERPOSER_WRITE: .write(inode: head.inode, offset: Int(head.offset), data: data)
        case INTERPOSER_TRUNCATE: .truncate(inode: head.inode, length: Int(head.offset))
        case INTERPOSER_EXTEND: .extend(inode: head.inode, length: Int(head.offset))
        case INTERPOSER_SYNC: .sync(inode: head.inode, name: name)
        case INTERPOSER_SYNC_FOLDER: .syncFolder(name: name)
        case INTERPOSER_RENAME: .rename(from: name.isEmpty ? nil : name, to: other.isEmpty ? nil : other)
        case INTERPOSER_LINK: .link(from: name, to: other)
        case INTERPOSER_UNLINK: .unlink(name: name)
        case INTERPOSER_MAP: .map(inode: head.inode, name: name)
        case INTERPOSER_MARK: .mark(String(decoding: data, as: UTF8.self))
        default: nil
        }
    }

    /// Appends a mark, as while a program is at work: it stands after all that has happened so far.
    package static func mark(_ text: String, in path: String) throws {
        var head = interposer_record()
        head.magic = INTERPOSER_MAGIC
        head.kind = INTERPOSER_MARK.rawValue
        head.data_length = UInt64(text.utf8.count)
        // One write, or it could stand in two parts around another record.
        let bytes = withUnsafeBytes(of: head) { Array($0) } + Array(text.utf8)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    }
}

extension [JournalRecord] {
    /// The places of the writes to a file that is opened, or made, by this name.
    package func writes(to name: String) -> [Int] {
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

    package func syncs(of name: String) -> [Int] {
        indices.filter { index in
            guard case .sync(_, name) = self[index] else { return false }
            return true
        }
    }
}
