// Bytes of event files and of standard input, plain or gzipped, in chunks of whole lines.

import Foundation
import Gzip

/// An input of events: a file, or `-` for standard input.
struct EventFile {
    let name: String
    let handle: FileHandle
    /// Bytes in the file, compressed as they are; nil where nobody knows (a pipe).
    let size: Int?

    /// - Throws: ``Failure`` when it can't be read.
    init(_ path: String) throws {
        if path == "-" {
            name = "standard input"
            handle = .standardInput
            size = nil
            return
        }
        name = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure("cannot read '\(path)': there is no such file")
        }
        guard !isFolder.boolValue, let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure("cannot read '\(path)': \(isFolder.boolValue ? "it is a folder" : "no permission")")
        }
        self.handle = handle
        size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }

    /// Reads the input to its end.
    ///
    /// - Parameter body: takes decompressed bytes and how many bytes of the file have been read so far.
    /// - Throws: ``Failure`` on a read error or a broken gzip stream; what `body` throws.
    func read(_ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ fileOffset: Int) throws -> Void) throws {
        do {
            try decompress(body)
        } catch GzipError.broken(let reason) {
            throw Failure("\(name) is a broken gzip stream: \(reason)")
        } catch GzipError.endsInTheMiddle {
            throw Failure("\(name) is a broken gzip stream: it ends in the middle")
        } catch GzipError.noMemory {
            throw Failure("no memory to decompress \(name)")
        }
    }

    private func decompress(_ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) throws {
        var gzip: GzipStream?
        var offset = 0
        var isFirst = true
        while true {
            let data: Data
            do {
                data = try handle.read(upToCount: 1 << 20) ?? Data()
            } catch {
                throw Failure("cannot read \(name) after \(offset) bytes: \(error.localizedDescription)")
            }
            if data.isEmpty { break }
            if isFirst, data.starts(with: [0x1F, 0x8B]) { gzip = try GzipStream() }
            isFirst = false
            offset += data.count
            try data.withUnsafeBytes { raw in
                let bytes = raw.bindMemory(to: UInt8.self)
                if let gzip { try gzip.inflate(bytes) { try body($0, offset) } } else { try body(bytes, offset) }
            }
        }
        try gzip?.finish()
    }
}
