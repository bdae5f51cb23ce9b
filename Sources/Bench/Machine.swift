// What the figures were measured on: processor, kernel, file system, and what it costs to make a write durable.

import Foundation
import GRDBSQLite

struct Machine {
    let lines: [String]

    /// - Parameter folder: where the benchmark's files lie.
    init(folder: String) throws {
        let sync = try Self.syncSeconds(in: folder)
        lines = [
            "cores       \(ProcessInfo.processInfo.activeProcessorCount), \(Self.processor)",
            "memory      \(Wording.bytes(Int(ProcessInfo.processInfo.physicalMemory)))",
            "kernel      \(Self.kernel)",
            "SQLite      \(String(cString: sqlite3_libversion()))",
            "files       \(Self.fileSystem(of: folder)), \(Wording.bytes(Self.freeBytes(in: folder))) free",
            "fdatasync   \(Wording.time(seconds: sync)) after an append of 4 KiB (median)",
        ]
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private static var processor: String {
        let line = text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "processor unknown"
    }

    private static var kernel: String {
        let release = text("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
        return "Linux \(release)"
    }

    /// Type and device of the mount that holds a folder: the longest mount point that it begins with.
    private static func fileSystem(of folder: String) -> String {
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        var best: (point: String, name: String) = ("", "unknown")
        for line in text("/proc/self/mounts").split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 2, fields[1].count >= best.point.count else { continue }
            let point = fields[1]
            if path == point || path.hasPrefix(point == "/" ? "/" : point + "/") {
                best = (point, "\(fields[2]) on \(fields[0])")
            }
        }
        return best.name
    }

    static func freeBytes(in folder: String) -> Int {
        var state = statvfs()
        guard statvfs(folder, &state) == 0 else { return 0 }
        return Int(state.f_bavail) * Int(state.f_frsize)
    }

    private static func syncSeconds(in folder: String) throws -> Double {
        let path = folder + "/fdatasync"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchFailure(system: path) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 1, count: 4_096)
        var times: [Double] = []
        for _ in 0..<200 {
            let watch = Stopwatch()
            guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0 else {
                throw BenchFailure(system: "writing \(path)")
            }
            times.append(watch.seconds)
        }
        return median(times) ?? 0
    }
}
