// The bytes of a small file that a person has written, read without ever waiting for somebody.

package import Foundation

/// Why a file's bytes can't be had. The words follow its name.
package enum YAMLFileError: Error, Equatable {
    case absent
    case unreadable(String)
}

package enum YAMLFile {
    /// More than any configuration or price book has.
    package static let mostBytes = 16 << 20

    /// Reads a file, an empty device (`/dev/null`), or a pipe that the shell has opened for this process, as
    /// `<(COMMAND)` or `/dev/stdin`. A FIFO that has a name is refused: nobody may ever write into it.
    package static func bytes(at path: String) throws(YAMLFileError) -> Data {
        // Not to wait where a FIFO has no writer; it means nothing for files.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let error = errno
            switch error {
            case ENOENT: throw .absent
            case ENXIO: throw .unreadable("it is a socket or a device, not a file")
            default: throw .unreadable(String(cString: strerror(error)))
            }
        }
        defer { close(descriptor) }
        if let objection = objection(to: descriptor) { throw .unreadable(objection) }
        _ = fcntl(descriptor, F_SETFL, O_RDONLY)
        return try read(descriptor)
    }

    private static func objection(to descriptor: Int32) -> String? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return String(cString: strerror(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: return "it is a folder; name a file"
        case S_IFIFO:
            return isAnonymous(descriptor) ? nil : "it is a FIFO, not a file; name a file"
        default:
            var null = stat()
            let isNull = stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev
            return isNull ? nil : "it is a device, not a file; name a file"
        }
    }

    /// A pipe without a name has had its writer when this process was started.
    private static func isAnonymous(_ pipe: Int32) -> Bool {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(pipe)")
        return target?.hasPrefix("pipe:") ?? false
    }

    private static func read(_ descriptor: Int32) throws(YAMLFileError) -> Data {
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while data.count <= mostBytes {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
            if count == 0 { return data }
            data.append(contentsOf: buffer[..<count])
        }
        throw .unreadable("it has more than \(mostBytes >> 20) MiB")
    }
}
