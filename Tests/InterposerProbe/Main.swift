// A program for the interposer's tests: it makes the calls that are watched, and says what came of them.

import Foundation

@main
enum InterposerProbe {
    static func main() {
        let arguments = CommandLine.arguments
        switch arguments.count > 1 ? arguments[1] : "" {
        case "files": makeEveryChange()
        case "appends": append(times: Int(arguments[2]) ?? 0)
        case "reads": read(times: Int(arguments[2]) ?? 0)
        case "clock": tellTheTime()
        case "kernel": askTheKernel()
        default: exit(64)
        }
    }

    private static func check(_ isSo: Bool, _ what: String) {
        guard !isSo else { return }
        print("\(what): \(String(cString: strerror(errno)))")
        exit(1)
    }

    private static func write(_ text: String, to descriptor: Int32, at offset: Int? = nil) {
        let count =
            if let offset {
                pwrite(descriptor, text, text.utf8.count, offset)
            } else {
                Foundation.write(descriptor, text, text.utf8.count)
            }
        check(count == text.utf8.count, "write")
    }

    /// Each kind of change once, in the working folder.
    private static func makeEveryChange() {
        let file = open("a", O_RDWR | O_CREAT, 0o600)
        check(file >= 0, "open")
        write("hello", to: file)
        write("HE", to: file, at: 0)
        let twin = dup(file)
        write(" again", to: twin)
        check(fsync(twin) == 0, "fsync")
        close(file)
        check(ftruncate(twin, 3) == 0, "ftruncate")
        check(posix_fallocate(twin, 0, 10) == 0, "posix_fallocate")
        check(fdatasync(twin) == 0, "fdatasync")
        close(twin)

        let log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        write("one", to: log)
        vector(["two", "three"], to: log)
        close(log)

        let folder = open(".", O_RDONLY)
        check(rename("a", "b") == 0, "rename")
        check(link("b", "c") == 0, "link")
        check(unlink("b") == 0, "unlink")
        check(fsync(folder) == 0, "fsync of a folder")
        close(folder)
        // The number that was the folder's is a file's elsewhere, which nobody minds.
        let other = open("/dev/null", O_WRONLY)
        write("unseen", to: other)
        close(other)

        let again = open("c", O_RDWR | O_TRUNC)
        check(again >= 0, "open again")
        let mapping = mmap(nil, 4_096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0)
        check(mapping != MAP_FAILED, "mmap")
        close(again)
        changeInOtherWays()
    }

    private typealias CopyRange =
        @convention(c) (Int32, UnsafeMutablePointer<off_t>?, Int32, UnsafeMutablePointer<off_t>?, Int, UInt32) -> Int
    private typealias RenameWithFlags =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    /// A call of the C library's that Swift knows nothing of.
    private static func call<Call>(_ name: String, as type: Call.Type) -> Call {
        guard let symbol = dlsym(nil, name) else {
            print("there is no \(name)")
            exit(1)
        }
        return unsafeBitCast(symbol, to: type)
    }

    /// The ways that are gone less often: by a path, by the kernel alone, at a place, from folder to folder.
    private static func changeInOtherWays() {
        let file = open("c", O_RDWR)
        vector(["wh", "ole"], to: file, at: 0)
        vector(["and ", "part"], to: file, at: 5)
        check(truncate("c", 9) == 0, "truncate")
        let copied = open("copied", O_WRONLY | O_CREAT, 0o600)
        var start: off_t = 0
        let copyRange = call("copy_file_range", as: CopyRange.self)
        check(copyRange(file, &start, copied, nil, 5, 0) == 5, "copy_file_range")
        var rest: off_t = 5
        check(sendfile(copied, file, &rest, 100) == 4, "sendfile")
        close(copied)
        close(file)

        let folder = open(".", O_RDONLY)
        check(renameat(folder, "copied", folder, "moved") == 0, "renameat")
        let renameWithFlags = call("renameat2", as: RenameWithFlags.self)
        let toNewNameOnly: UInt32 = 1
        check(renameWithFlags(folder, "moved", AT_FDCWD, "again", toNewNameOnly) == 0, "renameat2")
        close(folder)
        var template = Array("made-XXXXXX".utf8CString)
        let made = mkstemp(&template)
        check(made >= 0, "mkstemp")
        write("own name", to: made)
        close(made)
    }

