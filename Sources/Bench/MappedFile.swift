// A file of events in memory, line by line, without a copy.

import Foundation

/// A file that is mapped, all of it read before anything is measured. Unmapped with the value.
final class MappedFile {
    let bytes: UnsafeRawBufferPointer

    init(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BenchFailure(system: path) }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        guard size > 0,
            let start = mmap(nil, size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0),
            start != MAP_FAILED
        else { throw BenchFailure(system: "\(path), \(size) bytes") }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    /// Calls with the range of each line, its end included.
    func eachLine(_ body: (Range<Int>) throws -> Void) rethrows {
        var start = 0
        while start < bytes.count {
            let found = memchr(bytes.baseAddress.unsafelyUnwrapped + start, 10, bytes.count - start)
            let end = found.map { UnsafeRawPointer($0) - bytes.baseAddress.unsafelyUnwrapped + 1 } ?? bytes.count
            try body(start..<end)
            start = end
        }
    }
}