    private static func vector(_ texts: [String], to descriptor: Int32, at offset: Int? = nil) {
        let bytes = texts.map { Array($0.utf8) }
        var parts = bytes.map { part in
            let copy = UnsafeMutableRawPointer.allocate(byteCount: part.count, alignment: 1)
            copy.copyMemory(from: part, byteCount: part.count)
            return iovec(iov_base: copy, iov_len: part.count)
        }
        let count =
            if let offset {
                pwritev(descriptor, &parts, Int32(parts.count), offset)
            } else {
                writev(descriptor, &parts, Int32(parts.count))
            }
        check(count == bytes.joined().count, "writev")
        for part in parts { part.iov_base.deallocate() }
    }

    /// Writes four bytes to a file and syncs it, so many times; says what each call answered and how long it took.
    private static func append(times: Int) {
        let file = open("data", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { return print("open \(errorName)") }
        for _ in 0..<times {
            let start = ContinuousClock.now
            let written = Foundation.write(file, "abcd", 4)
            let writeAnswer = written < 0 ? errorName : "\(written)"
            let syncAnswer = fdatasync(file) < 0 ? errorName : "ok"
            let wasSlow = ContinuousClock.now - start > .seconds(1)
            print("write \(writeAnswer), sync \(syncAnswer)\(wasSlow ? ", slow" : "")")
            fflush(nil)
        }
    }

    /// Reads a byte of a file, so many times, in both ways.
    private static func read(times: Int) {
        let file = open("data", O_RDWR | O_CREAT, 0o600)
        write("abcd", to: file)
        for _ in 0..<times {
            var byte: UInt8 = 0
            let answers = [pread(file, &byte, 1, 0), Foundation.read(file, &byte, 1)]
            print(answers.map { $0 < 0 ? errorName : "\($0)" }.joined(separator: ", "))
        }
    }

    private static var errorName: String {
        ["EIO": EIO, "ENOSPC": ENOSPC].first { $0.value == errno }?.key ?? "\(errno)"
    }

    private typealias Adjust = @convention(c) (UnsafeMutableRawPointer) -> Int32

    /// For each line of input: the seconds since boot, then what the kernel answers of its clock, in both ways of asking.
    private static func askTheKernel() {
        while readLine() != nil {
            var sinceBoot = timespec()
            clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
            let answers = ["adjtimex", "ntp_adjtime"].map { name in
                // The structure begins with its modes: none, so that nothing is set.
                let asked = UnsafeMutableRawPointer.allocate(byteCount: 1_024, alignment: 8)
                defer { asked.deallocate() }
                memset(asked, 0, 1_024)
                let answer = call(name, as: Adjust.self)(asked)
                return answer < 0 ? "error \(errno)" : "\(answer)"
            }
            print(sinceBoot.tv_sec, answers.joined(separator: " "))
            fflush(nil)
        }
    }

    /// For each line of input: the seconds that each way of asking tells, then what a wait and a sleep of 50 ms took.
    private static func tellTheTime() {
        while readLine() != nil {
            var byDay = timeval()
            gettimeofday(&byDay, nil)
            var byClock = timespec()
            clock_gettime(CLOCK_REALTIME, &byClock)
            let start = ContinuousClock.now
            let condition = NSCondition()
            condition.lock()
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.05))
            condition.unlock()
            Thread.sleep(forTimeInterval: 0.05)
            let waited = Int((ContinuousClock.now - start) / .milliseconds(1))
            print(Int(Date().timeIntervalSince1970), time(nil), byDay.tv_sec, byClock.tv_sec, waited)
            fflush(nil)
        }
    }
}
